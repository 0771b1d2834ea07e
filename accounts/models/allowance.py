"""Limits: how much a team or a member may use per period."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import Q

from accounts.models import audit
from accounts.models.money import MoneyField
from accounts.models.team import Membership, Team
from accounts.models.user import User

if TYPE_CHECKING:
    from collections.abc import Iterable


class Measure(models.TextChoices):
    SPEND = "spend", "Spend"
    COUNT = "count", "Generations"
    CONCURRENT = "concurrent", "At the same time"


class Period(models.TextChoices):
    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"
    NONE = "none", "Ever"

    def bounds(self, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """The start (included) and end (excluded) of the period around `now`, on the clock of `zone`.

        Days begin at local midnight, weeks on Monday, months on the first. `none` has no bounds.
        """
        if self is Period.NONE:
            return None, None
        today = now.astimezone(zone).date()
        if self is Period.DAY:
            first, after = today, today + timedelta(days=1)
        elif self is Period.WEEK:
            first = today - timedelta(days=today.weekday())
            after = first + timedelta(days=7)
        else:
            first = today.replace(day=1)
            after = (first + timedelta(days=32)).replace(day=1)
        return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


class Scope(models.TextChoices):
    POOL = "pool", "Team pool"
    DEFAULT = "default", "Team default for members"
    MEMBER = "member", "One member"
    OWN = "own", "A member's own cap"
    TOKEN = "token", "A token's own limit"


class Mode(models.TextChoices):
    INHERIT = "inherit", "Inherit"
    LIMITED = "limited", "Limit"
    UNLIMITED = "unlimited", "No limit"


class Action(models.TextChoices):
    BLOCK = "block", "Refuse"
    WARN = "warn", "Only warn"


class Allowance(models.Model):
    """One limit of one measure and period, for the pool, as default for members, or for one member.

    `limit` is money for `spend` and a whole number for the others; it is empty unless the mode is `limited`.
    A row with mode `inherit` says the same as no row. A row of scope `own` is a cap that a member set for themself: it
    binds besides the others, so it can only tighten, and no grant raises it. Scope `token` is that of
    `ApiToken.limits`, which are never stored here.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="allowances")
    scope = models.CharField(max_length=8, choices=Scope)
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="allowances", null=True, blank=True
    )
    measure = models.CharField(max_length=10, choices=Measure)
    period = models.CharField(max_length=8, choices=Period)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.LIMITED)
    limit = MoneyField(null=True, blank=True)
    action = models.CharField(max_length=8, choices=Action, default=Action.BLOCK)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "scope", "measure", "period"],
                condition=Q(membership=None),
                name="allowance_of_team_once",
            ),
            models.UniqueConstraint(
                fields=["membership", "scope", "measure", "period"],
                condition=Q(membership__isnull=False),
                name="allowance_of_member_once",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=["member", "own"], membership__isnull=False)
                | (~Q(scope__in=["member", "own"]) & Q(membership=None)),
                name="allowance_scope_fits",
            ),
            models.CheckConstraint(
                condition=Q(mode="limited", limit__isnull=False, limit__gte=0)
                | (~Q(mode="limited") & Q(limit=None)),
                name="allowance_limit_fits",
            ),
            models.CheckConstraint(
                condition=~Q(measure="concurrent") | Q(period="none"),
                name="allowance_concurrent_has_no_period",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.measure} per {self.period}: {self.limit if self.mode == 'limited' else self.mode}"

    @property
    def subject(self) -> str:
        """Whose limit on what, as the audit trail names it."""
        whose = self.membership.user.email if self.membership else Scope(self.scope).label
        each = "" if self.period == Period.NONE else f" per {Period(self.period).label.lower()}"
        return f"{whose}: {Measure(self.measure).label}{each}"

    @property
    def told(self) -> dict[str, str]:
        """What it says, as the audit trail keeps it."""
        limit = str(self.limit.normalize().__format__("f")) if self.limit is not None else str(self.mode)
        return {"limit": limit, "action": str(self.action)} if self.mode == Mode.LIMITED else {"limit": limit}

    @classmethod
    def put(
        cls,
        team: Team,
        *,
        scope: Scope,
        measure: Measure,
        period: Period,
        mode: Mode,
        limit: Decimal | None = None,
        action: Action = Action.BLOCK,
        membership: Membership | None = None,
        by: User | None = None,
        reason: str = "",
    ) -> None:
        """Sets this limit whatever was there before. Raises `ValueError` with a sentence when it makes no sense.

        The audit trail gets what differs, in the transaction of the change.
        """
        if mode == Mode.INHERIT and scope != Scope.MEMBER:
            raise ValueError("Only a member's own limit can inherit.")
        if measure == Measure.CONCURRENT and period != Period.NONE:
            raise ValueError("A limit on what runs at the same time has no period; use none.")
        if mode == Mode.LIMITED:
            if limit is None or not limit.is_finite() or limit < 0 or limit >= Decimal(10) ** 12:
                raise ValueError("A limit is a number from 0 up.")
            if measure != Measure.SPEND and limit != limit.to_integral_value():
                raise ValueError("A limit on generations is a whole number.")
        which: dict[str, Any] = {
            "team": team,
            "scope": scope,
            "membership": membership,
            "measure": measure,
            "period": period,
        }
        written = limit.normalize() + Decimal("0.00") if mode == Mode.LIMITED and limit is not None else None
        says: dict[str, Any] = {"mode": mode, "limit": written, "action": action}
        with transaction.atomic():
            was = cls.objects.filter(**which).first()
            row, _ = cls.objects.update_or_create(**which, defaults=says)
            absent = Mode.INHERIT if scope == Scope.MEMBER else Mode.UNLIMITED
            before = was.told if was else {"limit": absent.value}
            if before != row.told:
                audit.note(
                    "cap.changed" if scope == Scope.OWN else "allowance.changed",
                    team=team,
                    by=by,
                    subject=row.subject,
                    person=membership.user if membership else None,
                    before=before,
                    after=row.told,
                    reason=reason,
                )

    @staticmethod
    def in_force(rows: Iterable[Allowance], membership: Membership) -> list[Allowance]:
        """What binds this member: the pool, for each measure and period their own row, else the default, and the caps
        that they set themself.

        `rows` are the team's allowances. Unlimited ones are left out.
        """
        besides, default, own = [], {}, {}
        for row in rows:
            if row.scope == Scope.POOL or (row.scope == Scope.OWN and row.membership_id == membership.pk):
                besides.append(row)
            elif row.scope == Scope.DEFAULT:
                default[row.measure, row.period] = row
            elif (
                row.scope == Scope.MEMBER and row.membership_id == membership.pk and row.mode != Mode.INHERIT
            ):
                own[row.measure, row.period] = row
        return [row for row in [*{**default, **own}.values(), *besides] if row.mode == Mode.LIMITED]
