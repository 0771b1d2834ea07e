"""What happened in a team, one row after the other: what programs read and receivers are told.

A row is written in the transaction of what happened, without a number. Transactions do not end in the order in which
they began, so numbers given at writing would appear out of order, and whoever has read up to 8 would never see a 7 that
was committed later. Numbers are therefore given afterwards, by one at a time under the lock of the team's `Feed`, and
only to rows that are committed (`pipeline.announce`): what has a number never gets anything before it.

A generation changes its state by one UPDATE, which notes the time in `untold_at` of the row itself; the row of this
table is derived from that when numbers are given. What becomes of a generation between two such moments is one change.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User


class Feed(models.Model):
    """How far the changes of a team are numbered: up to `last`, and those up to `forgotten` are not kept any more."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, primary_key=True, related_name="feed")
    last = models.PositiveBigIntegerField(default=0)
    forgotten = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"changes of {self.team_id} up to {self.last}"


class Change(models.Model):
    """One thing that happened. `event` is such as `generation.finished`; `subject` is the id of what it happened to.

    `is_open` are those that everybody in the team may know; the others are for managers and for `person`, whom they
    are about. `data` holds no secrets, no params and no prompts.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="changes")
    number = models.PositiveBigIntegerField(null=True)
    event = models.CharField(max_length=40)
    subject = models.UUIDField(null=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    is_open = models.BooleanField(default=False)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "number"], condition=Q(number__isnull=False), name="change_numbered_once"
            )
        ]
        indexes = [
            models.Index(fields=["team"], condition=Q(number=None), name="change_without_number"),
            models.Index(fields=["at"], name="change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.subject}"

    @classmethod
    def note(
        cls,
        team: Team,
        event: str,
        subject: uuid.UUID | None = None,
        *,
        person: User | None = None,
        is_open: bool = False,
        **data: Any,
    ) -> None:
        """Writes down what happens in the transaction around this; it is told after its end, or never was."""
        cls.objects.create(team=team, event=event, subject=subject, person=person, is_open=is_open, data=data)
