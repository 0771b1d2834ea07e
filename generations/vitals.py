"""Signs of life in numbers: what readiness, metrics and the doctor look at."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from generations import queue
from generations.models import ACTIVE, Connection, Generation, Heartbeat, State
from generations.models.ids import uuid7_of

WORKER_SILENT = 180.0
DUE_FOR = 300.0
A_DAY = timedelta(days=1)
DISK_LOW = 500 * 1024**2


@dataclass(frozen=True)
class Vitals:
    """Ages in seconds, sizes in bytes. `worker_age` is None when no worker was ever seen."""

    states: dict[str, int]
    oldest_due: float
    worker_age: float | None
    messages: int
    disk_free: int
    paused: bool
    slots: int
    parked: int
    found: dict[str, int]
    """How the ends of the last day were noticed, "poll" or "webhook", where a webhook was asked for."""

    @property
    def complaints(self) -> list[str]:
        """What a person should look at, a sentence each; empty when all is well."""
        found = []
        waiting = sum(self.states.get(state, 0) for state in ACTIVE if state != State.UNCONFIRMED)
        silent = waiting > 0 if self.worker_age is None else self.worker_age > WORKER_SILENT
        if silent:
            found.append("The worker is silent. Start `manage.py worker`.")
        if self.oldest_due > DUE_FOR:
            found.append(f"A generation is due since {self.oldest_due:.0f} s. Look at the worker's log.")
        if self.disk_free < DISK_LOW:
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
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    return Vitals(
        states={state.value: states.get(state.value, 0) for state in ACTIVE},
        oldest_due=(now - oldest).total_seconds() if oldest else 0.0,
        worker_age=(now - beat).total_seconds() if beat else None,
        messages=queue.waiting(),
        disk_free=shutil.disk_usage(settings.DATA_DIR).free,
        paused=connection.paused_at is not None,
        slots=connection.slots,
        found=_found(now),
        parked=rows.filter(parked_at__isnull=False).count(),
    )


def _found(now: datetime) -> dict[str, int]:
    ended = Generation.objects.filter(pk__gte=uuid7_of(now - A_DAY)).exclude(found_by="")
    counted = dict(ended.order_by().values_list("found_by").annotate(Count("id")))
    return {by: counted.get(by, 0) for by in ("poll", "webhook")}
