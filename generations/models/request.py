"""What a member asks their managers for when a limit refused."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Measure, Membership, MoneyField, Period, Scope, Team, User
from generations.models.draft import Draft
from generations.models.ids import uuid7


class AllowanceRequest(models.Model):
    """More of one limit, asked for with a reason; `draft` is the form that waits for it.

    `scope` is `pool`, or `member` for any limit that is not the pool's. `granted` is what was given, which need not be
    what was asked, and `answer` what the manager said. It leaves `open` once: every change is conditional on it.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        GRANTED = "granted", "Granted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="allowance_requests")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="allowance_requests")
    scope = models.CharField(max_length=8, choices=[(s.value, s.label) for s in (Scope.POOL, Scope.MEMBER)])
    measure = models.CharField(max_length=10, choices=Measure)
    period = models.CharField(max_length=8, choices=Period)
    amount = MoneyField()
    reason = models.CharField(max_length=500)
    model = models.CharField(max_length=160, blank=True)
    draft = models.ForeignKey(Draft, on_delete=models.SET_NULL, null=True, related_name="+")
    resets_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    granted = MoneyField(null=True)
    from_now_on = models.BooleanField(default=False)
    answer = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "scope", "measure", "period"],
                condition=Q(state="open"),
                name="asked_once_at_a_time",
            )
        ]
        indexes = [
            models.Index(fields=["team", "state", "-id"], name="request_of_team"),
            models.Index(fields=["membership", "-id"], name="request_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.measure} per {self.period}: {self.state}"

    def settle(self, state: State, **changes: Any) -> bool:
        """Leaves `open`. False: somebody else was first."""
        rows = AllowanceRequest.objects.filter(pk=self.pk, state=self.State.OPEN)
        return rows.update(state=state, decided_at=timezone.now(), **changes) == 1
