"""After a backup was restored: what waited then may have been sent since, so nobody sends it again."""

from __future__ import annotations

from django.utils import timezone

from generations.models import ACTIVE, Generation, State
from generations.pipeline.dispatch import SETTLED_WITHIN

WORDS = (
    "It waited when the backup was made. Whether it was sent since is not known, so it was not sent again."
)


def doubt_unsent() -> int:
    """Makes everything that was not yet sent unconfirmed and looks at the rest now; gives how many are doubted.

    The hold stays until a manager names the task or gives it up, as with any lost answer.
    """
    now = timezone.now()
    unsent = Generation.objects.filter(status__in=[State.QUEUED, State.DISPATCHING])
    doubted = unsent.update(
        status=State.UNCONFIRMED,
        next_check_at=None,
        lease_until=None,
        deadline_at=now + SETTLED_WITHIN,
        error_code="restored",
        error_message=WORDS,
        updated_at=now,
    )
    running = Generation.objects.filter(status__in=ACTIVE).exclude(status=State.UNCONFIRMED)
    running.update(lease_until=None, next_check_at=now)
    return doubted
