"""How things stand, in numbers that pages can show: learned durations, places in line, slots."""

from __future__ import annotations

import itertools
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from generations import disk
from generations.catalogue import load
from generations.models import Connection, Generation, State, latest_of_each
from generations.pipeline.pacing import Pace, alike, pace
from generations.turns import Holding, Start, Turns, Waiting, forecast, left

SAMPLE = 40
TIMES = ("dispatched_at", "upstream_done_at", "size")
EVERYONE = 2000
"""So many members at once are still served in turn."""
FORESEEN = 1000
"""So many places in line are told; whoever stands behind them is told just that."""
LONG = 300
KEPT = 2.0
"""A line of so many is played through once for all who look within so many seconds; a short one costs little."""
UNCONFIRMED_HOLDS = timedelta(minutes=10)
A_MOMENT = timedelta(seconds=2)
FUNDS = frozenset({"402", "414", "416", "605", "812", "1620", "http_402"})
RATE = frozenset({"1003", "429", "http_429"})
MODEL_FULL = frozenset({"1011"})


def usual(model: str, connection: Connection, size: int | None = None) -> Pace:
    """How long this model takes on this connection, in seconds from accepted upstream to done.

    With a `size` (`catalogue.size`) only what was about as much to do counts.
    """
    return _pace(model, _timed(model, connection).values_list(*TIMES)[:SAMPLE], size)


def usual_of_each(models: Iterable[str], connection: Connection) -> dict[str, Pace]:
    """`usual` of several models, in one query for all of them."""
    slugs = list(models)
    times = latest_of_each(slugs, lambda slug: _timed(slug, connection), SAMPLE, *TIMES)
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
    """`total` upstream slots; `ours` and `outside` are in use now, `unsure` of ours for answers that were lost."""

    total: int
    ours: int
    outside: int
    unsure: int = 0

    @property
    def used(self) -> int:
        return min(self.total, self.ours + self.outside)


def slots(connection: Connection) -> Slots:
    """The slots of this connection as far as we know them."""
    return Slots(connection.slots, holding(connection, timezone.now()).count(), connection.used_outside)


def line(connection: Connection, now: datetime, *, limit: int, only_due: bool = False) -> list[uuid.UUID]:
    """Ids of waiting generations in the order they will be sent, as `turns.Turns` has it.

    Exact for as many as hold slots and wait; each that ends may bring another one forward. `places` plays that.
    """
    waiting = Generation.objects.filter(connection=connection, status=State.QUEUED, parked_at=None)
    if only_due:
        waiting = waiting.due(now, State.QUEUED)
    held: Counter[tuple[int, int]] = Counter()
    for team, author, count in (
        holding(connection, now).order_by().values_list("team_id", "author_id").annotate(Count("id"))
    ):
        held[team, author] += count
    queue = _turns(waiting, now, limit, held, {})
    return [one.id for one in itertools.islice(queue, limit)]


def _turns(
    waiting: QuerySet[Generation],
    now: datetime,
    limit: int,
    held: Mapping[tuple[int, int], int],
    paces: Mapping[str, Pace],
) -> Turns:
    """The line of these, in one query; of each member only as many as can be among the first `limit`."""
    turn = Window(RowNumber(), partition_by=["team_id", "author_id"], order_by="id")
    rows = waiting.annotate(turn=turn).filter(turn__lte=limit).order_by("turn", "id")
    fields = ("id", "team_id", "author_id", "next_check_at", "model", "team__weight", "team__member_slots")
    weights: dict[int, int] = {}
    most: dict[int, int | None] = {}
    found = []
    for pk, team, author, at, model, weight, of_member in rows.values_list(*fields)[
        : max(limit * 4, EVERYONE)
    ]:
        weights[team], most[team] = weight, of_member
        ready = max(0.0, (at - now).total_seconds()) if at else 0.0
        found.append(Waiting(pk, team, author, ready, paces.get(model) or pace([], guess(model))))
    return Turns(found, held, weights, most)


@dataclass(frozen=True)
class Place:
    """How long it will wait. `position` 1 is next; it starts in `low` to `high` seconds. Each is None when nobody can
    know: sending is paused, others hold all slots, or more than FORESEEN stand before it. `why` says what it waits for.
    """

    position: int | None
    low: float | None
    high: float | None
    why: Why


@dataclass(frozen=True)
class Why:
    """What a generation waits for. `code`:

    ``paused funds`` sending is paused, `text` says why; ``elsewhere`` its connection is not the one in use; ``disk``
    there is too little room for results here; ``parked`` put aside; ``model_full rate full unreachable later``
    RunningHub had no room for it, or for anything, and is asked again at `until`; ``member`` its member has as many
    running as the team allows, `count`; ``slots`` all `slots` are taken; ``turn`` it is sent in a moment.
    """

    code: str
    text: str = ""
    until: datetime | None = None
    count: int = 0
    slots: Slots | None = None


@dataclass(frozen=True)
class _Foreseen:
    """A line played through: who starts when, what holds slots, and how many of them each member holds."""

    at: float
    now: datetime
    facts: tuple[Any, ...]
    starts: Mapping[uuid.UUID, Start]
    taken: Slots
    held: Mapping[tuple[int, int], int]
    most: Mapping[int, int | None]


_lately: dict[int, _Foreseen] = {}


def places(
    connection: Connection, waiting: Iterable[Generation], paces: Mapping[str, Pace]
) -> dict[uuid.UUID, Place]:
    """How each of these waiting generations stands in the line of the whole connection, by id.

    The line is played through with the order that dispatch uses, the slots that are held now (also by what is
    unconfirmed, and outside the portal) and the durations of each model. A handful of queries, however many wait; a
    long line is played through at most every KEPT seconds in a process, which all who look at it share.
    """
    wanted = {generation.pk: generation for generation in waiting}
    if not wanted:
        return {}
    now = timezone.now()
    facts = (connection.slots, connection.used_outside, connection.full_until, connection.paused_at)
    seen = _lately.get(connection.pk)
    if (
        seen is None
        or time.monotonic() - seen.at > KEPT
        or seen.facts != facts
        or any(row.created_at > seen.now for row in wanted.values())
    ):
        seen = _foresee(connection, now, facts, set(wanted), paces)
    shut = connection.full_until if connection.full_until and connection.full_until > now else None
    told = _told(connection) if shut else ""
    answer = {}
    for pk, row in wanted.items():
        start = seen.starts.get(pk)
        own = seen.most.get(row.team_id)
        if own is not None and seen.held.get((row.team_id, row.author_id), 0) < own:
            own = None
        why = _why(connection, row, now, seen.taken, shut, told, own)
        answer[pk] = Place(*start, why) if start else Place(None, None, None, why)
    return answer


def _foresee(
    connection: Connection,
    now: datetime,
    facts: tuple[Any, ...],
    wanted: set[uuid.UUID],
    paces: Mapping[str, Pace],
) -> _Foreseen:
    held: Counter[tuple[int, int]] = Counter()
    busy, unsure = [], 0
    fields = ("team_id", "author_id", "status", "model", "dispatched_at", "submitting_at")
    for team, author, status, model, sent, submitting in holding(connection, now).values_list(*fields):
        held[team, author] += 1
        if status == State.UNCONFIRMED:
            unsure += 1
            given_up = submitting + UNCONFIRMED_HOLDS if submitting else now
            busy.append(Holding(team, author, max(0.0, (given_up - now).total_seconds())))
            continue
        since = max(0.0, (now - sent).total_seconds()) if sent and status == State.RUNNING else 0.0
        busy.append(Holding(team, author, *left(paces.get(model) or pace([], guess(model)), since)))
    taken = Slots(connection.slots, len(busy), connection.used_outside, unsure)
    if connection.paused_at is not None or not connection.is_configured or disk.is_low():
        return _Foreseen(time.monotonic(), now, facts, {}, taken, held, {})
    rows = Generation.objects.filter(connection=connection, status=State.QUEUED, parked_at=None)
    line = _turns(rows, now, FORESEEN, held, paces)
    room = connection.slots - connection.used_outside
    gate = max(0.0, (connection.full_until - now).total_seconds()) if connection.full_until else 0.0
    is_long = line.length >= LONG
    starts = forecast(line, busy, room, wanted=line.ids if is_long else wanted, gate=gate, most=FORESEEN)
    seen = _Foreseen(time.monotonic(), now, facts, starts, taken, held, line.most)
    if is_long:
        _lately[connection.pk] = seen
    return seen


def _told(connection: Connection) -> str:
    """What RunningHub said when it took nothing more: the code on the row that was told so last."""
    refused = Generation.objects.filter(connection=connection, status=State.QUEUED).exclude(error_code="")
    code = refused.order_by("-updated_at").values_list("error_code", flat=True).first()
    return code or ""


def _why(
    connection: Connection,
    row: Generation,
    now: datetime,
    taken: Slots,
    shut: datetime | None,
    told: str,
    most: int | None,
) -> Why:
    if row.parked_at is not None:
        return Why("parked")
    if connection.paused_at is not None:
        return Why("funds" if connection.paused_code in FUNDS else "paused", connection.paused_reason)
    if not connection.is_configured:
        return Why("elsewhere")
    if shut is not None:
        return Why("rate" if told in RATE else "unreachable" if told == "unreachable" else "full", "", shut)
    if disk.is_low():
        return Why("disk")
    if row.next_check_at and row.next_check_at > now + A_MOMENT:
        return Why("model_full" if row.error_code in MODEL_FULL else "later", "", row.next_check_at)
    if most is not None:
        return Why("member", count=most)
    return Why("slots" if taken.used >= taken.total else "turn", slots=taken)
