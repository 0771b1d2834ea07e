"""LoRAs that the managers of a team gave RunningHub, for the inputs of RHLoraLoader."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Team, User
from generations.models.connection import Connection

LEASE = timedelta(seconds=250)
"""Longer than a task of the worker may take."""


class Lora(models.Model):
    """One file at the account of one connection. `file` is ours only until RunningHub has it.

    Being given while it waits. Then `upstream_name` is what an input takes, or `sentence` says why there is none.
    """

    SENT_WITHIN = 220.0
    """Seconds that sending one may take; the queue ends a task after 240."""

    class State(models.TextChoices):
        WAITING = "waiting", "Being given"
        GIVEN = "given", "At RunningHub"
        FAILED = "failed", "Not given"

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="loras")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=32)
    bytes = models.PositiveBigIntegerField()
    file = models.FileField(max_length=200, blank=True)
    upstream_name = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    sentence = models.TextField(blank=True)
    tries = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "connection", "digest"], name="lora_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def is_given(self) -> bool:
        return self.state == self.State.GIVEN

    def take(self) -> bool:
        """The right to give it, for a while."""
        now = timezone.now()
        rows = type(self).objects.filter(pk=self.pk, state=self.State.WAITING)
        free = rows.filter(Q(lease_until=None) | Q(lease_until__lt=now))
        return free.update(lease_until=now + LEASE, tries=F("tries") + 1) == 1

    def settle(self, *, upstream_name: str = "", sentence: str = "") -> bool:
        """What came of it; false where it does not wait any more."""
        state = self.State.GIVEN if upstream_name else self.State.FAILED
        rows = type(self).objects.filter(pk=self.pk, state=self.State.WAITING)
        return rows.update(state=state, upstream_name=upstream_name, sentence=sentence, lease_until=None) == 1
