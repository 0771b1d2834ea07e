"""What two generations have in common and what not: facts and params line by line, texts word by word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations.models import Generation
from generations.templatetags.ui import money
from generations.views import access, params
from generations.views.prompt import prompts
from generations.views.sound import Take, model_title

WORD = re.compile(r"([\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|\w+|[^\w\s]|\A)(\s*)")
"""A word and the space after it; what a text begins with may be space after no word."""
MOST_WORDS = 2000
"""Longer texts stand beside each other without marks."""
MOST_STEPS = 3_000_000
"""So do texts that would take more comparisons of words: telling apart those that say few words again and again takes
the cube of their length. Two that are written by people, of that many words each, take less than a third of it.
"""


class _TooMuch(Exception):
    """Telling two texts apart would take more than `MOST_STEPS`."""


class _Matcher(SequenceMatcher[str]):
    """Counts the pairs of equal words that it looks at, before it does."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        super().__init__(None, before, after, autojunk=False)
        often = Counter(after)
        self._steps_of = [1 + often[word] for word in before]
        self.steps = 0

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        """Raises `_TooMuch`."""
        self.steps += sum(self._steps_of[alo:ahi])
        if self.steps > MOST_STEPS:
            raise _TooMuch
        return super().find_longest_match(alo, ahi, blo, bhi)


@dataclass(frozen=True)
class Line:
    """One fact of both; "" where one does not have it."""

    label: str
    a: str
    b: str

    @property
    def both(self) -> tuple[str, str]:
        return self.a, self.b

    @property
    def differs(self) -> bool:
        return self.a != self.b


@dataclass(frozen=True)
class Texts:
    """One text of both, as safe HTML in which the words that the other does not have are marked."""

    label: str
    a: SafeString
    b: SafeString
    differs: bool
    number: int


def lines(
    membership: Membership, a: tuple[Generation, Take | None], b: tuple[Generation, Take | None]
) -> list[Line]:
    """Facts and params of both, those that differ first, else in the order of A."""
    left, right = _facts(membership, *a), _facts(membership, *b)
    found = [Line(label, left.get(label, ""), right.get(label, "")) for label in {**left, **right}]
    return sorted(found, key=lambda line: not line.differs)


def _facts(membership: Membership, generation: Generation, take: Take | None) -> dict[str, str]:
    inputs = access.heard(membership, params.uploads(generation))
    labels = [text.label for text in prompts(generation)]
    made = date_format(generation.created_at.astimezone(membership.team.zone), "j F Y H:i")
    facts = {
        _("Model"): model_title(generation.model),
        _("By"): generation.author.display_name,
        _("Made"): made,
        _("Cost"): money(generation.cost_counted, generation.currency) or _("unknown"),
    }
    if take is not None:
        facts |= {_("Length"): take.length, _("File"): take.facts}
    for label, value, _changed in params.shown(generation, inputs, labels):
        facts[_("%(label)s, set") % {"label": label} if label in facts else label] = value
    return facts


def texts(a: Generation, b: Generation) -> list[Texts]:
    """The main texts of both by their labels."""
    left, right = ({text.label: text.plain for text in prompts(one)} for one in (a, b))
    found = []
    for number, label in enumerate({**left, **right}):
        before, after = left.get(label, ""), right.get(label, "")
        marked = told_apart(before, after)
        found.append(Texts(label, *marked, before != after, number))
    return found


def told_apart(before: str, after: str) -> tuple[SafeString, SafeString]:
    """Both as safe HTML: in the first what the second does not have is in <del>, in the second what is new in <ins>."""
    words = WORD.findall(before), WORD.findall(after)
    if before == after or not before or not after or max(map(len, words)) > MOST_WORDS:
        return _joined([before]), _joined([after])
    try:
        steps = _Matcher(*([word for word, _space in side] for side in words)).get_opcodes()
    except _TooMuch:
        return _joined([before]), _joined([after])
    a: list[str] = []
    b: list[str] = []
    for step, from_a, to_a, from_b, to_b in steps:
        a += _run("" if step == "equal" else "del", words[0][from_a:to_a])
        b += _run("" if step == "equal" else "ins", words[1][from_b:to_b])
    return _joined(a), _joined(b)


def _run(tag: str, words: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Some words with their spaces, marked unless the tag is "", but for the space after the last."""
    whole = "".join(word + space for word, space in words)
    text = whole.rstrip()
    return _marked(tag, text) if tag and text else text, whole[len(text) :]


def _marked(tag: str, text: str) -> SafeString:
    return format_html("<{0}>{1}</{0}>", tag, text)


def _joined(parts: Sequence[str] | Iterable[str]) -> SafeString:
    return mark_safe("".join(conditional_escape(part) for part in parts))  # noqa: S308
