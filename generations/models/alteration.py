"""What somebody changed about several generations at once, so that it can be taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models import Team, User
from generations.models.ids import uuid7


class AlterationQuerySet(models.QuerySet["Alteration"]):
    def open_of(self, team: Team, user: User) -> AlterationQuerySet:
        """Those of this person that can still be taken back."""
        rows = self.filter(team=team, by=user, undone_at=None)
        return rows.filter(created_at__gt=timezone.now() - Alteration.LIVES)


class Alteration(models.Model):
    """One deed: for each row what was and what is now, as JSON. `what` names the kind, see `keeping.undo`.

    It is taken back once, by whoever did it, within LIVES; after that only the sweep looks at it.
    """

    LIVES: ClassVar[timedelta] = timedelta(days=1)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=20)
    rows = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    undone_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Alteration]] = AlterationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.what} of {len(self.rows)}"
