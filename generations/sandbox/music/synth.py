"""Notes of an instrument, from wave tables; each note of a piece is made once and used as often as it is
played.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generations.sandbox.dsp import Sound
from generations.sandbox.music.patches import PATCHES, Band, Patch

TABLE = 4096
HEARD = 0.44
"""Harmonics above this share of the sample rate are left out, so that nothing folds back."""
GOLDEN = 0.618034
RMS = 0.2


class Instrument:
    """One patch at one sample rate."""

    def __init__(self, name: str, rate: int) -> None:
        self.patch: Patch = PATCHES[name]
        self.rate = rate
        self._made: dict[tuple[int, int], Sound] = {}

    def note(self, pitch: int, seconds: float) -> Sound:
        """Stereo ``(2, n)``; ``n`` covers the note and its release."""
        key = (pitch, round(seconds * 50))
        if key not in self._made:
            self._made[key] = self._make(pitch, max(key[1], 1) / 50)
        return self._made[key]

    def _make(self, pitch: int, seconds: float) -> Sound:
        patch, rate = self.patch, self.rate
        hz = 440.0 * 2 ** ((pitch - 69) / 12)
        slower = 2 ** ((60 - pitch) / 24)
        decays = [band.decay * slower for band in patch.bands]
        audible = max(decays) * 3 if all(decays) else patch.longest
        held = min(seconds, patch.longest, audible)
        n = int((held + patch.release) * rate)
        t = np.arange(n, dtype=np.float64) / rate
        bend = self._bend(t, hz)
        tables = [self._table(band, hz) for band in patch.bands]
        short = t.astype(np.float32)
        envelopes = [np.exp(np.float32(-2.303 / d) * short) if d else None for d in decays]
        out = np.zeros((2, n), np.float32)
        for copy in range(patch.copies):
            spread = 0.0 if patch.copies == 1 else 2 * copy / (patch.copies - 1) - 1
            phase = hz * 2 ** (patch.cents * spread / 1200) * t + bend + (copy * GOLDEN + pitch * 0.37) % 1
            wave = self._wave(phase, tables, envelopes)
            left = 0.5 - 0.42 * spread if patch.wide else 0.5
            out[0] += wave * np.float32(left)
            out[1] += wave * np.float32(1 - left)
        out *= np.float32(1.6 / np.sqrt(patch.copies))
        if patch.drive:
            out = np.tanh(out * np.float32(1 + patch.drive * 4)) / np.float32(1 + patch.drive * 1.2)
        if patch.strike or patch.breath:
            out += self._noise(n, hz, pitch)
        out *= self._envelope(n, held) * np.float32(patch.gain)
        return out

    def _bend(self, t: NDArray[np.float64], hz: float) -> NDArray[np.float64]:
        """The part of the phase that vibrato and a falling start add, in turns."""
        patch = self.patch
        bend = np.zeros_like(t)
        speed, cents = patch.vibrato
        if speed:
            depth = hz * (2 ** (cents / 1200) - 1) / (2 * np.pi * speed)
            grown = np.clip((t - 0.12) / 0.35, 0, 1)
            bend -= depth * grown * np.cos(2 * np.pi * speed * t)
        if patch.drop:
            bend += hz * (2 ** (patch.drop / 12) - 1) * 0.03 * (1 - np.exp(-t / 0.03))
        return bend

    def _wave(
        self, phase: NDArray[np.float64], tables: list[Sound], envelopes: list[NDArray[np.float32] | None]
    ) -> Sound:
        whole = (phase * TABLE).astype(np.int64) & (TABLE - 1)
        wave = np.zeros(len(phase), np.float32)
        for band, table, envelope in zip(self.patch.bands, tables, envelopes, strict=True):
            index = (
                whole if band.ratio == 1.0 else (phase * (band.ratio * TABLE)).astype(np.int64) & (TABLE - 1)
            )
            part = table[index]
            wave += part if envelope is None else part * envelope
        return wave

    def _table(self, band: Band, hz: float) -> Sound:
        """One turn of the band's harmonics, loud enough that all bands together have the level RMS."""
        spectrum = self.patch.spectrum
        top = max(int(self.rate * HEARD / (hz * band.ratio)), 1)
        whole = sum(spectrum(k, hz) ** 2 for k in range(1, min(top, 64) + 1)) or 1.0
        x = np.arange(TABLE) / TABLE
        table = np.zeros(TABLE)
        for k in range(band.first, min(band.last, top) + 1):
            loud = spectrum(k, hz)
            if loud > 1e-4:
                table += loud * np.sin(2 * np.pi * (k * x + (k * k * GOLDEN) % 1))
        return np.asarray(table * (band.gain * RMS * np.sqrt(2 / whole)), np.float32)

    def _noise(self, n: int, hz: float, pitch: int) -> Sound:
        random = np.random.default_rng(pitch)
        out = np.zeros((2, n), np.float32)
        if self.patch.strike:
            m = min(int(0.02 * self.rate), n)
            burst = random.standard_normal(m) * np.exp(-np.linspace(0, 6, m))
            out[:, :m] += (np.convolve(burst, np.ones(6) / 6, "same") * self.patch.strike).astype(np.float32)
        if self.patch.breath:
            air = random.standard_normal(n).astype(np.float32)
            air[1:] = air[1:] - 0.7 * air[:-1]
            out += air * np.float32(self.patch.breath)
        return out

    def _envelope(self, n: int, held: float) -> Sound:
        patch, rate = self.patch, self.rate
        envelope = np.ones(n, np.float32)
        rise = min(max(int(patch.attack * rate), 16), n)
        envelope[:rise] = np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
        fall = min(max(int(patch.release * rate), 16), n)
        envelope[n - fall :] *= np.cos(np.linspace(0, np.pi / 2, fall)).astype(np.float32) ** 2
        return envelope
