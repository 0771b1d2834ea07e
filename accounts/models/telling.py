"""How a person wants to be told of things: in the app or by mail, and when mails are to wait."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models.team import check_time_zone
from accounts.models.user import User

APP, MAIL = "app", "mail"
BOTH, APP_ONLY = frozenset({APP, MAIL}), frozenset({APP})
OTHER = "other"

EVENTS: Mapping[str, tuple[str | Promise, frozenset[str]]] = {
    "finished": (_("Something of yours is finished"), APP_ONLY),
    "failed": (_("Something of yours failed"), APP_ONLY),
    "asked": (_("Somebody asks for more"), BOTH),
    "granted": (_("You were granted more"), BOTH),
    "refused": (_("You were not granted what you asked for"), BOTH),
    "warned": (_("A limit is nearly or wholly used, or spending is unusual"), BOTH),
    "cleared": (_("A rule of the team moved something of yours to the trash"), APP_ONLY),
    "report": (_("The monthly report"), BOTH),
    OTHER: (_("Anything else that concerns you"), BOTH),
}
"""What one can be told of, in words, and how one is told without having chosen. Any other event counts as `other`."""


class Telling(models.Model):
    """The wishes of one person. `choices` holds for each event the ways that were chosen; what is missing is usual.

    Mails of the quiet hours wait for their end. They follow the clock of `time_zone`, may pass midnight, and there are
    none while both times are the same or missing.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="telling")
    choices = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return f"how {self.user_id} is told"

    @classmethod
    def of(cls, user: User) -> Telling:
        """The wishes of this person, the usual ones while they have none."""
        return cls.objects.filter(user=user).first() or cls(user=user)

    def ways(self, event: str) -> frozenset[str]:
        """By which ways the person is told of this: `app`, `mail`, both or none."""
        event = event if event in EVENTS else OTHER
        chosen: Any = self.choices.get(event)
        return frozenset(chosen) & BOTH if isinstance(chosen, list) else EVENTS[event][1]

    def quiet_end(self, now: datetime) -> datetime | None:
        """The end of the quiet hours that `now` lies in; None outside of them."""
        if self.quiet_from is None or self.quiet_until is None or self.quiet_from == self.quiet_until:
            return None
        zone = zoneinfo.ZoneInfo(self.time_zone)
        here = now.astimezone(zone)
        for ago in (1, 0):
            day = here.date() - timedelta(days=ago)
            over_midnight = self.quiet_from > self.quiet_until
            begins = _at(day, self.quiet_from, zone)
            ends = _at(day + timedelta(days=over_midnight), self.quiet_until, zone)
            if begins <= now < ends:
                return ends
        return None


def _at(day: Any, clock: time, zone: zoneinfo.ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone)
