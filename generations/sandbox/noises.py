"""Interjections as sounds, and a hummed stand-in for speech where espeak-ng is not installed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from generations.sandbox.dsp import Sound
from generations.sandbox.espeak import Phrase
from generations.sandbox.voices import FEMALE_HZ, MALE_HZ, Traits

VOICED = {
    "laughs": ("h'aha#", 4, 0.8, 1.25), "chuckle": ("h'@h@", 2, 0.5, 1.2), "groans": ("'oU:n", 1, 0.6, 0.7),
    "humming": ("m:m:m:", 2, 0.5, 0.7), "emm": ("'@m:", 1, 0.5, 0.7), "crying": ("h'u:hu:", 3, 0.5, 0.8),
    "coughs": ("k'Vh", 2, 0.7, 1.3), "clear-throat": ("k@hh'Vm", 1, 0.6, 1.0), "sneezes": ("a#tS'u:", 1, 0.8,
    1.2),
    "burps": ("'o@", 1, 0.5, 1.0), "snorts": ("hN'N", 1, 0.4, 1.2),
}  # fmt: skip
BREATHS = {
    "breath": (0.5, 1800, 0.5), "inhale": (0.6, 2600, 0.9), "exhale": (0.8, 1200, 0.15), "sighs": (1.0, 1000,
    0.2),
    "gasps": (0.35, 3000, 0.85), "gasp": (0.35, 3000, 0.85), "pant": (0.3, 1900, 0.4), "sniffs": (0.25, 4200,
    0.8),
    "hissing": (0.8, 6500, 0.5), "lip-smacking": (0.06, 3500, 0.3),
}  # fmt: skip
VOWELS = ((730, 1090), (530, 1840), (390, 1990), (570, 840), (440, 1020))


def voiced_phrases(name: str, voice: Traits, semitones: float) -> list[Phrase]:
    """What espeak has to say for an interjection; nothing for those made of noise."""
    if name not in VOICED:
        return []
    phonemes, times, _, speed = VOICED[name]
    return [
        Phrase(
            f"[[{phonemes}]]",
            f"en-us+{voice.variant}",
            speed=speed,
            semitones=semitones + 2 - 1.2 * turn,
            span=70,
            phonemes=True,
        )
        for turn in range(times)
    ]


def noise(name: str, voiced: Sequence[Sound], rate: int) -> Sound:
    """The sound of an interjection between two little silences; ``voiced`` is what espeak said for it."""
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big"))
    if voiced:
        loud = VOICED[name][2]
        sound = np.concatenate([part * np.float32(loud * 0.85**turn) for turn, part in enumerate(voiced)])
    elif name == "applause":
        sound = _applause(rate, random)
    elif name == "whistles":
        sound = _whistle(rate)
    else:
        length, centre, crest = BREATHS.get(name, (0.5, 1500, 0.4))
        sound = _breath(length, centre, crest, rate, random)
        if name == "pant":
            sound = np.concatenate([sound, sound * np.float32(0.8), sound * np.float32(0.7)])
    gap = np.zeros(int(0.12 * rate), np.float32)
    return np.concatenate([gap, sound, gap])


def _breath(length: float, centre: float, crest: float, rate: int, random: np.random.Generator) -> Sound:
    """Coloured noise that rises to its crest (a share of the length) and falls."""
    n = int(length * rate)
    spectrum = np.fft.rfft(random.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / rate)
    spectrum *= np.exp(-2 * np.log2(np.maximum(hz, 40) / centre) ** 2)
    t = np.linspace(0, 1, n)
    envelope = np.where(t < crest, t / crest, (1 - t) / (1 - crest)) ** 1.5
    sound = np.fft.irfft(spectrum, n) * envelope
    return np.asarray(sound / np.abs(sound).max() * 0.12, np.float32)


def _applause(rate: int, random: np.random.Generator) -> Sound:
    n = int(1.8 * rate)
    claps = np.zeros(n)
    claps[random.integers(0, n, 260)] = random.uniform(0.3, 1.0, 260)
    body = random.standard_normal(int(0.02 * rate)) * np.exp(-np.linspace(0, 7, int(0.02 * rate)))
    sound = np.convolve(claps, body, "same") * np.sin(np.linspace(0, np.pi, n)) ** 0.5
    return np.asarray(sound / np.abs(sound).max() * 0.25, np.float32)


def _whistle(rate: int) -> Sound:
    t = np.linspace(0, 0.7, int(0.7 * rate))
    hz = 1500 + 500 * np.sin(2 * np.pi * 1.1 * t) + 12 * np.sin(2 * np.pi * 6 * t)
    return (0.2 * np.sin(2 * np.pi * np.cumsum(hz) / rate) * np.sin(np.pi * t / 0.7) ** 0.4).astype(
        np.float32
    )


def hummed(text: str, voice: Traits, speed: float, semitones: float, rate: int) -> Sound:
    """A vowel per syllable at the pitch and speed of the voice."""
    base = (FEMALE_HZ if voice.variant.startswith("f") else MALE_HZ) * 2 ** (semitones / 12)
    syllables = re.findall(r"[aeiouyäöüáéíóú]+|[\u0400-\u9fff\uac00-\ud7af]|\d|\s", text.lower()) or ["a"]
    parts = []
    for position, syllable in enumerate(syllables):
        n = int(rate * (0.05 if syllable.isspace() else 0.17) / max(speed, 0.2))
        if syllable.isspace():
            parts.append(np.zeros(n, np.float32))
            continue
        pitch = base * (1 + 0.08 * np.cos(position)) * (1.1 - 0.25 * position / len(syllables))
        first, second = VOWELS[ord(syllable[0]) % len(VOWELS)]
        harmonics = np.arange(1, int(3500 / pitch)) * pitch
        loud = (
            1 / (1 + ((harmonics - first) / 120) ** 2) + 0.6 / (1 + ((harmonics - second) / 160) ** 2)
        ) + 0.02
        t = np.arange(n) / rate
        wave = (np.sin(2 * np.pi * harmonics[:, None] * t) * loud[:, None]).sum(axis=0)
        parts.append((0.2 * wave * np.sin(np.pi * np.arange(n) / n) ** 0.5).astype(np.float32))
    return np.concatenate(parts)
