"""Sweep: finds from the rows alone what no message will ever come for.

Losing every queue message, or a worker on any line, leaves rows behind in states that say what to do; this puts
them back on their way. Running it twice, or beside a healthy worker, changes nothing.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from generations import queue
from generations.models import (
    ACTIVE,
    AccountAnswer,
    Connection,
    Generation,
    Heartbeat,
    Lora,
    PriceCheck,
    State,
    TeamModel,
)
from generations.models.writer import checkpoint
from generations.pipeline import gather
from generations.pipeline.dispatch import lost

DEADLY_CLAIMS = 5
SCRATCH_LIVES = 24 * 3600
LATE = timedelta(minutes=3)
JUMP = timedelta(minutes=10)
"""Sweeps come each minute; a gap as long as this is a clock that jumped, or nobody was there to sweep."""
LONGEST_WAIT = timedelta(hours=2)
"""No lease, backoff or pause is longer; a time beyond it was written by a clock that has been set back since."""


@dataclass
class Swept:
    """How many rows each rule touched."""

    requeued: int = 0
    unconfirmed: int = 0
    parked: int = 0
    expired: int = 0
    woken: int = 0


def sweep_if_late() -> bool:
    """Sweeps when nobody did for a while: the schedule was lost, or waits for the time of a clock set back since."""
    last = Heartbeat.last("sweep")
    if last and abs(timezone.now() - last) <= LATE:
        return False
    sweep()
    return True


def sweep() -> Swept:
    """Repairs rows and rings the queue when anything waits."""
    swept = Swept()
    now = timezone.now()
    rows = Generation.objects
    checkpoint()
    _follow_the_clock(now)
    _mend_times(now)
    for row in rows.filter(status=State.DISPATCHING, lease_until__lt=now):
        if row.submitting_at is None:
            unsent = rows.filter(attempts=row.attempts, submitting_at=None)
            wished = unsent.filter(cancel_requested_at__isnull=False)
            if wished.move(row.pk, State.DISPATCHING, State.CANCELLED):
                continue
            swept.requeued += unsent.move(
                row.pk,
                State.DISPATCHING,
                State.QUEUED,
                next_check_at=now,
                claimed_at=None,
                claims=F("claims"),
            )
        else:
            swept.unconfirmed += lost(row, "worker_died", "The worker ended while it was being sent.")
    waiting = rows.filter(status__in=[State.QUEUED, State.RUNNING, State.GATHERING])
    dead = waiting.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), claims__gte=DEADLY_CLAIMS, parked_at=None
    )
    swept.parked = dead.update(parked_at=now, lease_until=None, updated_at=now)
    for row in rows.filter(status=State.QUEUED, deadline_at__lt=now):
        swept.expired += rows.move(
            row.pk,
            State.QUEUED,
            State.FAILED,
            error_code="not_sent",
            error_message="It waited for a week and was never sent. Nothing was charged.",
        )
    swept.woken = waiting.filter(next_check_at=None).update(next_check_at=now)
    _tidy_scratch()
    gather.finish_intents()
    if waiting.filter(parked_at=None).exists():
        queue.ring()
    return swept


def _follow_the_clock(now: datetime) -> None:
    """Beats, and puts deadlines off by the time in which nobody swept.

    They count the time in which the portal works, so a clock that jumps ahead, or a worker that was away, ends nothing.
    After one that jumped back they come as much later, but what was to be looked at is looked at now. Of two who sweep
    at once one does it.
    """
    last = Heartbeat.last("sweep")
    with transaction.atomic():
        if last is None:
            Heartbeat.beat("sweep", holder="sweep")
            return
        mine = Heartbeat.objects.filter(name="sweep", beat_at=last).update(beat_at=now, holder="sweep")
        live = Generation.objects.filter(status__in=ACTIVE)
        if mine and now - last > JUMP:
            live.filter(deadline_at__isnull=False).update(
                deadline_at=F("deadline_at") + (now - last), overdue_at=None
            )
        if mine and last - now > JUMP:
            live.filter(next_check_at__gt=now).update(next_check_at=now)
            # What is being sent keeps its lease: whoever sends it may be alive, and else it is only asked about later.
            live.exclude(status=State.DISPATCHING).filter(lease_until__gt=last).update(lease_until=now)


def _mend_times(now: datetime) -> None:
    """Takes back what a clock that ran ahead has written, so that nothing waits for that time to come."""
    far = now + LONGEST_WAIT
    live = Generation.objects.filter(status__in=ACTIVE)
    live.filter(lease_until__gt=far).update(lease_until=now - timedelta(seconds=1))
    live.filter(next_check_at__gt=far).update(next_check_at=now)
    Connection.objects.filter(full_until__gt=far).update(full_until=None)
    Connection.objects.filter(next_check_at__gt=far).update(next_check_at=now)
    for questions in (AccountAnswer, Lora, PriceCheck, TeamModel):
        questions.objects.filter(lease_until__gt=far).update(lease_until=None)
        questions.objects.filter(asked_at__gt=far).update(asked_at=now)
    for questions in (AccountAnswer, PriceCheck):
        questions.objects.filter(wanted_at__gt=far).update(wanted_at=now)


def _tidy_scratch() -> None:
    """Removes pieces of downloads that a killed worker left behind."""
    limit = time.time() - SCRATCH_LIVES
    for part in gather.scratch().iterdir():
        with contextlib.suppress(FileNotFoundError):  # its copy was finished in this moment
            if part.suffix != gather.INTENT and part.is_file() and part.stat().st_mtime < limit:
                part.unlink(missing_ok=True)
