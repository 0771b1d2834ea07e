"""What the doctor found when it last looked at what a page cannot reach."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import User


class Examination(models.Model):
    """One look of the worker at the keys, the storage, the clocks and the public address, asked for by a person.

    `findings` are those of `generations.doctor` as plain values; None until the worker is done.
    """

    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    begun_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    findings = models.JSONField(null=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"asked {self.asked_at:%Y-%m-%d %H:%M}"
