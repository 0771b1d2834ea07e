"""A piece on paper: notes and strokes in beats, with the sections they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Note:
    """``start`` and ``beats`` in quarter notes; ``loud`` from 0 to 1."""

    start: float
    beats: float
    pitch: int
    loud: float = 0.7


@dataclass(frozen=True)
class Stroke:
    """One hit of a drum."""

    start: float
    drum: str
    loud: float = 0.8


@dataclass(frozen=True)
class Section:
    """``kind`` is intro, verse, chorus, bridge or outro; ``lines`` are sung in it, one in two bars."""

    kind: str
    first_bar: int
    bars: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Syllables:
    """A sung line: its words with the notes of each."""

    words: tuple[tuple[str, tuple[Note, ...]], ...]


@dataclass
class Score:
    """Notes by part: ``lead``, ``chords``, ``pad``, ``bass``; strokes; and the lines to be sung."""

    meter: int
    bars: int
    sections: list[Section]
    parts: dict[str, list[Note]] = field(
        default_factory=lambda: {"lead": [], "chords": [], "pad": [], "bass": []}
    )
    strokes: list[Stroke] = field(default_factory=list)
    sung: list[Syllables] = field(default_factory=list)

    @property
    def beats(self) -> float:
        return self.bars * self.meter
