"""Examine: the worker looks at what a page cannot reach, and writes down what it found."""

from __future__ import annotations

from django.utils import timezone

from generations.doctor import away
from generations.models import Examination

KEPT = 20


def examine(pk: int) -> bool:
    """One examination that was asked for; false when another worker has begun it. Only the latest are kept."""
    now = timezone.now()
    if not Examination.objects.filter(pk=pk, begun_at=None).update(begun_at=now):
        return False
    found = [finding.plain() for finding in away.findings()]
    Examination.objects.filter(pk=pk).update(done_at=timezone.now(), findings=found)
    old = list(Examination.objects.values_list("pk", flat=True)[KEPT:])
    Examination.objects.filter(pk__in=old).delete()
    return True
