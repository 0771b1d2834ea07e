"""Signs of life in numbers: what readiness, metrics and the doctor look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from generations import disk, queue
from generations.models import ACTIVE, Connection, Generation, Heartbeat, State
from generations.models.ids import since

WORKER_SILENT = 180.0
DUE_FOR = 300.0
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Vitals:
    """Ages in seconds, sizes in bytes. `worker_age` is None when no worker was ever seen.

    `paused` says whether the shared connection is, `paused_own` how many of the teams' own are.
    """

    states: dict[str, int]
    oldest_due: float
    worker_age: float | None
    messages: int
    disk_free: int
    paused: bool
    paused_own: int
    slots: int
    parked: int
    found: dict[str, int]
    """How the ends of the last day were noticed, "poll" or "webhook", where a webhook was asked for."""

    @property
    def is_silent(self) -> bool:
        """Whether the worker should have shown itself and did not."""
        waiting = sum(self.states.get(state, 0) for state in ACTIVE if state != State.UNCONFIRMED)
        return waiting > 0 if self.worker_age is None else self.worker_age > WORKER_SILENT

    @property
    def is_late(self) -> bool:
        return self.oldest_due > DUE_FOR

    @property
    def disk_low(self) -> bool:
        """Whether nothing new is taken or sent for want of room."""
        return self.disk_free < settings.MIN_FREE_BYTES

    @property
    def complaints(self) -> list[str]:
        """What a person should look at, a sentence each; empty when all is well."""
        found = []
        if self.is_silent:
            found.append("The worker is silent. Start `manage.py worker`.")
        if self.is_late:
            found.append(f"A generation is due since {self.oldest_due:.0f} s. Look at the worker's log.")
        if self.disk_low:
            found.append(f"Only {self.disk_free // 1024**2} MB are free where results are stored. Make room.")
        if self.paused:
            found.append("Sending is paused. The Team page says why and resumes it.")
        return found


def vitals() -> Vitals:
    """Measured now, by a handful of small queries."""
    now = timezone.now()
    rows = Generation.objects.filter(status__in=ACTIVE)
    states = dict(rows.order_by().values_list("status").annotate(Count("id")))
    connection = Connection.current()
    due = rows.filter(status__in=[State.RUNNING, State.GATHERING], parked_at=None, next_check_at__lte=now)
    oldest = due.aggregate(oldest=Min("next_check_at"))["oldest"]
    beat = Heartbeat.last("worker")
    own = Connection.objects.filter(team__isnull=False, removed_at=None)
    return Vitals(
        states={state.value: states.get(state.value, 0) for state in ACTIVE},
        oldest_due=(now - oldest).total_seconds() if oldest else 0.0,
        worker_age=(now - beat).total_seconds() if beat else None,
        messages=queue.waiting(),
        disk_free=disk.free(),
        paused=connection.paused_at is not None,
        paused_own=own.filter(paused_at__isnull=False).count(),
        slots=connection.slots,
        found=_found(now),
        parked=rows.filter(parked_at__isnull=False).count(),
    )


def _found(now: datetime) -> dict[str, int]:
    ended = Generation.objects.filter(pk__gte=since(now - A_DAY)).exclude(found_by="")
    counted = dict(ended.order_by().values_list("found_by").annotate(Count("id")))
    return {by: counted.get(by, 0) for by in ("poll", "webhook")}
