"""Sums over receipts: what was spent and made, by period, by day and model, by member.

Every function is one query, however many rows, members or models there are. Money is only summed in one currency, that
of the connection the team uses now; `elsewhere` tells what there is besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Membership, Period, Team
from generations.models import ACTIVE, Connection, Generation
from generations.quota import USES_A_RUN, ZERO

PERIODS = (Period.DAY, Period.WEEK, Period.MONTH)
ALL = tuple(Period)
ENDED_BADLY = Q(status__in=["failed", "cancelled"])
SETTLED = Q(cost_actual__isnull=False, cost_estimated__isnull=False)
HELD = Q(status__in=ACTIVE, cost_actual=None)


@dataclass(frozen=True)
class Total:
    """Money counted and generations that count, in one period."""

    spent: Decimal
    runs: int

    @property
    def average(self) -> Decimal | None:
        return self.spent / self.runs if self.runs else None


@dataclass(frozen=True)
class Summary:
    """One member's sums on the clock of the team.

    `held` is reserved for what is not settled, `unpriced` how many of this month cost an unknown amount,
    `estimated` and `actual` the two sides of the same settled receipts of this month.
    """

    day: Total
    week: Total
    month: Total
    held: Decimal
    holding: int
    unpriced: int
    estimated: Decimal
    actual: Decimal


@dataclass(frozen=True)
class Share:
    """What one model used on one day of the team's calendar. `free` ended badly and cost nothing."""

    day: date
    model: str
    spent: Decimal
    runs: int
    free: int


@dataclass(frozen=True)
class Use:
    """One member's sums as a manager sees them. `spent` and `runs` by period, `none` being ever."""

    spent: dict[str, Decimal]
    runs: dict[str, int]
    running: int


NOTHING = Use({str(period): ZERO for period in ALL}, {str(period): 0 for period in ALL}, 0)


def of(membership: Membership) -> QuerySet[Generation]:
    """The receipts of one member in their team."""
    return Generation.objects.filter(team=membership.team_id, author=membership.user_id)


def counted(team: Team) -> Q:
    """The receipts whose money is summed: those in the currency of the connection that the team uses."""
    return Q(currency=Connection.of(team).currency)


def elsewhere(rows: QuerySet[Generation], team: Team, days: int = 31) -> list[tuple[str, Decimal]]:
    """(currency, sum) of the last days' receipts in other currencies, which no other sum here counts."""
    since = timezone.now() - timedelta(days=days)
    others = rows.filter(team=team, created_at__gte=since, cost_counted__gt=0).exclude(counted(team))
    found = others.order_by("currency").values_list("currency").annotate(Sum("cost_counted"))
    return [(currency, amount) for currency, amount in found]


def summary(membership: Membership, now: datetime | None = None) -> Summary:
    """What the member spent and made in the running day, week and month, and what is on hold."""
    now = now or timezone.now()
    within = _within(membership.team, now)
    month, same = within[Period.MONTH], counted(membership.team)
    sums: dict[str, Any] = {
        "held": Sum("cost_estimated", filter=HELD & same),
        "holding": Count("id", filter=HELD & same & Q(cost_estimated__gt=0)),
        "unpriced": Count("id", filter=month & ~ENDED_BADLY & Q(cost_actual=None, cost_estimated=None)),
        "estimated": Sum("cost_estimated", filter=month & SETTLED & same),
        "actual": Sum("cost_actual", filter=month & SETTLED & same),
    }
    for period in PERIODS:
        sums[f"spent_{period}"] = Sum("cost_counted", filter=within[period] & same)
        sums[f"runs_{period}"] = Count("id", filter=within[period] & USES_A_RUN)
    got = _since(of(membership), membership.team, PERIODS, now).aggregate(**sums)
    day, week, month_total = (Total(got[f"spent_{p}"] or ZERO, got[f"runs_{p}"]) for p in PERIODS)
    return Summary(
        day=day,
        week=week,
        month=month_total,
        held=got["held"] or ZERO,
        holding=got["holding"],
        unpriced=got["unpriced"],
        estimated=got["estimated"] or ZERO,
        actual=got["actual"] or ZERO,
    )


def daily(
    membership: Membership, days: int = 30, now: datetime | None = None
) -> tuple[list[date], list[Share]]:
    """The last `days` dates up to today on the team's calendar, and what each model used on each of them."""
    zone = membership.team.zone
    today = (now or timezone.now()).astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    rows = (
        of(membership)
        .filter(created_at__gte=datetime.combine(dates[0], time(), zone))
        .annotate(day=TruncDate("created_at", tzinfo=zone))
        .values("day", "model")
        .annotate(
            spent=Sum("cost_counted", filter=counted(membership.team)),
            runs=Count("id", filter=USES_A_RUN),
            free=Count("id", filter=ENDED_BADLY & Q(cost_counted=0)),
        )
        .order_by("day", "model")
    )
    return dates, [Share(r["day"], r["model"], r["spent"] or ZERO, r["runs"], r["free"]) for r in rows]


def by_member(
    team: Team, periods: Sequence[Period] = (Period.MONTH,), now: datetime | None = None
) -> dict[int, Use]:
    """What each author of the team used in these periods, by user id. Who used nothing may be missing."""
    rows = _since(Generation.objects.filter(team=team), team, periods, now)
    grouped = rows.order_by().values(user=F("author")).annotate(**_sums(team, periods, now))
    return {row["user"]: _use(dict(row), periods) for row in grouped}


def of_one(membership: Membership, now: datetime | None = None) -> Use:
    """What one member used, in every period."""
    return _use(of(membership).aggregate(**_sums(membership.team, ALL, now)), ALL)


def of_team(team: Team, now: datetime | None = None) -> Use:
    """What the whole team used, in every period."""
    return _use(Generation.objects.filter(team=team).aggregate(**_sums(team, ALL, now)), ALL)


def _sums(team: Team, periods: Sequence[Period], now: datetime | None) -> dict[str, Any]:
    within = _within(team, now or timezone.now())
    sums: dict[str, Any] = {"running": Count("id", filter=Q(status__in=ACTIVE))}
    same = counted(team)
    for period in periods:
        bound = within[period]
        sums[f"spent_{period}"] = Sum("cost_counted", filter=bound & same)
        sums[f"runs_{period}"] = Count("id", filter=bound & USES_A_RUN)
    return sums


def _since(
    rows: QuerySet[Generation], team: Team, periods: Sequence[Period], now: datetime | None
) -> QuerySet[Generation]:
    """Only rows that can matter: those of the earliest period, and what runs whenever it was ordered."""
    starts = [period.bounds(now or timezone.now(), team.zone)[0] for period in periods]
    if not all(starts):
        return rows
    return rows.filter(Q(created_at__gte=min(start for start in starts if start)) | Q(status__in=ACTIVE))


def _use(row: dict[str, Any], periods: Sequence[Period]) -> Use:
    return Use(
        {str(period): row[f"spent_{period}"] or ZERO for period in periods},
        {str(period): row[f"runs_{period}"] for period in periods},
        row["running"],
    )


def _within(team: Team, now: datetime) -> dict[Period, Q]:
    """The condition that a receipt belongs to the period around `now`; empty for ever."""
    conditions = {}
    for period in Period:
        start, end = period.bounds(now, team.zone)
        conditions[period] = Q(created_at__gte=start, created_at__lt=end) if start else Q()
    return conditions
