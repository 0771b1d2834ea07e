"""Orders that a limit refused and that are sent by themselves when it starts anew."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from accounts.models import Membership, Team
from generations.models.draft import Draft
from generations.models.generation import Generation
from generations.models.ids import uuid7


class HeldOrder(models.Model):
    """A form that goes through the door once, at `due_at` or soon after. It is no generation: nothing is held or
    counted before. `params` are texts and references as the form posted them.

    It leaves `waiting` once, in the transaction that takes or refuses the order. What was refused again or withdrawn
    is kept as `draft`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TAKEN = "taken", "Sent"
        REFUSED = "refused", "Refused again"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="held_orders")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="held_orders")
    model = models.CharField(max_length=160)
    title = models.CharField(max_length=200, blank=True)
    once = models.CharField(max_length=200, blank=True)
    """The key of the form it came from: sent twice, it is held once."""
    params = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    settled_at = models.DateTimeField(null=True)
    generation = models.ForeignKey(Generation, on_delete=models.SET_NULL, null=True, related_name="+")
    draft = models.ForeignKey(Draft, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "once"],
                condition=~models.Q(once="") & ~models.Q(state="withdrawn"),
                name="held_once",
            )
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="held_due"),
            models.Index(fields=["membership", "-id"], name="held_of_member"),
        ]

    def __str__(self) -> str:
        return self.title or self.model

    def settle(self, state: State, **changes: Any) -> bool:
        """Leaves `waiting`. False: somebody else was first."""
        rows = HeldOrder.objects.filter(pk=self.pk, state=self.State.WAITING)
        return rows.update(state=state, settled_at=timezone.now(), **changes) == 1

    def keep(self) -> Draft:
        """Its form as a draft of the member, ready to be sent by hand."""
        return Draft.objects.create(
            team_id=self.team_id,
            author_id=self.membership.user_id,
            model=self.model,
            title=self.title,
            params=self.params,
        )
