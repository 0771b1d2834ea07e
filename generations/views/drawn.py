"""Lines of the library as HTML. What is equal is drawn once: a team looks at the same newest lines all day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.template import loader
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext

from generations.models import Generation, State
from generations.templatetags.ui import clock, money
from generations.views.row import Row

KEPT = 2048
"""So many lines are kept by each process, of some 3 kB."""


@dataclass(frozen=True)
class Line:
    """All that the template of a line can look at, so equal lines look the same; no rows of the database in it.

    `facts` stand where a sound has its waveform. The cost is "about" where it is only an estimate; `is_priced` where
    the price is known, and `price_missing` where it should be.
    """

    pk: str
    oob: bool
    day: str
    kind: str
    title: str
    short: str
    href: str
    src: str
    poster: str
    peaks: str
    live: str
    approved: bool
    private: bool
    tags: tuple[str, ...]
    text: str
    author: str
    author_id: int
    plays: bool
    has_length: bool
    length: str
    cost: str
    is_priced: bool
    is_guess: bool
    price_missing: bool
    time: str
    waits: str
    why: str
    facts: str
    look: str
    icon: str
    word: str
    model: str
    rating: int
    may_rate: bool
    starred: bool


def draw(row: Row, *, may_rate: bool, oob: bool = False) -> SafeString:
    """The line of a table as HTML, `oob` for htmx in place of the one that is there."""
    return _drawn(line_of(row, may_rate=may_rate, oob=oob), get_language())


def line_of(row: Row, *, may_rate: bool, oob: bool = False) -> Line:
    one, take = row.generation, row.take
    output = take.output if take else None
    seconds = output.duration if output else None
    made = one.created_at.astimezone(one.team.zone)
    return Line(
        pk=str(one.pk),
        oob=oob,
        day=row.day,
        kind=one.kind,
        title=one.title,
        short=row.short,
        href=row.href,
        src=take.src if take and row.plays else "",
        poster=take.poster if take and not row.plays else "",
        peaks=output.peaks_row if output and row.plays else "",
        live=row.live,
        approved=one.approved_at is not None,
        private=one.is_private,
        tags=row.kept.tags,
        text=row.text,
        author=one.author.display_name,
        author_id=one.author_id,
        plays=row.plays,
        has_length=bool(row.plays and seconds),
        length=clock(seconds),
        cost=_money(one),
        is_priced=bool(one.currency) and not row.price_unknown,
        is_guess=row.is_guess and not row.price_unknown,
        price_missing=row.price_unknown and (not one.is_over or one.status == State.SUCCEEDED),
        time=f"{made:%H:%M}",
        waits=row.waits,
        why=row.why,
        facts=_facts(row),
        look=row.status.look,
        icon=row.status.icon,
        word=row.status.word,
        model=row.model_title,
        rating=one.rating or 0,
        may_rate=may_rate,
        starred=row.kept.starred,
    )


def _money(one: Generation) -> str:
    return _amount(one.cost_counted, one.currency, get_language())


@lru_cache(maxsize=1024)
def _amount(amount: object, currency: str, language: str | None) -> str:
    return money(amount, currency)  # type: ignore[arg-type]


def _facts(row: Row) -> str:
    if row.plays or row.take is None or row.generation.status != State.SUCCEEDED:
        return ""
    if row.take.output.kind != "text":
        return row.take.facts
    lines = row.take.lines
    return ngettext("Text, %(lines)s line", "Text, %(lines)s lines", lines) % {"lines": lines}


@lru_cache(maxsize=KEPT)
def _drawn(line: Line, language: str | None) -> SafeString:
    return mark_safe(loader.get_template("library/_row.html").render({"line": line}))  # noqa: S308 - a template's
