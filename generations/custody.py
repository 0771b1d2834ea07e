"""Custody: how long what upstream made is in nobody's hands but theirs.

A result is safe when every file of it was copied, hashed and probed: the moment a generation succeeds. Upstream's own
success is known from the query that first told of it. What cannot be kept although it was made is a loss, which a
manager is told of and acknowledges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, QuerySet
from django.utils import timezone

from accounts.models import Team
from generations.models import Generation, State

LAST = 200
"""So many of the latest successes are measured."""
LATE = 600.0
"""Seconds after which a result that is not safe is worth a look."""


@dataclass(frozen=True)
class Custody:
    """Seconds from upstream's success to safe, of the latest `measured` successes; None where there are none.

    `waiting` results are not safe yet, the oldest of them for `oldest` seconds. `lost` is how many nobody
    acknowledged yet.
    """

    measured: int
    p50: float | None
    p95: float | None
    waiting: int
    oldest: float
    lost: int


def custody() -> Custody:
    """As things stand now, by four small queries."""
    now = timezone.now()
    latest = (
        Generation.objects.filter(status=State.SUCCEEDED, finished_at__gte=F("upstream_done_at"))
        .order_by("-pk")
        .values_list("upstream_done_at", "finished_at")[:LAST]
    )
    took = sorted((safe - made).total_seconds() for made, safe in latest if made and safe)
    waiting = Generation.objects.filter(status=State.GATHERING)
    oldest = waiting.aggregate(oldest=Min("upstream_done_at"))["oldest"]
    return Custody(
        measured=len(took),
        p50=_share(took, 50),
        p95=_share(took, 95),
        waiting=waiting.count(),
        oldest=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        lost=losses().count(),
    )


def losses(team: Team | None = None) -> QuerySet[Generation]:
    """What is lost, or hardly to be saved, and was not acknowledged: of one team, or of all."""
    rows = Generation.objects.filter(result_lost_at__isnull=False, result_lost_seen_at=None)
    return rows.filter(team=team) if team is not None else rows


def safe_after(generation: Generation) -> timedelta | None:
    """How long after upstream's success it became safe; None while it is not, or where that is not known."""
    if generation.status != State.SUCCEEDED or not generation.upstream_done_at or not generation.finished_at:
        return None
    return max(timedelta(0), generation.finished_at - generation.upstream_done_at)


def acknowledge(generation: Generation, now: datetime | None = None) -> bool:
    """Somebody has seen the loss; it is not announced any more. False when there was nothing to see."""
    rows = losses(generation.team).filter(pk=generation.pk)
    return rows.update(result_lost_seen_at=now or timezone.now()) == 1


def _share(values: Sequence[float], percent: int) -> float | None:
    """The value that so many percent of these sorted ones do not pass."""
    return values[max(0, -(-len(values) * percent // 100) - 1)] if values else None
