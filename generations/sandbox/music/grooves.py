"""Drum patterns as text, sixteen steps to a bar of four (twelve to a bar of three), and fills between
sections.
"""

from __future__ import annotations

import random

from generations.sandbox.music.score import Stroke

# X strong, x usual, . soft, - nothing
PATTERNS: dict[str, dict[str, str]] = {
    "lofi": {"kick": "X-----x---X-----", "snare": "----x-------x--.", "hat": "x-.-x-.-x-.-x-.-"},
    "house": {"kick": "X---X---X---X---", "clap": "----x-------x---", "open hat": "--x---x---x---x-",
    "hat": "x.x.x.x.x.x.x.x."},
    "gated": {"kick": "X-------X-x-----", "gated snare": "----X-------X---", "hat": "x-x-x-x-x-x-x-x-"},
    "ride": {"ride": "x---x--xx---x--x", "kick": ".-------.-------", "hat": "----x-------x---",
    "brush": "--------------.-"},
    "bossa": {"kick": "x-----xxx-----xx", "rim": "x--x--x---x--x--", "shaker": "x.x.x.x.x.x.x.x."},
    "brushes": {"kick": "x-------x-------", "brush": "--.-x-.---.-x-.-", "tambourine": "----.-------.---"},
    "rock": {"kick": "X-----x-X-x-----", "snare": "----X-------X---", "hat": "x-x-x-x-x-x-x-x-"},
    "trap": {"kick": "X------x--x-----", "clap": "--------X-------", "hat": "x-x-x-xxx-x-xxxx"},
    "taiko": {"taiko": "X--x--x-X---x-x-", "low drum": "X-------X-------", "rim": "--x---x---x---xx"},
    "chip": {"kick": "X---x---X---x---", "chip snare": "----x-------x---", "chip hat": "x-x-x-x-x-x-x-x-"},
    "frame": {"low drum": "x-----------.---", "rim": "--------.-------", "shaker": "----.-------.---"},
    "pop": {"kick": "X-----x-X-------", "snare": "----X-------X---", "hat": "x-x-x-x-x-x-x-x-",
    "shaker": ".-.-.-.-.-.-.-.-"},
}  # fmt: skip
WALTZ: dict[str, str] = {"kick": "x-----------", "brush": "----x---x---", "hat": "----.---.---"}
TAIKO_WALTZ: dict[str, str] = {"taiko": "X---x-x-x---", "low drum": "X-----------", "rim": "------x---x-"}
WEIGHTS = {"X": 1.0, "x": 0.75, ".": 0.4}
LEADING = {"kick", "snare", "clap", "gated snare", "chip snare", "low drum"}
"""What is left out of quiet sections last, and first of intros."""
FILLS = {"taiko": "taiko", "ride": "brush", "bossa": "rim", "brushes": "brush", "house": "clap",
"gated": "tom",
         "rock": "tom", "chip": "chip snare", "frame": "low drum"}  # fmt: skip


def strokes(
    groove: str,
    kind: str,
    first: float,
    meter: int,
    level: float,
    dice: random.Random,
    *,
    fill: bool,
    opening: bool,
) -> list[Stroke]:
    """One bar of a groove as a section of this kind plays it; ``fill`` leads over to the next section."""
    pattern = PATTERNS[groove] if meter == 4 else TAIKO_WALTZ if groove == "taiko" else WALTZ
    found: list[Stroke] = []
    for drum, steps in pattern.items():
        if kind == "intro" and drum in LEADING and groove != "taiko":
            continue
        for index, mark in enumerate(steps):
            if (
                mark == "-"
                or (mark == "." and level < 0.5)
                or (fill and index >= len(steps) - 4 and drum != "kick")
            ):
                continue
            found.append(Stroke(first + index / 4, drum, WEIGHTS[mark] * (0.7 + 0.3 * level)))
    if fill:
        drum = FILLS.get(groove, "snare")
        start = meter - 1.0
        figure = dice.choice(((0, 0.25, 0.5, 0.75), (0, 0.5, 0.75), (0.25, 0.5, 0.75)))
        found += [Stroke(first + start + at, drum, 0.5 + 0.4 * at) for at in figure]
    if opening and kind == "chorus" and groove in ("rock", "pop", "gated", "house", "taiko"):
        found.append(Stroke(first, "crash", 0.6))
    return found
