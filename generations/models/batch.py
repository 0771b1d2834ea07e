"""Several generations ordered at once."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Team, User
from generations.models.ids import uuid7


class Batch(models.Model):
    """One order of several: the same thing some times, or one generation for each line of a text.

    `asked` is how many were wanted; those that a limit stopped are kept as a draft, not here.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="batches")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="batches")
    model = models.CharField(max_length=160)
    title = models.CharField(max_length=200)
    asked = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.title
