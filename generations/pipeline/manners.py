"""Manners: how many calls this process may make to each connection now, whichever thread makes them."""

from __future__ import annotations

from django.conf import settings

from generations.models import Connection
from generations.pipeline import pacing

_calls: dict[int, pacing.Politeness] = {}


def polite(connection: Connection) -> pacing.Politeness:
    """How many calls this process may make now; `settings.CALLS_PER_SECOND` or what follows of slots."""
    rate = pacing.calls_a_second(connection.slots, settings.CALLS_PER_SECOND)
    known = _calls.setdefault(connection.pk, pacing.Politeness(rate))
    known.per_second = rate
    return known
