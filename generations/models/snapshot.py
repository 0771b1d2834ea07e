"""What an account at RunningHub held, day by day."""

from __future__ import annotations

from django.db import models

from accounts.models import MoneyField
from generations.models.connection import Connection


class AccountSnapshot(models.Model):
    """The account of a connection as it answered once on a day, by UTC. What it did not tell is None, or ""."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="snapshots")
    day = models.DateField()
    taken_at = models.DateTimeField()
    balance = MoneyField(null=True)
    coins = MoneyField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    running = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "day"], name="one_snapshot_a_day"),
        ]
        indexes = [models.Index(fields=["connection", "taken_at"], name="snapshots_in_order")]

    def __str__(self) -> str:
        return f"{self.connection} on {self.day}: {self.balance} {self.currency}"
