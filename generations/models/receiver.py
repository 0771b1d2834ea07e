"""Where a team has its changes sent, and what became of each sending.

The rows are the truth: a delivery is written in the transaction that gives its change a number, and stays `waiting`
until a receiver took it or its time is over, whoever dies in between.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User, sealed

_PURPOSE = "secrets of receivers"
SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins


def new_secret() -> str:
    """192 random bits as the Standard Webhooks have them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


class Receiver(models.Model):
    """An address that hears of the `events` of a team. The secret that signs is kept sealed.

    `failing_since` is the first failure after the last success, `faults` how many there were since, `resume_at` when it
    is tried again. While `disabled_at` is set nothing is kept for it; `disabled_for` is `failing` where the portal did
    that. A removed one stays for its log.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="receivers")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    sealed_secret = models.TextField(editable=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    failing_since = models.DateTimeField(null=True)
    faults = models.PositiveIntegerField(default=0)
    resume_at = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_for = models.CharField(max_length=8, blank=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["team"], condition=Q(removed_at=None), name="receiver_of_team")]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """Raises `sealed.Unreadable` when the secret key of the portal is another one than when it was made."""
        return sealed.unseal(_PURPOSE, self.sealed_secret)

    def keep(self, secret: str) -> None:
        """Puts the secret into the row, which is not saved yet."""
        self.sealed_secret = sealed.seal(_PURPOSE, secret)

    @property
    def state(self) -> str:
        """`open`, `failing` or `disabled`."""
        if self.disabled_at is not None:
            return "disabled"
        return "failing" if self.failing_since is not None else "open"

    @classmethod
    def listening(cls) -> models.QuerySet[Receiver]:
        """Those that are told now."""
        return cls.objects.filter(disabled_at=None, removed_at=None)


class Delivery(models.Model):
    """One change on its way to one receiver; `body` is the very text that is signed and sent.

    `event_id` is the same however often it is sent, so that a receiver knows what it has seen. Of one receiver and one
    `subject` the next is sent when the one before is over, in the order of `id`. `tries` are the last ones, newest
    first: time, status, and what was wrong.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        GIVEN_UP = "given_up", "Given up"

    receiver = models.ForeignKey(Receiver, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField(default=uuid.uuid4)
    event = models.CharField(max_length=40)
    number = models.PositiveBigIntegerField(null=True)
    subject = models.UUIDField(null=True)
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    tries = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["receiver", "-id"], name="delivery_of_receiver"),
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["receiver", "subject", "state", "id"], name="delivery_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.receiver_id}: {self.state}"

    def settle(self, lease: datetime | None, **changes: Any) -> bool:
        """Writes what came of a try, if the lease is still the one that it was made under."""
        rows = Delivery.objects.filter(pk=self.pk, state=self.State.WAITING, lease_until=lease)
        return rows.update(lease_until=None, **changes) == 1
