"""Instruments as data: harmonics in bands that decay at their own speed, copies a little out of tune, an
envelope.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Spectrum = Callable[[int, float], float]
"""Loudness of harmonic k (1 is the fundamental) of a note whose fundamental has this many Hz."""


@dataclass(frozen=True)
class Band:
    """Harmonics ``first`` to ``last`` that die away in ``decay`` seconds (to a tenth) at middle C; 0 keeps
    them.

    ``ratio`` stretches all of them away from the harmonic series, as in bells.
    """

    first: int
    last: int
    decay: float
    gain: float = 1.0
    ratio: float = 1.0


@dataclass(frozen=True)
class Patch:
    """Times in seconds, ``cents`` between the copies. ``wide`` spreads the copies over both channels."""

    spectrum: Spectrum
    bands: tuple[Band, ...]
    attack: float = 0.004
    release: float = 0.12
    copies: int = 1
    cents: float = 0.0
    vibrato: tuple[float, float] = (0.0, 0.0)
    """Hz and cents; it grows in after the attack."""
    breath: float = 0.0
    """Noise through the whole note."""
    strike: float = 0.0
    """Noise at the start."""
    drive: float = 0.0
    wide: bool = False
    gain: float = 1.0
    longest: float = 8.0
    drop: float = 0.0
    """Semitones the pitch falls during the first moments."""


def rolloff(power: float, *, odd: float = 1.0) -> Spectrum:
    """1 / k ** power, with even harmonics as ``odd`` times that."""
    return lambda k, hz: (1.0 if k % 2 else odd) / k**power


def plucked(place: float, power: float) -> Spectrum:
    """A string plucked at this share of its length."""
    return lambda k, hz: abs(math.sin(math.pi * k * place)) / k**power


def formant(power: float, *peaks: tuple[float, float, float]) -> Spectrum:
    """A source through resonances (Hz, width, gain), as in voices and reeds."""

    def loud(k: int, hz: float) -> float:
        f = k * hz
        heard = sum(g * math.exp(-(((f - centre) / width) ** 2)) for centre, width, g in peaks)
        return float((0.12 + heard) / k**power)

    return loud


def piano_spectrum(k: int, hz: float) -> float:
    return float(math.exp(-0.22 * (k - 1) * (hz / 262) ** 0.35)) * (0.55 if k % 7 == 0 else 1.0)


SUSTAINED = (Band(1, 60, 0),)
AH = ((730.0, 140.0, 1.0), (1090.0, 160.0, 0.6), (2500.0, 300.0, 0.18))

PATCHES: dict[str, Patch] = {
    "piano": Patch(piano_spectrum, (Band(1, 2, 2.6), Band(3, 6, 1.3, 0.8), Band(7, 24, 0.5, 0.6)), 0.002,
    0.22, 2, 1.6,
                   strike=0.05, wide=True, gain=0.9),
    "electric piano": Patch(lambda k, hz: (1, 0.28, 0.1, 0.05, 0.03)[k - 1] if k < 6 else 0.0,
                            (Band(1, 2, 1.9), Band(3, 5, 0.7), Band(1, 1, 0.16, 0.22, 14.0)), 0.003, 0.18, 2,
                            3,
                            wide=True, drive=0.5, gain=0.85),
    "vibraphone": Patch(lambda k, hz: (1, 0.02, 0.05, 0.25)[k - 1] if k < 5 else 0.0,
                        (Band(1, 4, 1.9), Band(1, 1, 0.12, 0.2, 10.0)), 0.003, 0.3, vibrato=(5.2, 5),
                        gain=0.8),
    "marimba": Patch(lambda k, hz: (1, 0.0, 0.0, 0.35)[k - 1] if k < 5 else 0.0,
                     (Band(1, 1, 0.45), Band(4, 4, 0.1)), 0.002, 0.1, strike=0.06),
    "music box": Patch(rolloff(1), (Band(1, 1, 1.3), Band(1, 1, 0.6, 0.4, 3.01), Band(1, 1, 0.25, 0.25,
    6.2)), 0.001,
                       0.4, gain=0.7),
    "bell": Patch(rolloff(1), (Band(1, 1, 2.4), Band(1, 1, 1.5, 0.5, 2.0), Band(1, 1, 0.9, 0.32, 3.01),
                               Band(1, 1, 0.5, 0.22, 5.4)), 0.003, 0.8, gain=0.6),
    "harp": Patch(plucked(0.28, 1.25), (Band(1, 2, 1.5), Band(3, 6, 0.6), Band(7, 20, 0.2)), 0.002, 0.35,
    strike=0.03),
    "guitar": Patch(plucked(0.17, 1.05), (Band(1, 2, 1.3), Band(3, 7, 0.6, 0.9), Band(8, 26, 0.22, 0.8)),
    0.002, 0.12,
                    2, 2.5, strike=0.05, wide=True, gain=0.85),
    "muted guitar": Patch(plucked(0.15, 0.95), (Band(1, 3, 0.16), Band(4, 18, 0.08)), 0.002, 0.04,
    strike=0.07),
    "guzheng": Patch(plucked(0.1, 0.95), (Band(1, 2, 1.8), Band(3, 8, 0.8), Band(9, 28, 0.25)), 0.001, 0.35,
    2, 2,
                     vibrato=(5.4, 9), strike=0.06, wide=True, drop=0.35, gain=0.85),
    "staccato": Patch(rolloff(1.1), (Band(1, 4, 0.5), Band(5, 24, 0.25)), 0.018, 0.09, 3, 8, wide=True,
    strike=0.02,
                      gain=0.75),
    "strings": Patch(rolloff(1.2), SUSTAINED, 0.09, 0.25, 4, 7, (5.3, 9), wide=True, gain=0.6),
    "soft strings": Patch(rolloff(1.5), SUSTAINED, 0.35, 0.6, 4, 8, (4.9, 6), wide=True, gain=0.6),
    "violin": Patch(formant(0.8, (480, 200, 0.9), (1150, 400, 0.7), (2900, 800, 0.5)), SUSTAINED, 0.07, 0.14,
                    vibrato=(5.6, 16), breath=0.012, gain=0.8),
    "cello": Patch(formant(0.8, (260, 140, 0.9), (620, 250, 0.7), (1900, 600, 0.3)), SUSTAINED, 0.08, 0.16,
                   vibrato=(5.1, 12), breath=0.01, gain=0.85),
    "contrabass": Patch(rolloff(1.35), (Band(1, 3, 1.6), Band(4, 20, 0.5)), 0.03, 0.12, 2, 5),
    "flute": Patch(lambda k, hz: (1, 0.32, 0.16, 0.05, 0.03)[k - 1] if k < 6 else 0.0, SUSTAINED, 0.06, 0.11,
                   vibrato=(5.0, 9), breath=0.035, gain=0.8),
    "reed": Patch(formant(0.75, (620, 260, 0.9), (1350, 420, 0.55), (2700, 700, 0.25)), SUSTAINED, 0.035, 0.1,
                  vibrato=(5.2, 11), breath=0.02, gain=0.75),
    "brass": Patch(formant(0.85, (420, 280, 0.8), (1100, 700, 0.7)), (Band(1, 3, 0), Band(4, 24, 3.0, 0.8)),
    0.05, 0.13,
                   2, 5, (5.0, 6), wide=True, gain=0.75),
    "choir": Patch(formant(0.7, *AH), SUSTAINED, 0.3, 0.6, 4, 9, (5.1, 12), breath=0.01, wide=True, gain=0.8),
    "organ": Patch(lambda k, hz: {1: 1.0, 2: 0.7, 3: 0.45, 4: 0.35, 6: 0.2, 8: 0.15}.get(k, 0.0), SUSTAINED,
    0.01, 0.06,
                   2, 2, (6.2, 4), wide=True, gain=0.6),
    "warm pad": Patch(rolloff(1.75), SUSTAINED, 0.5, 0.9, 4, 10, wide=True, gain=0.6),
    "glass pad": Patch(lambda k, hz: {1: 1.0, 2: 0.3, 3: 0.2, 5: 0.1, 8: 0.06}.get(k, 0.0), SUSTAINED, 0.9,
    1.4, 4, 9,
                       (0.3, 6), wide=True, gain=0.6),
    "supersaw": Patch(rolloff(1.15), (Band(1, 5, 0), Band(6, 40, 1.2)), 0.008, 0.14, 6, 8, wide=True,
    gain=0.5),
    "saw lead": Patch(rolloff(1.2), (Band(1, 4, 0), Band(5, 30, 0.9)), 0.008, 0.1, 2, 7, (5.5, 10),
    wide=True, gain=0.6),
    "pluck": Patch(rolloff(1.1), (Band(1, 2, 0.55), Band(3, 8, 0.25), Band(9, 30, 0.1)), 0.002, 0.1, 2, 6,
    wide=True),
    "square": Patch(rolloff(1.0, odd=0.0), SUSTAINED, 0.004, 0.03, vibrato=(6.0, 8), gain=0.45),
    "thin square": Patch(plucked(0.25, 1.0), SUSTAINED, 0.003, 0.02, gain=0.4),
    "triangle": Patch(rolloff(2.0, odd=0.0), SUSTAINED, 0.003, 0.02, gain=0.9),
    "lead guitar": Patch(plucked(0.2, 0.75), (Band(1, 4, 4.0), Band(5, 20, 2.0)), 0.006, 0.1, 2, 4, (5.2,
    14), drive=3.0,
                         gain=0.5),
    "power guitar": Patch(plucked(0.13, 0.7), (Band(1, 4, 2.4), Band(5, 20, 1.2)), 0.004, 0.06, 2, 6,
    drive=4.0,
                          strike=0.05, wide=True, gain=0.42),
    "round": Patch(lambda k, hz: (1, 0.45, 0.18, 0.08)[k - 1] if k < 5 else 0.0, (Band(1, 2, 1.6), Band(3, 4,
    0.5)),
                   0.005, 0.07),
    "picked bass": Patch(plucked(0.2, 1.15), (Band(1, 3, 1.2), Band(4, 14, 0.35)), 0.003, 0.05, strike=0.04),
    "upright": Patch(plucked(0.3, 1.5), (Band(1, 2, 0.75), Band(3, 9, 0.25)), 0.006, 0.08, strike=0.05,
    gain=1.1),
    "synth bass": Patch(rolloff(1.3), (Band(1, 3, 0.9), Band(4, 24, 0.22)), 0.003, 0.05, 2, 5, drive=0.8,
    gain=0.8),
    "sub": Patch(rolloff(2.4), (Band(1, 3, 0),), 0.25, 0.7, gain=0.9),
    "808": Patch(rolloff(2.2), (Band(1, 4, 1.7),), 0.002, 0.15, drive=1.2, drop=5.0, gain=0.95),
}  # fmt: skip
