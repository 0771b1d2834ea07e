"""Drums made of falling sines and shaped noise; each is made once per sample rate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generations.sandbox.dsp import Sound

Floats = NDArray[np.float64]
PANS = {"hat": 0.22, "open hat": 0.22, "chip hat": 0.1, "ride": -0.25, "shaker": -0.3, "tambourine": 0.3,
"rim": -0.18,
        "crash": 0.12, "brush": -0.08, "tom": 0.15}  # fmt: skip


@lru_cache(maxsize=128)
def drum(name: str, rate: int) -> Sound:
    """One hit in stereo ``(2, n)``, peak at most 1."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    mono = _KIT[name](rate, np.random.default_rng(seed))
    mono = mono / max(float(np.abs(mono).max()), 1e-9)
    fade = max(int(0.004 * rate), 1)
    mono[-fade:] *= np.linspace(1, 0, fade)
    pan = PANS.get(name, 0.0)
    return np.stack([mono * (1 - max(pan, 0)), mono * (1 + min(pan, 0))]).astype(np.float32)


def _time(seconds: float, rate: int) -> Floats:
    return np.arange(int(seconds * rate)) / rate


def _falling(t: Floats, low: float, more: float, speed: float) -> Floats:
    """A sine that falls from ``low + more`` to ``low`` Hz."""
    return np.asarray(np.sin(2 * np.pi * (low * t + more * speed * (1 - np.exp(-t / speed)))))


def _hiss(n: int, rate: int, random: np.random.Generator, low: float, high: float) -> Floats:
    """Noise between two frequencies, with soft edges."""
    spectrum = np.fft.rfft(random.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / rate)
    spectrum *= 1 / (1 + (low / np.maximum(hz, 1)) ** 4) / (1 + (hz / high) ** 4)
    sound = np.fft.irfft(spectrum, n)
    return np.asarray(sound / max(float(np.abs(sound).max()), 1e-9))


def _kick(rate: int, random: np.random.Generator) -> Floats:
    t = _time(0.34, rate)
    body = _falling(t, 49, 130, 0.028) * np.exp(-t / 0.11)
    click = _hiss(len(t), rate, random, 1500, 6000) * np.exp(-t / 0.004) * 0.35
    return np.asarray(np.tanh(1.8 * body + click))


def _snare(rate: int, random: np.random.Generator) -> Floats:
    t = _time(0.26, rate)
    skin = (_falling(t, 182, 60, 0.02) + 0.6 * np.sin(2 * np.pi * 331 * t)) * np.exp(-t / 0.055)
    wires = _hiss(len(t), rate, random, 1400, 9000) * np.exp(-t / 0.075)
    return np.asarray(np.tanh(0.8 * skin + 1.1 * wires))


def _gated_snare(rate: int, random: np.random.Generator) -> Floats:
    t = _time(0.3, rate)
    room = _hiss(len(t), rate, random, 500, 7000) * np.clip((0.26 - t) / 0.03, 0, 1) * 0.5
    hit = _snare(rate, random)
    room[: len(hit)] += hit
    return room


def _hat(seconds: float, decay: float) -> Callable[[int, np.random.Generator], Floats]:
    def make(rate: int, random: np.random.Generator) -> Floats:
        t = _time(seconds, rate)
        metal = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in (3151, 4243, 5347, 6287, 7103)) / 12
        hiss = _hiss(len(t), rate, random, 6500, 15_000) + 0.2 * metal
        return np.asarray(hiss * np.exp(-t / decay))

    return make


def _ride(rate: int, random: np.random.Generator) -> Floats:
    t = _time(0.7, rate)
    bell = sum(np.sin(2 * np.pi * f * t + i) for i, f in enumerate((2730, 3417, 4180, 5210, 6390))) / 5
    return np.asarray((0.5 * bell + _hiss(len(t), rate, random, 5000, 12_000) * 0.6) * np.exp(-t / 0.17))


def _crash(rate: int, random: np.random.Generator) -> Floats:
    t = _time(1.9, rate)
    return np.asarray(_hiss(len(t), rate, random, 3200, 13_000) * np.exp(-t / 0.5) * np.clip(t / 0.004, 0, 1))


def _clap(rate: int, random: np.random.Generator) -> Floats:
    t = _time(0.24, rate)
    claps = sum(np.where(t >= at, np.exp(-(t - at) / 0.008), 0) for at in (0.0, 0.011, 0.021))
    return np.asarray(_hiss(len(t), rate, random, 900, 5200) * (claps + 0.7 * np.exp(-t / 0.06)))


def _rim(rate: int, random: np.random.Generator) -> Floats:
    t = _time(0.06, rate)
    return np.asarray((np.sin(2 * np.pi * 1720 * t) + 0.5 * np.sin(2 * np.pi * 860 * t)) * np.exp(-t / 0.011))


def _soft(
    seconds: float, low: float, high: float, rise: float, decay: float
) -> Callable[[int, np.random.Generator], Floats]:
    def make(rate: int, random: np.random.Generator) -> Floats:
        t = _time(seconds, rate)
        return np.asarray(
            _hiss(len(t), rate, random, low, high) * np.clip(t / rise, 0, 1) * np.exp(-t / decay)
        )

    return make


def _skin(
    low: float, more: float, decay: float, thump: float
) -> Callable[[int, np.random.Generator], Floats]:
    def make(rate: int, random: np.random.Generator) -> Floats:
        t = _time(min(decay * 5, 1.8), rate)
        body = _falling(t, low, more, 0.035) + 0.4 * _falling(t, low * 1.59, more, 0.03) * np.exp(
            -t / (decay / 2)
        )
        stick = _hiss(len(t), rate, random, 250, 2800) * np.exp(-t / 0.025) * thump
        return np.asarray(np.tanh(1.3 * body * np.exp(-t / decay) + stick))

    return make


def _chip(seconds: float, hold: int, decay: float) -> Callable[[int, np.random.Generator], Floats]:
    def make(rate: int, random: np.random.Generator) -> Floats:
        t = _time(seconds, rate)
        held = np.repeat(np.sign(random.standard_normal(len(t) // hold + 1)), hold)[: len(t)]
        return np.asarray(held * np.exp(-t / decay))

    return make


_KIT: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "kick": _kick,
    "snare": _snare,
    "gated snare": _gated_snare,
    "hat": _hat(0.12, 0.028),
    "open hat": _hat(0.35, 0.11),
    "ride": _ride,
    "crash": _crash,
    "clap": _clap,
    "rim": _rim,
    "shaker": _soft(0.1, 4500, 12_000, 0.02, 0.03),
    "tambourine": _soft(0.2, 6000, 14_000, 0.003, 0.05),
    "brush": _soft(0.24, 1800, 9000, 0.03, 0.07),
    "taiko": _skin(62, 55, 0.34, 0.6),
    "low drum": _skin(47, 40, 0.42, 0.35),
    "tom": _skin(98, 60, 0.2, 0.4),
    "chip snare": _chip(0.14, 3, 0.04),
    "chip hat": _chip(0.04, 1, 0.012),
}
LOUDNESS = {
    "kick": 1.0, "snare": 0.72, "gated snare": 0.8, "hat": 0.24, "open hat": 0.26, "ride": 0.26,
    "crash": 0.34,
    "clap": 0.55, "rim": 0.3, "shaker": 0.16, "tambourine": 0.2, "brush": 0.3, "taiko": 1.0, "low drum": 0.9,
    "tom": 0.7, "chip snare": 0.3, "chip hat": 0.14,
}  # fmt: skip
