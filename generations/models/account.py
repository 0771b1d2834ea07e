"""What an account at RunningHub said of itself when it was asked last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from generations.models.connection import Connection

LEASE = timedelta(minutes=3)
"""Longer than its three questions may take."""
SOON = timedelta(seconds=10)
"""An answer as young as this is not asked for again."""


class AccountAnswer(models.Model):
    """The account of a connection in its own words: `said` holds a part for each question that was answered.

    `account`, `queue` and `keys`, as the replies of the client with numbers as text, and under `faults` a sentence for
    each question that was not. Nobody relies on any of it: RunningHub documents little of this, so a part or a field
    that is not there is only not shown. Of a key no more than its end is in it.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="account")
    wanted_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    said = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.connection_id}, asked {self.asked_at}"

    @property
    def is_wanted(self) -> bool:
        return self.wanted_at is not None

    @classmethod
    def of(cls, connection: Connection) -> AccountAnswer | None:
        return cls.objects.filter(connection=connection).first()

    @classmethod
    def want(cls, connection: Connection) -> bool:
        """Has it asked. False when it is being asked already, or was a moment ago."""
        now = timezone.now()
        row, made = cls.objects.get_or_create(connection=connection, defaults={"wanted_at": now})
        old = Q(asked_at=None) | Q(asked_at__lt=now - SOON)
        return made or cls.objects.filter(old, pk=row.pk, wanted_at=None).update(wanted_at=now) == 1

    def take(self) -> bool:
        """The right to ask, for a while."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rows = type(self).objects.filter(free, pk=self.pk, wanted_at__isnull=False)
        return rows.update(lease_until=now + LEASE) == 1

    def answered(self, said: dict[str, Any]) -> None:
        """What it said just now. A question that found no answer keeps what was known, beside the sentence why."""
        known = {name: part for name, part in self.said.items() if name in said.get("faults", {})}
        now = timezone.now()
        rows = type(self).objects.filter(pk=self.pk)
        rows.update(said={**known, **said}, asked_at=now, wanted_at=None, lease_until=None)
