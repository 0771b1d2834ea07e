"""One line of the library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from hashlib import sha256
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership, Team
from generations import progress
from generations.library import PAGE
from generations.models import Connection, Favourite, Generation, Given, Rows, State, Tagging
from generations.templatetags.ui import clock
from generations.views import line, picker, sound
from generations.views.status import Status, mark, status

TEXT = 100
NAMED = 40
FIELDS = (
    *("team", "author", "connection", "model", "kind", "title", "params", "status", "created_at"),
    *("rating", "is_private", "approved_at", "currency", "cost_estimated", "cost_actual", "cost_counted"),
    *(
        "next_check_at",
        "parked_at",
        "cancel_requested_at",
        "cancel_sent_at",
        "overdue_at",
        "attempts",
        "error_code",
        "size",
    ),
    *("author__name", "author__email"),
)
"""What a line shows, of a row that has many more."""
PAUSE = re.compile(r"<#[0-9.]{1,5}#>")


@dataclass(frozen=True)
class Kept:
    """What one member and the team put on a generation: the member's star, and the names of its tags."""

    starred: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """`day` heads the first line of a day; `live` is what a refresh compares, "" when it is over. `waits` says where a
    waiting one stands, and `why`.
    """

    generation: Generation
    model_title: str
    text: str
    take: sound.Take | None
    takes: int
    status: Status
    kept: Kept
    day: str
    live: str
    waits: str = ""
    why: str = ""

    @property
    def plays(self) -> bool:
        return self.take is not None and self.take.is_sound

    @property
    def badge(self) -> str:
        """What its small picture does not show: how many pictures there are, or how long the film is."""
        if self.takes > 1:
            return str(self.takes)
        seconds = self.take.output.duration if self.take else None
        return clock(seconds) if seconds is not None else ""

    @property
    def short(self) -> str:
        """Its title as buttons are named after it, many of them in every line."""
        title = self.generation.title
        return title if len(title) <= NAMED else f"{title[: NAMED - 1].rstrip()}…"

    @property
    def href(self) -> str:
        """Its own page."""
        return sound.page_of(self.generation)

    @property
    def is_guess(self) -> bool:
        """Whether the cost shown is only an estimate."""
        return self.generation.cost_actual is None and bool(self.generation.cost_counted)

    @property
    def price_unknown(self) -> bool:
        return self.generation.cost_actual is None and self.generation.cost_estimated is None


def rows(
    generations: Iterable[Generation],
    membership: Membership,
    before: datetime | None = None,
    *,
    by_day: bool = True,
) -> list[Row]:
    """The lines of these generations in their order. `before` is when the line above the first was made.

    Days follow the clock of the team; lines that are ordered by something else have no days.
    """
    team = membership.team
    generations = list(generations)
    stand, kept = places(generations), keeps(generations, membership)
    last = before.astimezone(team.zone).date() if before else None
    found = []
    for generation in generations:
        generation.team = team
        day = generation.created_at.astimezone(team.zone).date()
        head = heading(day, team) if by_day and day != last else ""
        found.append(row(generation, kept, head, stand.get(generation.pk)))
        last = day
    return found


def places(generations: Iterable[Generation]) -> dict[UUID, progress.Place]:
    """Where those of them that wait stand in the line of their connection; no query when none waits."""
    waiting: dict[int, list[Generation]] = {}
    for one in generations:
        if one.status == State.QUEUED:
            waiting.setdefault(one.connection_id, []).append(one)
    found: dict[UUID, progress.Place] = {}
    for connection in Connection.objects.in_bulk(waiting).values() if waiting else ():
        found |= progress.places(connection, waiting[connection.pk], picker.paces(connection))
    return found


def keeps(generations: Iterable[Generation], membership: Membership) -> dict[UUID, Kept]:
    """Stars and tags of these, by two queries."""
    pks = [one.pk for one in generations]
    if not pks:
        return {}
    if len(pks) <= PAGE:
        # The query has as many places as a page has rows; what is left over asks for the first one again.
        given = {str(place): pks[place] if place < len(pks) else pks[0] for place in range(PAGE)}
        starred, tagged = _stars(user=membership.user_id, **given), _tags(**given)
    else:
        among = Q(generation__in=pks)
        starred = list(Favourite.objects.filter(among, user=membership.user_id).only("generation"))
        tagged = list(Tagging.objects.filter(among).select_related("tag").order_by("pk"))
    stars = {one.generation_id for one in starred}
    tags: dict[UUID, list[str]] = {}
    for one in tagged:
        tags.setdefault(one.generation_id, []).append(one.tag.name)
    return {pk: Kept(pk in stars, tuple(tags.get(pk, ()))) for pk in pks}


@Rows
def _stars() -> QuerySet[Favourite]:
    user: Any = Given("user")
    return Favourite.objects.filter(_one_of_a_page(), user=user).only("generation")


@Rows
def _tags() -> QuerySet[Tagging]:
    rows = Tagging.objects.filter(_one_of_a_page()).order_by("pk")
    return rows.select_related("tag").only("generation", "tag__name")


def _one_of_a_page() -> Q:
    places: list[Any] = [Given(str(place)) for place in range(PAGE)]
    return reduce(or_, (Q(generation=place) for place in places))


def row(
    generation: Generation,
    kept: Mapping[UUID, Kept] | None = None,
    day: str = "",
    place: progress.Place | None = None,
) -> Row:
    takes = sound.takes(generation)
    waits = line.short(place) if place else ""
    why = line.why(place) if place else ""
    said = f".{sha256((waits + why).encode()).hexdigest()[:8]}" if place else ""
    return Row(
        generation=generation,
        model_title=sound.model_title(generation.model),
        text=excerpt(generation),
        take=sound.first([take for take in takes if take.is_sound]) or sound.first(takes),
        takes=len(takes),
        status=status(generation),
        kept=(kept or {}).get(generation.pk, Kept()),
        day=day,
        live="" if generation.is_over else f"{generation.pk.hex}.{mark(generation)}{said}",
        waits=waits,
        why=why,
    )


def excerpt(generation: Generation) -> str:
    """The beginning of the prompt on one line; where the title already is its beginning, what comes after."""
    text = " ".join(PAUSE.sub(" ", generation.prompt).split())
    known = generation.title.removesuffix("…").rstrip()
    if text.startswith(known):
        rest = text[len(known) :].lstrip()
        text = f"… {rest}" if rest else ""
    return text if len(text) <= TEXT else text[: TEXT - 1].rstrip() + "…"


def heading(day: date, team: Team) -> str:
    """Today, Yesterday, `Monday 15 June`, and the year where it is another."""
    today = timezone.now().astimezone(team.zone).date()
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(day, "l j F" if day.year == today.year else "j F Y")
