"""Melodies: a motif stated, varied, restated and closed; and tunes for lines of words."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from generations.sandbox.music.score import Note, Syllables
from generations.sandbox.music.theory import Chord, Key

RHYTHMS: dict[int, tuple[tuple[float, ...], ...]] = {
    4: (
        (2, 2), (3, 1), (2, 1, 1), (1, 1, 2), (1.5, 0.5, 2), (1, 1, 1, 1), (1.5, 1.5, 1), (1, 0.5, 0.5, 2),
        (0.5, 0.5, 1, 2), (0.5, 1, 0.5, 1, 1), (1, 0.5, 0.5, 1, 1), (0.5, 0.5, 0.5, 0.5, 1, 1),
        (0.5, 0.5, 1, 0.5, 0.5, 1), (0.5,) * 8,
    ),
    3: ((3,), (2, 1), (1, 2), (1.5, 0.5, 1), (1, 1, 1), (1, 0.5, 0.5, 1), (0.5, 0.5, 1, 1), (0.5,) * 6),
}  # fmt: skip
"""Bars as lengths in beats, from calm to busy."""
VOWELS = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ]+", re.IGNORECASE)
IDEOGRAM = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’\-][^\W_]+)*")


class Tune:
    """One melodic idea of a section kind: the same rhythm and contour each time it comes back."""

    def __init__(
        self, key: Key, dice: random.Random, *, meter: int, density: float, pentatonic: bool, high: int
    ) -> None:
        self.key, self.meter, self.high = key, meter, high
        self.allowed = key.steps(pentatonic)
        choices = RHYTHMS[meter]
        centre = density * (len(choices) - 1)
        weights = [1 / (1 + abs(index - centre) ** 1.6) for index in range(len(choices))]
        self.rhythms = dice.choices(choices, weights, k=2)
        self.moves = [dice.choices((-2, -1, 0, 1, 2, 3), (1, 4, 1.2, 4, 1.6, 0.6))[0] for _ in range(24)]
        self.start = dice.choice((0, 2, 4))

    def phrase(self, chords: Sequence[Chord], first_beat: float, *, closing: bool) -> list[Note]:
        """A melody over the chords, one a bar: statement, answer, statement, close."""
        notes: list[Note] = []
        step = self.start
        for bar, chord in enumerate(chords):
            place = bar % 4
            rhythm: tuple[float, ...] = self.rhythms[1] if place == 1 else self.rhythms[0]
            last = bar == len(chords) - 1
            if place == 3 or last:
                rhythm = (1, self.meter - 1) if not closing or not last else (float(self.meter),)
            at = first_beat + bar * self.meter
            moves = self.moves[0:8] if place in (0, 2) else self.moves[8:16]
            for index, length in enumerate(rhythm):
                strong = index == 0 or (at - first_beat) % 2 == 0
                target = step + moves[index % len(moves)] if notes else step
                step = self._settled(target, chord if strong or length >= 1.5 else None)
                if last and closing and index == len(rhythm) - 1:
                    step = self._settled(round(step / 7) * 7, chord)
                gap = 0.92 if length >= 1 else 0.86
                loud = 0.62 + 0.14 * (index == 0) + 0.06 * (place == 2)
                notes.append(Note(at, length * gap, self._pitch(step), loud))
                at += length
        return notes

    def _settled(self, step: int, chord: Chord | None) -> int:
        """The nearest step that is allowed here, kept within an octave and a half."""
        step = min(max(step, -3), 9)
        allowed = chord.steps if chord is not None else self.allowed
        return min(range(step - 3, step + 4), key=lambda s: (s % 7 not in allowed, abs(s - step)))

    def _pitch(self, step: int) -> int:
        pitch = self.key.pitch(step)
        while pitch > self.high:
            pitch -= 12
        while pitch < self.high - 19:
            pitch += 12
        return pitch

    def line(self, text: str, chords: Sequence[Chord], first_beat: float, *, closing: bool) -> Syllables:
        """A tune for one line of words over its bars: a syllable a note, stressed ones on the beat."""
        words = [(word, syllables(word)) for word in WORD.findall(text)]
        total = sum(count for _, count in words)
        if not total:
            return Syllables(())
        beats = len(chords) * self.meter - 1.0
        grid = 1.0 if total <= beats * 0.6 else 0.5 if total <= beats * 2 else beats / total
        starts = self._starts(total, beats, grid)
        sung: list[tuple[str, tuple[Note, ...]]] = []
        step, index = self.start, 0
        for word, count in words:
            notes = []
            for _ in range(count):
                at = starts[index]
                until = (
                    starts[index + 1] if index + 1 < total else min(at + 2.0, len(chords) * self.meter - 0.25)
                )
                chord = chords[min(int(at // self.meter), len(chords) - 1)]
                target = step + (self.moves[index % len(self.moves)] if index else 0)
                final = index == total - 1
                step = self._settled(
                    round(target / 7) * 7 if final and closing else target, chord if at % 1 == 0 else None
                )
                notes.append(Note(first_beat + at, until - at, self._pitch(step), 0.8))
                index += 1
            sung.append((word, tuple(notes)))
        return Syllables(tuple(sung))

    @staticmethod
    def _starts(total: int, beats: float, grid: float) -> list[float]:
        """When each syllable begins: steady on the grid, stretched over the line when there is room."""
        if total * grid >= beats:
            return [index * beats / total for index in range(total)]
        spread = min(beats / total, 1.0)
        return [
            round(index * spread / grid) * grid if grid < spread else index * grid for index in range(total)
        ]


def syllables(word: str) -> int:
    """About how many syllables a word has; one for each ideogram."""
    if IDEOGRAM.match(word):
        return 1
    if word.isdigit():
        return len(word)
    groups = VOWELS.findall(word)
    count = len(groups)
    if count > 1 and word.lower().endswith("e") and not word.lower().endswith(("le", "ee")):
        count -= 1
    return max(count, 1)
