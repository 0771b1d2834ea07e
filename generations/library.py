"""Finding: filters, text search and pages of a team's generations.

Pages are cut by id, which sorts by time, so page 500 costs what page 1 costs; nothing is ever counted.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Team
from generations.models import Generation, State

PAGE = 24
HEAVY = ("search_text", "results", "error_detail", "request_digest")


class BadCursor(ValueError):
    """The cursor is none that a page gave."""


@dataclass(frozen=True)
class Filter:
    """What to show. Empty means everything."""

    q: str = ""
    model: str = ""
    author: int | None = None
    status: str = ""
    kind: str = ""
    voice: uuid.UUID | None = None
    """A voice of the team that spoke."""

    def __bool__(self) -> bool:
        return bool(self.q or self.model or self.author or self.status or self.kind or self.voice)


@dataclass(frozen=True)
class Page:
    """One page, newest first. `next_cursor` is empty on the last."""

    items: list[Generation]
    next_cursor: str


def find(team: Team, wanted: Filter, without: Collection[uuid.UUID] = ()) -> QuerySet[Generation]:
    """The team's generations that fit, newest first. Every word of `q` must occur somewhere, as part of a word too.

    `without` are those that are not for whoever asks: few, so that they are named one by one.
    """
    rows = Generation.objects.filter(team=team).order_by("-id")
    if without:
        rows = rows.exclude(pk__in=without)
    if wanted.voice:
        rows = rows.filter(voice_use__voice=wanted.voice)
    if wanted.model:
        rows = rows.filter(model=wanted.model)
    if wanted.author:
        rows = rows.filter(author=wanted.author)
    if wanted.status:
        rows = rows.filter(status=wanted.status) if wanted.status in State.values else rows.none()
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    for word in wanted.q.casefold().replace("\x00", " ").split():
        rows = rows.filter(search_text__contains=word)
    return rows


def page(
    team: Team, wanted: Filter, cursor: str = "", size: int = PAGE, without: Collection[uuid.UUID] = ()
) -> Page:
    """The page after `cursor` with authors and outputs loaded, in a fixed number of queries.

    Raises `BadCursor` when the cursor is not one of ours.
    """
    rows = find(team, wanted, without)
    if cursor:
        try:
            rows = rows.filter(id__lt=uuid.UUID(cursor))
        except ValueError:
            raise BadCursor(cursor) from None
    items = list(rows.select_related("author").prefetch_related("outputs").defer(*HEAVY)[: size + 1])
    return Page(items[:size], items[size - 1].id.hex if len(items) > size else "")
