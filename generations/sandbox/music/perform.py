"""A score played: every part on its own bus, then the mix."""

from __future__ import annotations

import numpy as np

from generations.sandbox.dsp import Sound
from generations.sandbox.music.brief import Brief, read_brief
from generations.sandbox.music.composer import compose
from generations.sandbox.music.drums import LOUDNESS, drum
from generations.sandbox.music.form import TAIL_SECONDS
from generations.sandbox.music.mix import mixed
from generations.sandbox.music.score import Note, Score
from generations.sandbox.music.singer import sing
from generations.sandbox.music.synth import Instrument

QUICK_SECONDS = 2.6


def perform(prompt: str, lyrics: str = "", *, rate: int, quick: bool = False, take: int = 0) -> Sound:
    """The piece a prompt asks for, stereo ``(2, n)`` at ``rate`` Hz, 20 to 60 seconds; the same each time.

    Another ``take`` is another piece. ``quick`` gives a few seconds from the first verse instead.
    """
    brief = read_brief(prompt, lyrics, take)
    score = compose(brief, lyrics)
    stage = Stage(brief, score, rate, quick=quick)
    buses = {part: stage.play(part) for part in ("lead", "chords", "pad", "bass")}
    buses["drums"] = stage.drums()
    if score.sung:
        buses["voice"] = sing(score, brief, prompt, rate, stage.n, stage.offset)
    return mixed(
        brief, {name: bus for name, bus in buses.items() if bus is not None}, stage.kicks(), rate, quick=quick
    )


class Stage:
    """The length of the recording, and who plays what on it."""

    def __init__(self, brief: Brief, score: Score, rate: int, *, quick: bool) -> None:
        self.brief, self.score, self.rate = brief, score, rate
        self.beat = 60 / brief.tempo
        verse = next((section for section in score.sections if section.kind != "intro"), score.sections[0])
        self.offset = verse.first_bar * score.meter * self.beat if quick else 0.0
        seconds = QUICK_SECONDS if quick else score.beats * self.beat + TAIL_SECONDS
        self.n = int(seconds * rate)

    def play(self, part: str) -> Sound | None:
        notes = self.score.parts[part]
        name = {
            "lead": self.brief.lead,
            "chords": self.brief.chords,
            "pad": self.brief.pad,
            "bass": self.brief.bass,
        }[part]
        if not notes or not name:
            return None
        instrument = Instrument(name, self.rate)
        bus = np.zeros((2, self.n), np.float32)
        for note in notes:
            at = self._at(note)
            if 0 <= at < self.n:
                sound = instrument.note(note.pitch, note.beats * self.beat)
                self._add(bus, sound, at, note.loud**1.5, self._pan(part, note))
        return bus

    def drums(self) -> Sound | None:
        if not self.score.strokes:
            return None
        bus = np.zeros((2, self.n), np.float32)
        for stroke in self.score.strokes:
            at = int((stroke.start * self.beat - self.offset) * self.rate)
            if 0 <= at < self.n:
                self._add(
                    bus, drum(stroke.drum, self.rate), at, LOUDNESS[stroke.drum] * stroke.loud**1.5, 0.0
                )
        return bus

    def kicks(self) -> list[float]:
        """The seconds at which a kick is struck, for what has to make room for it."""
        return [s.start * self.beat - self.offset for s in self.score.strokes if s.drum == "kick"]

    def _at(self, note: Note) -> int:
        return int((note.start * self.beat - self.offset) * self.rate)

    def _pan(self, part: str, note: Note) -> float:
        """From -1 to 1: chords spread over the stage from low to high, the rest near the middle."""
        if part == "chords":
            return float(np.clip((note.pitch - 62) / 40, -0.35, 0.35))
        return 0.08 if part == "lead" else 0.0

    def _add(self, bus: Sound, sound: Sound, at: int, loud: float, pan: float) -> None:
        end = min(at + sound.shape[1], self.n)
        bus[0, at:end] += sound[0, : end - at] * np.float32(loud * (1 - max(pan, 0)))
        bus[1, at:end] += sound[1, : end - at] * np.float32(loud * (1 + min(pan, 0)))
