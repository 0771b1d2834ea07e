"""Which monthly reports were sent."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Team


class MonthlyReport(models.Model):
    """The report of one month, by its first day, was sent to the managers of a team: once, whoever finds it due."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="monthly_reports")
    month = models.DateField()
    sent_at = models.DateTimeField(default=timezone.now)
    told = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "month"], name="one_report_a_month")]

    def __str__(self) -> str:
        return f"{self.team}, {self.month:%B %Y}"
