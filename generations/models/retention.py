"""Rules by which a team lets old things go."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User


class RetentionRule(models.Model):
    """What is older than so many days, and fits the rest of the rule, goes to the trash. Off until it is turned on.

    `larger_than` are bytes stored, `status` is a state in which things end, `kind` a kind of model; empty means any.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="retention_rules")
    older_than_days = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(36500)])
    larger_than = models.PositiveBigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12, blank=True)
    kind = models.CharField(max_length=12, blank=True)
    is_on = models.BooleanField(default=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    looked_at = models.DateTimeField(null=True)
    looked_id = models.UUIDField(null=True)
    """The last row it has looked at, where it has not come to the end yet."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(older_than_days__gte=1), name="retention_keeps_a_day")
        ]

    def __str__(self) -> str:
        return f"older than {self.older_than_days} days"
