"""The trash: what is thrown away stays for 30 days and can be restored; its receipt stays for ever.

Nothing here removes anything. `pipeline.purge` does, from `purge_at` on.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from generations.keeping.fields import put
from generations.models import OVER, Alteration, Generation
from generations.models.generation import GenerationQuerySet

LIVES = timedelta(days=30)


def trashable(rows: GenerationQuerySet) -> GenerationQuerySet:
    """Those of them that can be thrown away: over, not there yet, and not what a voice is heard by."""
    return rows.filter(status__in=OVER, trashed_at=None, made_voice=None, voice_sample=None)


def trash(rows: GenerationQuerySet, by: User) -> Alteration | None:
    """Throws away those that can be. What is running, or makes the sound of a voice, stays where it is."""
    now = timezone.now()
    values = {"trashed_at": now, "trashed_by_id": by.pk, "purge_at": now + LIVES}
    chosen = list(trashable(rows).values_list("pk", flat=True))
    still = Generation.objects.filter(pk__in=chosen, status__in=OVER, trashed_at=None)
    return put(still, by, "trash", values)


def restore(rows: GenerationQuerySet) -> int:
    """Takes out of the trash what was not begun to be removed; gives how many."""
    there = rows.filter(trashed_at__isnull=False, purged_at=None)
    return there.update(trashed_at=None, trashed_by=None, purge_at=None, updated_at=timezone.now())


def empty(rows: GenerationQuerySet) -> int:
    """Has what is in the trash removed with the next sweep and not after its 30 days; gives how many."""
    now = timezone.now()
    with transaction.atomic():
        there = rows.filter(purge_at__isnull=False, purged_at=None, purge_at__gt=now)
        return there.update(purge_at=now, updated_at=now)
