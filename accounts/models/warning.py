"""Which warnings about limits were given."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models.team import Team


class LimitWarning(models.Model):
    """One warning about one limit, given once in a period. Whoever inserts the row tells; a second worker cannot.

    `limit` names whose limit it is and which, such as `pool spend month` or `12 count day`; `threshold` is the share
    in percent, or 0 for unusual spending. `period_start` is the start of the period, and of time for what has none.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    limit = models.CharField(max_length=60)
    period_start = models.DateTimeField()
    threshold = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "limit", "period_start", "threshold"], name="warned_once_a_period"
            )
        ]

    def __str__(self) -> str:
        return f"{self.limit} at {self.threshold}"

    @classmethod
    def first(cls, team: Team, limit: str, period_start: datetime, threshold: int) -> bool:
        """Notes it. False when it was noted before, by whichever process."""
        which = {"team": team, "limit": limit, "period_start": period_start, "threshold": threshold}
        if cls.objects.filter(**which).exists():
            return False
        try:
            with transaction.atomic():
                cls.objects.create(**which)
        except IntegrityError:
            return False
        return True
