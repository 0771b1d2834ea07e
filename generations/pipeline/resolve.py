"""Resolve: a manager's word on what the program may not decide.

An unconfirmed generation was sent and its answer was lost. Only a person who looked at RunningHub's call record (or
a webhook that names the task) can say what became of it.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from generations import queue
from generations.models import Generation, State

LATE_AFTER = timedelta(hours=1)
"""A task that was named by mistake is late then, and takes no slot any more."""


class TaskTaken(Exception):
    """This upstream id already belongs to another generation."""


def attach(generation: Generation, upstream_id: str) -> bool:
    """The task exists: follow it from now on. False when the generation is not unconfirmed any more.

    Raises `TaskTaken`. Nothing is believed about the task; the next query tells how it stands.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            moved = Generation.objects.move(
                generation.pk,
                State.UNCONFIRMED,
                State.RUNNING,
                upstream_id=upstream_id,
                dispatched_at=generation.submitting_at or now,
                next_check_at=now,
                deadline_at=now + LATE_AFTER,
                overdue_at=None,
                error_code="",
                error_message="",
            )
            if moved:
                queue.ring()
    except IntegrityError:
        raise TaskTaken from None
    return moved


def release(generation: Generation) -> bool:
    """The task never came to be, or nobody wants to wait: the hold ends, nothing was charged as far as we know."""
    return Generation.objects.move(
        generation.pk,
        State.UNCONFIRMED,
        State.FAILED,
        error_code="released",
        error_message="The answer of RunningHub was lost, and a manager released the hold. It was not sent again.",
    )


def unpark(generation: Generation) -> bool:
    """Lets the worker try a parked generation again."""
    now = timezone.now()
    rows = Generation.objects.filter(pk=generation.pk, parked_at__isnull=False)
    with transaction.atomic():
        done = rows.update(parked_at=None, claims=0, lease_until=None, next_check_at=now, updated_at=now) == 1
        if done:
            queue.ring()
    return done
