"""The plan of a piece: which sections follow one another, how long they are, what is sung in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from generations.sandbox.music.brief import LONGEST, Brief
from generations.sandbox.music.score import Section

TAG = re.compile(r"^\s*[\[【(]\s*([^\]】)]+?)\s*[\]】)]\s*(.*)$")
KINDS = (
    ("pre", "verse"), ("intro", "intro"), ("verse", "verse"), ("chorus", "chorus"), ("hook", "chorus"),
    ("refrain", "chorus"), ("bridge", "bridge"), ("break", "bridge"), ("solo", "bridge"), ("inter", "bridge"),
    ("outro", "outro"), ("end", "outro"), ("主歌", "verse"), ("副歌", "chorus"), ("前奏", "intro"),
    ("尾", "outro"),
)  # fmt: skip
TAIL_SECONDS = 3.5
"""Left for the last chord to ring."""
LINE_BARS = 2


def plan(brief: Brief, lyrics: str = "") -> list[Section]:
    """The sections in order, from bar 0 on; 20 to 60 seconds with the tail."""
    verses = _stanzas(lyrics)
    return _laid_out(_sung(brief, verses) if any(lines for _, lines in verses) else _played(brief))


def _played(brief: Brief) -> list[tuple[str, int, tuple[str, ...]]]:
    """Sections of four or eight bars between a short intro and outro."""
    wished = (brief.seconds - TAIL_SECONDS) / brief.bar_seconds
    most = int((LONGEST - TAIL_SECONDS - 0.5) / brief.bar_seconds)
    intro = 4 if wished >= 20 else 2
    fours = min(max(round((wished - intro - 2) / 4), 2), max((most - intro - 2) // 4, 1))
    order = ("verse", "chorus", "verse", "chorus", "bridge", "chorus", "verse", "chorus")
    unit = 2 if fours >= 7 else 1
    found: list[tuple[str, int, tuple[str, ...]]] = [("intro", intro, ())]
    for position in range(0, fours, unit):
        kind = order[(position // unit) % len(order)]
        found.append((kind, 4 * min(unit, fours - position), ()))
    return [*found, ("outro", 2, ())]


def _stanzas(lyrics: str) -> list[tuple[str, tuple[str, ...]]]:
    """Kind and lines of each tagged part; untagged lyrics are a verse."""
    parts: list[tuple[str, list[str]]] = []
    for raw in lyrics.splitlines():
        found = TAG.match(raw)
        if found:
            name = found.group(1).lower()
            kind = next((kind for word, kind in KINDS if word in name), None)
            if kind is not None:
                parts.append((kind, [found.group(2).strip()] if found.group(2).strip() else []))
                continue
        line = raw.strip()
        if line and not found:
            if not parts:
                parts.append(("verse", []))
            parts[-1][1].append(line)
    return [(kind, tuple(lines)) for kind, lines in parts]


def _sung(
    brief: Brief, stanzas: Iterable[tuple[str, tuple[str, ...]]]
) -> list[tuple[str, int, tuple[str, ...]]]:
    """As many lines as fit; each takes two bars."""
    most = int((LONGEST - TAIL_SECONDS - 1) / brief.bar_seconds) - 2
    found: list[tuple[str, int, tuple[str, ...]]] = [("intro", 2, ())]
    used = 2
    for kind, lines in stanzas:
        if not lines:
            bars = 0 if kind in ("intro", "outro") else 2
        else:
            lines = lines[: max((most - used) // LINE_BARS, 0)]
            bars = len(lines) * LINE_BARS
        if bars and used + bars <= most:
            found.append((kind, bars, lines))
            used += bars
    while used * brief.bar_seconds < 17:
        found.append(("bridge", 4, ()))
        used += 4
    return [*found, ("outro", 2, ())]


def _laid_out(parts: Iterable[tuple[str, int, tuple[str, ...]]]) -> list[Section]:
    sections, at = [], 0
    for kind, bars, lines in parts:
        sections.append(Section(kind, at, bars, lines))
        at += bars
    return sections
