"""The doorbell: the only module that knows django-q2.

The broker is the portal's own database, so ringing inside a transaction belongs to it: rolled back together, kept
together over a kill. A broker elsewhere would lose that; nothing else here relies on messages arriving, because the
sweep finds all work from the rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

WATCH = "generations.tasks.watch"
ANSWERED_AT_ONCE = 500
EVERY_MINUTE = {"sweep": "generations.tasks.sweep"}


def ring() -> None:
    """Wakes a watcher; it finds by itself what there is to do."""
    async_task(WATCH)


def answered() -> None:
    """Takes away the rings that wait for a watcher, because one is at work and looks for all there is to do.

    A thousand orders ring a thousand times, and each ring costs as much as a query; what else is in the queue would
    stand behind them. A ring is written with its order, so the order of each that is seen here is seen as well.
    """
    waiting = OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk")
    rings = [message.pk for message in waiting[:ANSWERED_AT_ONCE] if message.task.get("func") == WATCH]
    if rings:
        waiting.filter(pk__in=rings).delete()


def ring_copier() -> None:
    """Wakes a helper that copies results, while the watcher has more of them than it can."""
    async_task("generations.tasks.copy")


def ring_sweep() -> None:
    """Has lost work looked for now."""
    async_task("generations.tasks.sweep")


def ring_worker() -> None:
    """Asks any worker for a sign of life."""
    async_task("generations.tasks.beat")


def ring_alert(connection_id: int) -> None:
    """Has the managers told that a connection is paused."""
    async_task("generations.tasks.alert", connection_id)


def ring_inquiry() -> None:
    """Has the open questions to RunningHub asked now."""
    async_task("generations.tasks.inquire")


def ring_posters() -> None:
    """Has small pictures made of what came in."""
    async_task("generations.tasks.posters")


def ring_key(key_id: int) -> None:
    """Has a key tried that somebody entered."""
    async_task("generations.tasks.try_key", key_id)


def ring_account(connection_id: int) -> None:
    """Has an account asked what it is."""
    async_task("generations.tasks.ask_account", connection_id)


def ring_form(model_id: int) -> None:
    """Has it fetched what an app or a workflow asks for."""
    async_task("generations.tasks.describe", model_id)


def ring_lora(lora_id: int) -> None:
    """Has a LoRA given to RunningHub."""
    async_task("generations.tasks.lend", lora_id)


def ring_price_check(check_id: int) -> None:
    """Has RunningHub asked for a price."""
    async_task("generations.tasks.ask_price", check_id)


def ring_snapshots() -> None:
    """Has the accounts asked what they hold today."""
    async_task("generations.tasks.snapshot")


def ring_examination(examination_id: int) -> None:
    """Has the doctor look at what a page cannot reach."""
    async_task("generations.tasks.examine", examination_id)


def ring_deliver() -> None:
    """Has receivers told what they are to hear."""
    async_task("generations.tasks.deliver")


def schedules() -> dict[str, datetime | None]:
    """When each schedule that there should be ran last, by name; a name without a row is missing from it."""
    rows = Schedule.objects.filter(name__in=EVERY_MINUTE)
    return {row.name: _ran(row) for row in rows}


def _ran(row: Schedule) -> datetime | None:
    """A schedule says only when it is due next; one of every minute ran a minute before."""
    return row.next_run - timedelta(minutes=1) if row.next_run else None


def oldest_message() -> datetime | None:
    """When the message that lies longest in the queue was due."""
    found: datetime | None = OrmQ.objects.aggregate(oldest=Min("lock"))["oldest"]
    return found


def ensure_schedules() -> None:
    """Puts the schedules in place, once each however often this runs.

    The table of django-q2 takes two of one name, which workers that begin at the same moment may make; the next one
    to begin leaves one of them.
    """
    with transaction.atomic():
        for name, func in EVERY_MINUTE.items():
            what = {"func": func, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
            rows = Schedule.objects.filter(name=name)
            first = rows.order_by("pk").values_list("pk", flat=True).first()
            if first is None:
                Schedule.objects.create(name=name, **what)
            else:
                rows.exclude(pk=first).delete()
                rows.filter(pk=first).update(**what)


def waiting() -> int:
    """How many messages lie in the queue."""
    return int(OrmQ.objects.count())
