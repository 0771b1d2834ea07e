"""Keys, scales, chords and how one chord moves to the next. Pitches are MIDI numbers, beats are quarter
notes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

NAMES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
SOFT_STEPS = {"major": (0, 1, 2, 4, 5), "minor": (0, 2, 3, 4, 6), "dorian": (0, 2, 3, 4, 6)}
"""Scale steps of the pentatonic melody of a mode."""
LOW, HIGH = 50, 76
"""Where chords are voiced."""

PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (3, 0, 4, 5), (0, 3, 5, 4), (0, 2, 3, 4), (5, 3, 0, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 6, 2), (0, 6, 5, 6), (0, 5, 3, 6), (0, 2, 6, 3), (5, 6, 0, 2)),
    "dorian": ((0, 3, 0, 6), (0, 6, 3, 0), (0, 2, 3, 6), (0, 3, 6, 4)),
    "lydian": ((0, 1, 0, 5), (0, 1, 4, 5), (0, 4, 1, 0), (5, 1, 0, 4)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 3), (0, 4, 6, 3)),
    "phrygian": ((0, 1, 0, 6), (0, 1, 5, 1), (0, 6, 5, 1)),
}
TURNS: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": ((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4)),
    "minor": ((0, 3, 6, 2), (0, 5, 1, 4), (3, 6, 2, 5)),
    "dorian": ((1, 4, 0, 5), (0, 3, 1, 4)),
}
"""Progressions that circle through fifths, for jazz and older music."""


@dataclass(frozen=True)
class Key:
    """``tonic`` is a pitch class from 0 (C) to 11."""

    tonic: int
    mode: str

    @property
    def scale(self) -> tuple[int, ...]:
        return SCALES[self.mode]

    def pitch(self, step: int, octave: int = 5) -> int:
        """The pitch ``step`` scale steps above the tonic of the octave (60 is C of octave 5)."""
        turn, degree = divmod(step, 7)
        return 12 * (octave + turn) + self.tonic + self.scale[degree]

    def steps(self, pentatonic: bool) -> tuple[int, ...]:
        """The scale steps a melody may use."""
        return SOFT_STEPS.get(self.mode, (0, 1, 2, 4, 5)) if pentatonic else tuple(range(7))

    def contains(self, pitch: int) -> bool:
        return (pitch - self.tonic) % 12 in self.scale


@dataclass(frozen=True)
class Chord:
    """A chord on a degree of a key, built in thirds out of the scale; ``size`` 3 is a triad, 4 a seventh, 5 a
    ninth.
    """

    key: Key
    degree: int
    size: int = 3

    @property
    def root(self) -> int:
        """The pitch class of the root."""
        return self.key.pitch(self.degree) % 12

    @property
    def classes(self) -> tuple[int, ...]:
        return tuple(self.key.pitch(self.degree + 2 * third) % 12 for third in range(self.size))

    @property
    def steps(self) -> tuple[int, ...]:
        """The degrees of the triad, for melodies."""
        return tuple((self.degree + 2 * third) % 7 for third in range(3))


def progression(key: Key, degrees: tuple[int, ...], size: int) -> list[Chord]:
    return [Chord(key, degree, size) for degree in degrees]


def voiced(chord: Chord, before: tuple[int, ...] | None, *, centre: int = 62) -> tuple[int, ...]:
    """The pitches of a chord in close position, as near as possible to the chord before.

    Sevenths and ninths leave their root to the bass, so that no voicing has more than four notes.
    """
    classes = chord.classes[1:] if chord.size == 5 else chord.classes
    best: tuple[int, ...] = ()
    least = float("inf")
    for order in itertools.permutations(classes):
        for start in range(LOW, LOW + 12):
            if start % 12 != order[0]:
                continue
            pitches = [start]
            for name in order[1:]:
                pitches.append(pitches[-1] + ((name - pitches[-1]) % 12 or 12))
            if pitches[-1] > HIGH:
                continue
            width = pitches[-1] - pitches[0]
            cost = abs(sum(pitches) / len(pitches) - centre) * 0.4 + max(width - 13, 0)
            cost += sum(2.5 for low, high in itertools.pairwise(pitches) if high - low < 2)
            if before is not None:
                cost += moved(before, tuple(pitches))
            if cost < least:
                best, least = tuple(pitches), cost
    return best


def moved(before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """How far the voices travel, each to its nearest note."""
    there = sum(min(abs(pitch - other) for other in before) for pitch in after)
    back = sum(min(abs(pitch - other) for other in after) for pitch in before)
    return (there + back) / 2


def bass_pitch(pitch_class: int, low: int = 31) -> int:
    """The lowest pitch of a class at or above ``low`` (31 is the G of a bass)."""
    return low + (pitch_class - low) % 12
