"""Teams, and who is in them with which role."""

from __future__ import annotations

import zoneinfo
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from accounts.models.user import User
from accounts.roles import TABLE, Deed, Role


def check_time_zone(name: str) -> None:
    """Raises `ValidationError` unless `name` is a zone such as Europe/Berlin."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is no time zone; write one such as Europe/Berlin.")


HEAVIEST = 10
"""The largest weight of a team."""


class Team(models.Model):
    """People who share a library and a pool of money. Periods of its allowances follow its time zone.

    `weight`: of the slots for which teams compete, one of weight 2 gets two for each one of a team of weight 1. Only
    whoever runs the portal changes it (`manage.py set_weight`), because it takes from other teams. `member_slots` is
    how many generations of one member may be at RunningHub at once; more of theirs wait. None: as many as there is
    room for. With `pool_draw` a member whose own limit refuses may take what is missing from the pool at once.
    """

    class UnknownPrice(models.TextChoices):
        REFUSE = "refuse", "Refuse"
        ALLOW = "allow", "Allow"

    slug = models.SlugField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use small letters, digits and single hyphens.")
        ],
    )
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    unknown_price = models.CharField(max_length=8, choices=UnknownPrice, default=UnknownPrice.REFUSE)
    needs_second_factor = models.BooleanField(default=False)
    pool_draw = models.BooleanField(default=False)
    weight = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(HEAVIEST)]
    )
    member_slots = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Membership(models.Model):
    """One user in one team. Ended memberships stay, because receipts name their people.

    `heir` is who decides about the generations of somebody who left; None: the managers alone.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    heir = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    MANAGING: ClassVar[frozenset[Role]] = TABLE[Deed.MANAGE]
    GENERATING: ClassVar[frozenset[Role]] = TABLE[Deed.GENERATE]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    def may(self, deed: Deed) -> bool:
        """Whether the role table lets this member do that, while they are in the team."""
        return self.ended_at is None and self.role in TABLE[deed]

    @property
    def may_manage(self) -> bool:
        """May change members and allowances."""
        return self.may(Deed.MANAGE)

    @property
    def may_generate(self) -> bool:
        return self.may(Deed.GENERATE)
