"""Words for a song out of a small grammar: rhymed lines around the things a prompt names.

A line is a beginning, which speaks of a thing, and an ending, which carries the rhyme. The same prompt gives the
same song.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass

from generations.sandbox.music.styles import INSTRUMENT_WORDS, STYLES

WORD = re.compile(r"[A-Za-z][a-z']{3,13}(?![a-z])")
_DULL = (
    "about above after again along also alone always around back because been before being below between both"
    " come comes could does down during each else ever every everyone everything from have hers hopeful into just"
    " like little made make makes many more most much never only onto other over people said same should since"
    " slow slowly some somebody something song songs still such than that their them then there these they thing"
    " things this those through together under until very want wants well were what when where which while whole"
    " whose will with without would your warm fast quick happy funny bright tender gentle cheerful dreamy wry"
    " female male voice vocals music style tempo major minor verse chorus bridge miss misses goes gone last first"
)
DULL = frozenset([*_DULL.split(), *INSTRUMENT_WORDS, *STYLES])
"""Words that name no thing, or only how it should sound."""
SPARE = ("harbour", "morning", "window", "river", "station", "garden", "letter", "lantern")
MOODS = ("wistful", "hopeful", "late at night", "unhurried", "bittersweet")

BEGINNINGS = (
    "I used to know the {thing}",
    "We drove out past the {thing}",
    "Nobody mentions the {thing}",
    "You left me with the {thing}",
    "Somebody painted the {thing}",
    "All I remember is the {thing}",
    "They say you can hear the {thing}",
    "I wrote a line on the {thing}",
)
CALLS = (
    "Oh {thing}, {thing}",
    "Give me the {thing}",
    "Here comes the {thing}",
    "Carry the {thing}",
    "Say it to the {thing}",
)
TURNS = (
    "And if the {thing} should leave us",
    "But what is the {thing} without you",
    "Maybe the {thing} was a promise",
)
RHYMES = (
    ("when the lamps are burning low", "and there is nowhere left to go", "in the first of all the snow",
     "more than anyone will know", "and the clocks are running slow"),
    ("on the far side of the night", "with a pocket full of light", "and it almost came out right",
     "till the edge of town is bright", "like a secret out of sight"),
    ("at the end of every day", "and it never went away", "though we always meant to stay",
     "in a soft and silver grey", "with so little left to say"),
    ("and you never locked the door", "like it was the year before", "with the sand across the floor",
     "and I listened by the shore", "till we did not hurt any more"),
    ("and you asked me to explain", "through the singing of the rain", "on the window of the train",
     "but it all comes round again", "down the long road to the plain"),
    ("and you looked so glad to be", "half a mile above the sea", "and you threw me down the key",
     "as the engines set us free", "and it sounded just like me"),
)  # fmt: skip


@dataclass(frozen=True)
class Lyrics:
    title: str
    style: tuple[str, ...]
    text: str
    """Lines under marks such as [Verse], as a song model sings them."""

    def __str__(self) -> str:
        """As a lyrics model answers: title and style first."""
        return f"Title: {self.title}\nStyle: {', '.join(self.style)}\n\n{self.text}\n"


def write(prompt: str) -> Lyrics:
    """A song about whatever the prompt names."""
    dice = random.Random(hashlib.sha256(prompt.encode("utf-8", "replace")).digest())
    things = _things(prompt, dice)
    rhymes = dice.sample(RHYMES, 4)
    chorus = _stanza("Chorus", CALLS, things[:1], rhymes[0], dice)
    parts = [
        _stanza("Verse", BEGINNINGS, things, rhymes[1], dice),
        chorus,
        _stanza("Verse", BEGINNINGS, things[::-1], rhymes[2], dice),
        chorus,
        _stanza("Bridge", TURNS, things[1:] or things, rhymes[3], dice, lines=2),
        chorus,
    ]
    title = dice.choice(("{}", "The {}", "Past the {}", "Every {}")).format(things[0].capitalize())
    return Lyrics(title, _style(prompt, dice), "\n\n".join(parts))


def _stanza(
    mark: str,
    beginnings: tuple[str, ...],
    things: list[str],
    rhyme: tuple[str, ...],
    dice: random.Random,
    *,
    lines: int = 4,
) -> str:
    begun = dice.sample(beginnings, min(lines, len(beginnings)))
    ended = dice.sample(rhyme, lines)
    written = [
        f"{begun[at % len(begun)].format(thing=things[at % len(things)])} {ended[at]}" for at in range(lines)
    ]
    return "\n".join([f"[{mark}]", *written])


def _things(prompt: str, dice: random.Random) -> list[str]:
    """Four things: what the prompt names and, where it names too few, things of our own."""
    named = dict.fromkeys(word.lower() for word in WORD.findall(prompt))
    found = [word for word in named if word not in DULL and not word.endswith(("ly", "ing", "'s"))][:4]
    spare = [word for word in SPARE if word not in found]
    return found + dice.sample(spare, 4 - len(found))


def _style(prompt: str, dice: random.Random) -> tuple[str, ...]:
    """A mood and the styles the prompt names, or one that suits most words."""
    lower = prompt.lower()
    named = [name for name in STYLES if re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", lower)][:3]
    return (*(named or [dice.choice(("folk", "pop", "piano"))]), dice.choice(MOODS))
