"""Forms that are not sent yet, and settings kept for later."""

from __future__ import annotations

import math
import re
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Team, User
from generations.models.batch import Batch
from generations.models.ids import uuid7

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The same without characters and numbers that a database cannot hold, which no model takes either."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {storable(key): storable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    return value


class Draft(models.Model):
    """A form as a member left it: `params` as texts and references, valid or not.

    With `is_running` it is what the form of this model last held, saved while writing; there is one of each. Others
    are kept on purpose, or are the rest of a `batch` that a limit stopped: then `lines` are the texts still to do.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="drafts")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="drafts")
    model = models.CharField(max_length=160)
    title = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict)
    lines = models.JSONField(default=list)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="drafts")
    is_running = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "author", "model"], condition=Q(is_running=True), name="running_draft_once"
            )
        ]
        indexes = [models.Index(fields=["team", "author", "-updated_at"], name="draft_of_author")]

    def __str__(self) -> str:
        return self.title or self.model

    @classmethod
    def keep_running(cls, membership: Membership, model: str, params: dict[str, Any], title: str) -> None:
        """What the form of this model holds now, in place of what it held before."""
        fields = {"params": storable(params), "title": storable(title), "updated_at": timezone.now()}
        cls.objects.update_or_create(
            team_id=membership.team_id,
            author_id=membership.user_id,
            model=model,
            is_running=True,
            defaults=fields,
        )

    @classmethod
    def drop_running(cls, membership: Membership, model: str) -> None:
        """The form of this model was sent or emptied."""
        rows = cls.objects.filter(team=membership.team_id, author=membership.user_id, model=model)
        rows.filter(is_running=True).delete()


class Preset(models.Model):
    """Settings of a model under a name: a member's own, or `shared` with the team."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="presets")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="presets")
    model = models.CharField(max_length=160)
    name = models.CharField(max_length=80)
    params = models.JSONField(default=dict)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "model", "author", "name"], name="preset_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class PresetDefault(models.Model):
    """The preset a member begins with when they open the form of a model."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="preset_defaults")
    model = models.CharField(max_length=160)
    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "model"], name="default_preset_once")]

    def __str__(self) -> str:
        return f"{self.model}: {self.preset_id}"
