"""Keys to the REST API."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.allowance import Action, Allowance, Measure, Mode, Period, Scope
from accounts.models.money import MoneyField
from accounts.models.team import Membership
from accounts.models.user import User

PREFIX = "rhw_"


class Reach(models.TextChoices):
    """How far a token reaches. Every token reads; the others come on top, each for itself."""

    READ = "read", _("Read")
    GENERATE = "generate", _("Generate")
    MANAGE = "manage", _("Manage")


def everything() -> list[str]:
    return [str(one.value) for one in Reach]


def digest(token: str) -> str:
    """What is kept of a token. Plain SHA-256 is enough: a token has 256 random bits, unlike a password."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class ApiToken(models.Model):
    """A bearer token of one member of one team. The token itself is shown once and never kept.

    `scopes` are words of `Reach`: the token may what its member may by the role table, and of that only what its scopes
    reach. `spend_limit` and `count_limit` are what it may use per `period`; they bind besides the limits of the member,
    so they only tighten, and no top-up raises them.
    """

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, default="Command line")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=everything)
    spend_limit = MoneyField(null=True, blank=True)
    count_limit = models.PositiveIntegerField(null=True, blank=True)
    period = models.CharField(max_length=8, choices=Period, default=Period.MONTH)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.membership}"

    @classmethod
    def issue(
        cls,
        membership: Membership,
        name: str = "Command line",
        *,
        scopes: Iterable[str] | None = None,
        expires_at: datetime | None = None,
        spend_limit: Decimal | None = None,
        count_limit: int | None = None,
        period: str = Period.MONTH,
        by: User | None = None,
    ) -> str:
        """Makes a token and gives its text, for the only time. Without `scopes` it reaches everything."""
        token = PREFIX + secrets.token_urlsafe(32)
        wanted = set(everything() if scopes is None else scopes) | {Reach.READ}
        cls.objects.create(
            membership=membership,
            name=name,
            digest=digest(token),
            scopes=[one for one in everything() if one in wanted],
            expires_at=expires_at,
            spend_limit=spend_limit,
            count_limit=count_limit,
            period=period,
            made_by=by,
        )
        return token

    @classmethod
    def valid(cls) -> models.QuerySet[ApiToken]:
        """Those that open something now: neither revoked nor expired, of an active user who is still in the team."""
        return cls.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            revoked_at=None,
            membership__ended_at=None,
            membership__user__is_active=True,
        )

    @classmethod
    def find(cls, token: str) -> ApiToken | None:
        """The row of a valid token, else None."""
        rows = cls.valid().select_related("membership__team", "membership__user")
        return rows.filter(digest=digest(token)).first()

    def touch(self) -> None:
        """Notes the use, at most once a minute so that polling scripts do not write all the time."""
        now = timezone.now()
        if self.last_used_at is None or (now - self.last_used_at).total_seconds() > 60:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)

    def reaches(self, reach: Reach) -> bool:
        return reach in self.scopes

    @property
    def state(self) -> str:
        """`open`, `expired` or `revoked`; what ended with its membership was revoked then."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= timezone.now() else "open"

    def limits(self) -> list[Allowance]:
        """Its own limits as allowances that are not stored, for the one place where limits are asked."""
        wanted = {Measure.SPEND: self.spend_limit, Measure.COUNT: self.count_limit}
        return [
            Allowance(
                scope=Scope.TOKEN,
                measure=measure,
                period=self.period,
                mode=Mode.LIMITED,
                limit=Decimal(limit),
                action=Action.BLOCK,
            )
            for measure, limit in wanted.items()
            if limit is not None
        ]

    def revoke(self) -> bool:
        """From now on it opens nothing. False: it was revoked before."""
        rows = type(self).objects.filter(pk=self.pk, revoked_at=None)
        return rows.update(revoked_at=timezone.now()) == 1
