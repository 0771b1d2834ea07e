"""Top-ups: what a manager, or a rule of the team, lets somebody use above their limits for a while."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import audit
from accounts.models.allowance import Measure
from accounts.models.money import MoneyField
from accounts.models.team import Membership, Team
from accounts.models.user import User


class TopUp(models.Model):
    """While `from_at` ≤ now < `until_at`, and until it is revoked, every limit of this measure is higher by `amount`:
    the member's (their own row, or the default for them), or the pool's where `membership` is None.

    Each such limit in each of its periods, so ¥5 until Friday is ¥5 more a day under a limit per day and ¥5 more in
    the week under one per week. A request fits if what was used in the period, and it, are at most the limit and the
    top-ups in force at this moment; so nothing beyond limit + top-ups is ever taken. Afterwards the limit alone counts
    again: what was used above it stays used, and simply refuses until the period is over. A top-up of a member raises
    neither the pool nor the cap that the member set themself, and there is none for how much runs at the same time.
    `granted_by` is None where the rule of the team took it from the pool, for the one generation `for_order`; when that
    used nothing in the end, neither does its top-up count. `idempotency_key` is what whoever granted it named it by, so
    that asking twice grants once, and `request_digest` tells what was asked for under it.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="topups")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="topups", null=True)
    measure = models.CharField(max_length=10, choices=Measure)
    amount = MoneyField()
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    for_order = models.UUIDField(null=True, editable=False)
    idempotency_key = models.CharField(max_length=200, blank=True, editable=False)
    request_digest = models.CharField(max_length=64, blank=True, editable=False)
    granted_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="topup_adds"),
            models.CheckConstraint(condition=Q(until_at__gt=F("from_at")), name="topup_lasts"),
            models.CheckConstraint(condition=Q(measure__in=["spend", "count"]), name="topup_of_what_adds_up"),
            models.UniqueConstraint(
                fields=["team", "granted_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="topup_once_per_key",
            ),
        ]
        indexes = [models.Index(fields=["team", "until_at"], name="topup_in_force")]

    def __str__(self) -> str:
        return f"{self.amount} {self.measure} until {self.until_at:%Y-%m-%d %H:%M}"

    @classmethod
    def in_force(cls, team: Team, now: datetime) -> models.QuerySet[TopUp]:
        """Those that count at this moment, of the pool and of all members."""
        return cls.objects.filter(team=team, from_at__lte=now, until_at__gt=now, revoked_at=None)

    @classmethod
    def grant(
        cls,
        team: Team,
        *,
        membership: Membership | None,
        measure: Measure,
        amount: Decimal,
        from_at: datetime,
        until_at: datetime,
        reason: str = "",
        by: User | None,
        idempotency_key: str = "",
        request_digest: str = "",
    ) -> TopUp:
        """Raises `ValueError` with a sentence when it makes no sense. The audit trail gets it with the row."""
        if measure not in (Measure.SPEND, Measure.COUNT):
            raise ValueError("There is no top-up for how much runs at the same time.")
        if not amount.is_finite() or amount <= 0 or amount >= Decimal(10) ** 12:
            raise ValueError("A top-up is more than nothing.")
        if measure == Measure.COUNT and amount != amount.to_integral_value():
            raise ValueError("A top-up of generations is a whole number.")
        if until_at <= from_at:
            raise ValueError("A top-up ends after it begins.")
        with transaction.atomic():
            topup = cls.objects.create(
                team=team,
                membership=membership,
                measure=measure,
                amount=amount,
                from_at=from_at,
                until_at=until_at,
                reason=reason[:300],
                granted_by=by,
                idempotency_key=idempotency_key,
                request_digest=request_digest,
            )
            audit.note(
                "topup.granted",
                team=team,
                by=by,
                subject="" if membership else "the pool",
                person=membership.user if membership else None,
                after={"measure": measure.value, "amount": amount, "from": from_at, "until": until_at},
                reason=reason,
            )
        return topup

    @classmethod
    def end_spending(cls, team: Team) -> None:
        """Ends those of money, whose amounts would mean something else in another currency."""
        now = timezone.now()
        rows = cls.objects.filter(team=team, measure=Measure.SPEND, until_at__gt=now, revoked_at=None)
        for topup in rows.select_related("team", "membership__user"):
            topup.revoke(None)

    def revoke(self, by: User | None) -> bool:
        """Ends it now. False when somebody did already, or when it is over."""
        now = timezone.now()
        with transaction.atomic():
            rows = TopUp.objects.filter(pk=self.pk, revoked_at=None, until_at__gt=now)
            if rows.update(revoked_at=now, revoked_by=by) != 1:
                return False
            audit.note(
                "topup.revoked",
                team=self.team,
                by=by,
                subject="" if self.membership else "the pool",
                person=self.membership.user if self.membership else None,
                before={"measure": self.measure, "amount": self.amount, "until": self.until_at},
            )
        return True
