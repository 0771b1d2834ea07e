"""Models of a team's own: AI apps and ComfyUI workflows that its managers brought in.

A model has versions of its form, and only ever gets more of them: a generation names the one it was made with, so what
is settled anew later does not change what was asked for then.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.db import models
from django.utils import timezone

from accounts.models import Team, User, sealed

PREFIXES = {"app": "ai-app", "workflow": "workflow"}
SLUG = re.compile(r"(?:ai-app|workflow)--[0-9a-f]{10}")
_PURPOSE = "passwords of apps and workflows"


class TeamModel(models.Model):
    """An AI app or a workflow, `upstream` being its id on the `site` ("" where the address is none that is known).

    `number` is the version of its form that is in use, None while nobody settled one. What was fetched and not yet
    looked at stands in `found`: `title` and `facts`, as `catalogue.described` has them; `state` tells how the fetching
    stands and `sentence` why it failed. One that is not `offered` runs no more, its generations stay readable.
    """

    class Source(models.TextChoices):
        APP = "app", "AI app"
        WORKFLOW = "workflow", "ComfyUI workflow"

    class State(models.TextChoices):
        WAITING = "waiting", "Being fetched"
        FOUND = "found", "To be looked at"
        FAILED = "failed", "Could not be fetched"
        SETTLED = "settled", "Settled"

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="own_models")
    slug = models.CharField(max_length=40, unique=True)
    source = models.CharField(max_length=8, choices=Source)
    upstream = models.CharField(max_length=80)
    site = models.CharField(max_length=2, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    offered = models.BooleanField(default=True)
    sealed_password = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    sentence = models.TextField(blank=True)
    found = models.JSONField(null=True, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "source", "upstream", "site"], name="own_model_once"),
        ]

    def __str__(self) -> str:
        return self.slug

    @staticmethod
    def new_slug(source: str) -> str:
        """A name that no other model of any team has; RunningHub's id is no such name, since teams may share an app."""
        return f"{PREFIXES[source]}--{secrets.token_hex(5)}"

    @property
    def password(self) -> str:
        """What opens a protected workflow, "" for one that is not. Raises `sealed.Unreadable`."""
        if not self.sealed_password:
            return ""
        return sealed.unseal(_PURPOSE, self.sealed_password).removeprefix(f"{self.slug}\n")

    def seal(self, password: str) -> str:
        """The password as it is stored, for this model only."""
        return sealed.seal(_PURPOSE, f"{self.slug}\n{password}") if password else ""

    @property
    def needs_sealing(self) -> bool:
        """Whether the password is sealed with a former secret key, and can be read."""
        if not self.sealed_password or sealed.is_up_to_date(_PURPOSE, self.sealed_password):
            return False
        try:
            return bool(self.password)
        except sealed.Unreadable:
            return False


class TeamModelForm(models.Model):
    """One version of the form: `data` as `catalogue.own` reads it, and the `facts` upstream told when it was settled.

    Never changed and never deleted.
    """

    model = models.ForeignKey(TeamModel, on_delete=models.PROTECT, related_name="forms")
    number = models.PositiveIntegerField()
    data = models.JSONField()
    facts = models.JSONField(default=list)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="own_form_once")]

    def __str__(self) -> str:
        return f"{self.model_id}, version {self.number}"

    @property
    def title(self) -> str:
        told: Any = self.data.get("title", "")
        return str(told)
