"""About how many generations of each sort a team has, counted a slice at a time in the background.

No page counts. A slice is some thousands of generations that were made one after the other; the newest is counted anew
whenever this runs, the others in turn, and a page reads their sum. What only some of the team see is not in it, but for
how much of it each author has.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone

from accounts.models import Team
from generations.models import (
    CollectionItem,
    Favourite,
    Generation,
    Heartbeat,
    LibraryCounts,
    Tagging,
    Tally,
    VoiceUse,
)

SLICE = 20_000
FRESH = timedelta(seconds=50)
LONGEST = 1.5
"""Seconds after which counting leaves the rest to the next time."""
COLUMNS = {
    "kind": "kind",
    "model": "model",
    "author": "author_id",
    "status": "status",
    "rating": "rating",
    "length": "length_class",
    "cost": "cost_class",
}
RELATIONS: tuple[tuple[str, type[Any], str], ...] = (
    ("tag", Tagging, "tag_id"),
    ("collection", CollectionItem, "collection_id"),
    ("favourite", Favourite, "user_id"),
    ("voice", VoiceUse, "voice_id"),
)


def tend() -> None:
    """Once a minute: counts, and once a day lets SQLite learn how its indexes are filled; PostgreSQL does by itself."""
    refresh()
    last = Heartbeat.last("analysed")
    if connection.vendor != "sqlite" or (last and timezone.now() - last < timedelta(days=1)):
        return
    Heartbeat.beat("analysed", holder="count")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA analysis_limit = 2000")
        cursor.execute("ANALYZE")


def refresh(seconds: float = LONGEST) -> int:
    """Counts for those teams whose counts are oldest, for so long at the most; gives the number of slices counted."""
    until, counted = time.monotonic() + seconds, 0
    old = Q(library_counts=None) | Q(library_counts__counted_at__lt=timezone.now() - FRESH)
    teams = Team.objects.filter(old).order_by(F("library_counts__counted_at").asc(nulls_first=True))
    for team in teams.only("pk")[:200]:
        counted += _count(team, until)
        if time.monotonic() > until:
            break
    return counted


def _count(team: Team, until: float) -> int:
    """The newest slices of a team, then the stalest, and the sum over all."""
    slices = list(Tally.objects.filter(team=team).order_by("first"))
    counted = 0
    if not slices:
        oldest = Generation.objects.filter(team=team).order_by("id").values_list("pk", flat=True).first()
        if oldest is not None:
            slices = [Tally(team=team, first=uuid.UUID(int=0))]
    fresh: set[uuid.UUID] = set()
    while slices:
        last = slices[-1]
        ids = Generation.objects.filter(team=team, pk__gte=last.first).order_by("id")
        following = ids.values_list("pk", flat=True)[SLICE : SLICE + 1].first()
        _count_slice(last, following)
        fresh.add(last.first)
        counted += 1
        if following is None or time.monotonic() > until:
            break
        slices.append(Tally(team=team, first=following))
    ends = dict(zip([one.first for one in slices], [one.first for one in slices[1:]], strict=False))
    for one in sorted(slices[:-1], key=lambda one: one.counted_at):
        if time.monotonic() > until:
            break
        if one.first not in fresh:
            _count_slice(one, ends[one.first])
            counted += 1
    _sum(team, slices)
    return counted


def _count_slice(one: Tally, end: uuid.UUID | None) -> None:
    rows = Generation.objects.filter(team=one.team, pk__gte=one.first, trashed_at=None, is_private=False)
    rows = rows.filter(pk__lt=end) if end else rows
    found: dict[str, Counter[str]] = {name: Counter() for name in (*COLUMNS, "approved")}
    is_approved = ExpressionWrapper(Q(approved_at__isnull=False), output_field=BooleanField())
    groups = rows.values_list(*COLUMNS.values(), is_approved).annotate(n=Count("pk")).order_by()
    total = 0
    for *values, approved, n in groups:
        total += n
        for name, value in zip(COLUMNS, values, strict=True):
            found[name][str(value)] += n
        found["approved"]["yes"] += n if approved else 0
    hidden = Generation.objects.filter(team=one.team, pk__gte=one.first, trashed_at=None, is_private=True)
    hidden = hidden.filter(pk__lt=end) if end else hidden
    authors = hidden.values_list("author_id").annotate(n=Count("pk")).order_by()
    found["private"] = Counter({str(author): n for author, n in authors})
    for name, table, column in RELATIONS:
        found[name] = Counter({str(value): n for value, n in _related(rows, table, column)})
    one.counts, one.rows, one.counted_at = found, total, timezone.now()
    Tally.objects.update_or_create(
        team=one.team,
        first=one.first,
        defaults={"counts": one.counts, "rows": one.rows, "counted_at": one.counted_at},
    )


def _related(rows: QuerySet[Generation], table: type[Any], column: str) -> list[tuple[Any, int]]:
    found = table.objects.filter(generation__in=rows.values("pk"))
    return list(found.values_list(column).annotate(n=Count("pk")).order_by())


def _sum(team: Team, slices: list[Tally]) -> None:
    """What was not counted in every slice yet, as after a new version, is left out rather than told too small."""
    counts: dict[str, Counter[str]] = {}
    for name in set.intersection(*(set(one.counts) for one in slices)) if slices else ():
        counts[name] = Counter()
        for one in slices:
            counts[name].update(one.counts[name])
    LibraryCounts.objects.update_or_create(
        team=team,
        defaults={"counts": counts, "rows": sum(one.rows for one in slices), "counted_at": timezone.now()},
    )
