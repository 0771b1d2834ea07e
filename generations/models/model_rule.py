"""Which models are for whom in a team, as its managers set it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Team, User

if TYPE_CHECKING:
    from collections.abc import Iterable


class ModelRule(models.Model):
    """Who may use one model, the models of one kind, or all others. The narrowest counts; without any, everybody may.

    `name` is a slug or a kind, "" for all. `roles` and `people` (ids of memberships) count for their audience only.
    """

    class Scope(models.TextChoices):
        ALL = "all", _("All models")
        KIND = "kind", _("One kind")
        MODEL = "model", _("One model")

    class Audience(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        ROLES = "roles", _("Some roles")
        PEOPLE = "people", _("Some people")
        NOBODY = "nobody", _("Nobody")

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="model_rules")
    scope = models.CharField(max_length=5, choices=Scope)
    name = models.CharField(max_length=200, blank=True)
    audience = models.CharField(max_length=8, choices=Audience)
    roles = models.JSONField(default=list)
    people = models.JSONField(default=list)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "scope", "name"], name="model_rule_once")]

    def __str__(self) -> str:
        return f"{self.name or 'all models'} of {self.team_id}: {self.audience}"

    def lets(self, membership: Membership) -> bool:
        """Whether this rule lets the member use what it is about; their role is asked elsewhere."""
        if self.audience == self.Audience.ROLES:
            return membership.role in self.roles
        if self.audience == self.Audience.PEOPLE:
            return membership.pk in self.people
        return self.audience == self.Audience.EVERYONE

    @staticmethod
    def narrowest(rules: Iterable[ModelRule], slug: str, kind: str) -> ModelRule | None:
        """Of the rules of a team the one that counts for this model."""
        found = {(rule.scope, rule.name): rule for rule in rules}
        places = ((ModelRule.Scope.MODEL, slug), (ModelRule.Scope.KIND, kind), (ModelRule.Scope.ALL, ""))
        return next((found[place] for place in places if place in found), None)
