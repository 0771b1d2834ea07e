"""Cancel: a request, never a verdict.

A generation that was not sent ends at once and costs nothing. Any later, upstream is asked by the watcher, following
goes on, and only upstream's own word ends it: it may still finish and may still be charged.
"""

from __future__ import annotations

from django.utils import timezone

from generations import queue
from generations.models import ACTIVE, Generation, State


def cancel(generation: Generation) -> bool:
    """True when it ended now; false when it was already sent (the wish is noted) or is over."""
    if Generation.objects.move(generation.pk, State.QUEUED, State.CANCELLED):
        return True
    now = timezone.now()
    wished = Generation.objects.filter(pk=generation.pk, status__in=ACTIVE, cancel_requested_at=None).update(
        cancel_requested_at=now, updated_at=now
    )
    if wished:
        # A refused submit may have put it back in the queue between the two statements above.
        if Generation.objects.move(generation.pk, State.QUEUED, State.CANCELLED):
            return True
        Generation.objects.filter(pk=generation.pk, status=State.RUNNING).update(next_check_at=now)
        queue.ring()
    return False
