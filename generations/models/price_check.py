"""What RunningHub itself says that a generation would cost, asked before it is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import MoneyField, Team
from generations.models.connection import Connection

LEASE = timedelta(minutes=3)


class PriceCheck(models.Model):
    """One question about one model with these params on one connection. Nothing is held, sent or charged by it.

    Being asked while `wanted_at` is set. Then `amount` in `currency`, or None where no price was told and `fault` may
    say why; `said` is RunningHub's own sentence; `code` that of a refusal.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    model = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    params = models.JSONField()
    wanted_at = models.DateTimeField(null=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    amount = MoneyField(null=True)
    currency = models.CharField(max_length=10, blank=True)
    said = models.CharField(max_length=300, blank=True)
    is_free = models.BooleanField(null=True)
    free_left = models.PositiveIntegerField(null=True)
    fault = models.TextField(blank=True)
    code = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "connection", "digest"], name="price_checked_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.amount} {self.currency}"

    @property
    def is_wanted(self) -> bool:
        return self.wanted_at is not None

    @staticmethod
    def digest_of(model: str, params: Mapping[str, Any]) -> str:
        text = json.dumps([model, params], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def want(self) -> bool:
        """Has an answered question asked anew. False when it is being asked already."""
        rows = type(self).objects.filter(pk=self.pk, wanted_at=None)
        return rows.update(wanted_at=timezone.now(), lease_until=None) == 1

    def take(self) -> bool:
        """The right to ask, for a while."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        rows = type(self).objects.filter(free, pk=self.pk, wanted_at__isnull=False)
        return rows.update(lease_until=now + LEASE) == 1

    def let_go(self) -> None:
        """Somebody else may ask."""
        type(self).objects.filter(pk=self.pk).update(lease_until=None)

    def answered(self, **found: Any) -> None:
        """What came of it, in place of what was known."""
        nothing: dict[str, Any] = {"amount": None, "currency": "", "said": "", "is_free": None}
        nothing |= {"free_left": None, "fault": "", "code": ""}
        now = timezone.now()
        rows = type(self).objects.filter(pk=self.pk)
        rows.update(**{**nothing, **found}, asked_at=now, wanted_at=None, lease_until=None)
