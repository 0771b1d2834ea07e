"""How things stand, in numbers that pages can show: learned durations, places in line, slots."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from generations.catalogue import load
from generations.models import Connection, Generation, State, latest_of_each
from generations.pipeline.pacing import Pace, alike, pace

SAMPLE = 40
TIMES = ("dispatched_at", "upstream_done_at", "size")
EVERYONE = 2000
"""So many members at once are still served in turn."""
UNCONFIRMED_HOLDS = timedelta(minutes=10)


def usual(model: str, connection: Connection, size: int | None = None) -> Pace:
    """How long this model takes on this connection, in seconds from accepted upstream to done.

    With a `size` (`catalogue.size`) only what was about as much to do counts.
    """
    return _pace(model, _timed(model, connection).values_list(*TIMES)[:SAMPLE], size)


def usual_of_each(models: Iterable[str], connection: Connection) -> dict[str, Pace]:
    """`usual` of several models, in one query for all of them."""
    slugs = list(models)
    times = latest_of_each([_timed(slug, connection) for slug in slugs], SAMPLE, *TIMES)
    return {slug: _pace(slug, times.get(slug, [])) for slug in slugs}


def _timed(model: str, connection: Connection) -> QuerySet[Generation]:
    rows = Generation.objects.filter(model=model, connection=connection, finished_at__isnull=False)
    known = rows.filter(upstream_done_at__isnull=False, dispatched_at__isnull=False)
    return known.order_by("-finished_at")


def _pace(model: str, times: Iterable[tuple[Any, ...]], size: int | None = None) -> Pace:
    known = [(how_much, (done - sent).total_seconds()) for sent, done, how_much in times]
    known = [(how_much, seconds) for how_much, seconds in known if seconds >= 0]
    return pace(alike(known, size), guess(model))


class Lately:
    """What the pipeline asks for every generation, asked of the database once a second for each model."""

    SECONDS = 1.0

    def __init__(self) -> None:
        self.known: dict[tuple[str, int], tuple[float, list[tuple[Any, ...]], int]] = {}

    def look(self, model: str, connection: Connection, size: int) -> tuple[Pace, int]:
        """The pace of the model at this size and how many of its generations run now, at most a second old."""
        key = (model, connection.pk)
        asked, times, crowd = self.known.get(key, (-self.SECONDS, [], 0))
        if time.monotonic() - asked > self.SECONDS:
            running = Generation.objects.filter(connection=connection, model=model, status=State.RUNNING)
            times = list(_timed(model, connection).values_list(*TIMES)[:SAMPLE])
            crowd = running.count()
            self.known[key] = (time.monotonic(), times, crowd)
        return _pace(model, times, size), crowd


def guess(model: str) -> float:
    """The catalogue's first idea of the duration, in seconds."""
    try:
        return float(load.get(model).usual_seconds)
    except load.UnknownModel:
        return 60.0


def holding(connection: Connection, now: datetime) -> QuerySet[Generation]:
    """The generations that take a slot of ours as far as we know.

    An overdue or parked one does not: upstream may have forgotten it, and it must not take a slot for ever. If it
    does run, upstream counts it, and it shows as used outside.
    """
    running = Q(status=State.RUNNING, overdue_at=None, parked_at=None)
    unsure = Q(status=State.UNCONFIRMED, submitting_at__gt=now - UNCONFIRMED_HOLDS)
    rows = Generation.objects.filter(Q(status=State.DISPATCHING) | running | unsure, connection=connection)
    return rows.filter(status__in=[State.DISPATCHING, State.RUNNING, State.UNCONFIRMED])


@dataclass(frozen=True)
class Slots:
    """`total` upstream slots; `ours` and `outside` are in use now."""

    total: int
    ours: int
    outside: int

    @property
    def used(self) -> int:
        return min(self.total, self.ours + self.outside)


def slots(connection: Connection) -> Slots:
    """The slots of this connection as far as we know them."""
    return Slots(connection.slots, holding(connection, timezone.now()).count(), connection.used_outside)


def line(connection: Connection, now: datetime, *, limit: int, only_due: bool = False) -> list[uuid.UUID]:
    """Ids of waiting generations in the order they will be sent.

    Round-robin: the n-th waiting generation of a member who has m running counts as their (n+m)-th, so a batch of 200
    stands behind a colleague's first one. Equal counts go by age.
    """
    rows = Generation.objects.filter(connection=connection, status=State.QUEUED, parked_at=None)
    if only_due:
        rows = rows.due(now, State.QUEUED)
    turn = Window(RowNumber(), partition_by=["team_id", "author_id"], order_by="id")
    waiting = rows.annotate(turn=turn).filter(turn__lte=limit).order_by("turn", "id")
    candidates = list(waiting.values_list("turn", "id", "team_id", "author_id")[: max(limit * 20, EVERYONE)])
    active = Generation.objects.filter(connection=connection, status__in=[State.DISPATCHING, State.RUNNING])
    running = {
        (team, author): n
        for team, author, n in active.values_list("team_id", "author_id").annotate(Count("id"))
    }
    candidates.sort(key=lambda c: (c[0] + running.get((c[2], c[3]), 0), c[1]))
    return [pk for _, pk, _, _ in candidates[:limit]]


@dataclass(frozen=True)
class Place:
    """`position` 1 is next; `seconds` is about how long until it starts."""

    position: int
    seconds: float


def places(
    connection: Connection, waiting: Iterable[Generation], paces: Mapping[str, Pace]
) -> dict[uuid.UUID, Place]:
    """Where each of these waiting generations stands in the line of the whole connection, by id.

    The order is the one dispatch uses: round-robin by member, then oldest first.
    """
    wanted = {generation.pk: generation for generation in waiting}
    if not wanted:
        return {}
    order = line(connection, timezone.now(), limit=1000)
    room = max(1, connection.slots - connection.used_outside)
    found = {}
    for position, pk in enumerate(order, start=1):
        if pk in wanted:
            usual_here = paces[wanted[pk].model].usual if wanted[pk].model in paces else 30.0
            found[pk] = Place(position, usual_here * ((position - 1) // room + 1) / 2)
    return found
