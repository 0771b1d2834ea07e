"""Allowance minus use. One question, asked by `pipeline.accept` under the lock of team and membership.

Usage is always a sum over the receipts of a period; there is no counter that could drift and nothing to give back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Action, Allowance, Measure, Membership, Period, Scope, Team
from generations.models import ACTIVE, Connection, Generation, database_now

ZERO = Decimal(0)

# A failed or cancelled generation that cost nothing does not use up one of a limited number.
USES_A_RUN = ~Q(status__in=["failed", "cancelled"]) | Q(cost_counted__gt=0)


@dataclass(frozen=True)
class Line:
    """One limit in force, with what is used of it. Money for `spend`, whole numbers else."""

    scope: Scope
    measure: Measure
    period: Period
    limit: Decimal
    used: Decimal
    action: Action
    resets_at: datetime | None

    @property
    def left(self) -> Decimal:
        return max(ZERO, self.limit - self.used)

    @property
    def share(self) -> int:
        """Used percent of the limit, 0 to 100."""
        return 100 if self.limit <= 0 else int(min(Decimal(100), 100 * self.used / self.limit))

    @property
    def name(self) -> str:
        """How answers name this limit, such as `member_spend_week`."""
        owner = "team" if self.scope == Scope.POOL else "member"
        return "_".join(part for part in (owner, self.measure, self.period) if part != Period.NONE)

    def refuses(self, cost: Decimal | None) -> bool:
        """Whether one more generation of this cost does not fit. An unknown cost fits while anything is left."""
        if self.measure != Measure.SPEND:
            return self.used + 1 > self.limit
        if cost is None:
            return self.used >= self.limit
        return cost > 0 and self.used + cost > self.limit

    def plus(self, cost: Decimal | None) -> Line:
        """The same limit after one more generation of this cost."""
        return replace(self, used=self.used + ((cost or ZERO) if self.measure == Measure.SPEND else 1))


class QuotaExceeded(Exception):
    """A limit refuses. `line` is the one to name: the tightest, and of equals the one that resets last."""

    def __init__(self, lines: Sequence[Line], cost: Decimal | None, currency: str) -> None:
        never = datetime.max.replace(tzinfo=timezone.get_default_timezone())
        self.line = min(lines, key=lambda line: (line.left, -(line.resets_at or never).timestamp()))
        self.lines = tuple(lines)
        self.cost = cost
        self.currency = currency
        super().__init__(f"{self.line.name} refuses")


def ask(membership: Membership, cost: Decimal | None, currency: str, now: datetime) -> list[Line]:
    """May this member make one more generation of this cost? Gives the limits that only warn and are passed.

    The caller holds the locks of team and membership. Raises `QuotaExceeded` with every limit that refuses.
    """
    refusing = [line for line in standing(membership, now) if line.refuses(cost)]
    blocking = [line for line in refusing if line.action == Action.BLOCK]
    if blocking:
        raise QuotaExceeded(blocking, cost, currency)
    return refusing


@dataclass(frozen=True)
class Room:
    """How many of several generations fit one after the other: `fit`, of the cost `cost` together.

    `refusing` are the limits that stop the next one, empty when all fit; `warning` those that are passed and only warn.
    """

    fit: int
    cost: Decimal
    refusing: Sequence[Line] = ()
    warning: Sequence[Line] = ()


def room(lines: Iterable[Line], costs: Sequence[Decimal | None]) -> Room:
    """What asking for each of these costs in turn would come to, from limits as they stand."""
    lines, total = list(lines), ZERO
    warned: dict[str, Line] = {}
    for place, cost in enumerate(costs):
        refusing = [line for line in lines if line.refuses(cost)]
        blocking = [line for line in refusing if line.action == Action.BLOCK]
        if blocking:
            return Room(place, total, blocking, tuple(warned.values()))
        warned |= {line.name: line for line in refusing}
        lines = [line.plus(cost) for line in lines]
        total += cost or ZERO
    return Room(len(costs), total, (), tuple(warned.values()))


def standing(membership: Membership, now: datetime | None = None) -> list[Line]:
    """Every limit in force for this member with its use, the member's own before the team's, shortest period first.

    Days, weeks and months are those of the database's clock, whichever process asks.
    """
    rows = Allowance.in_force(membership.team.allowances.all(), membership)
    if not rows:
        return []
    now = now or database_now()
    receipts = Generation.objects.filter(team=membership.team_id)
    lines = measure(
        receipts.filter(author=membership.user_id),
        [r for r in rows if r.scope != Scope.POOL],
        membership.team,
        now,
    )
    lines += measure(receipts, [r for r in rows if r.scope == Scope.POOL], membership.team, now)
    order = {word: place for place, word in enumerate([*Measure, *Period])}
    return sorted(lines, key=lambda line: (line.scope == Scope.POOL, order[line.measure], order[line.period]))


def measure(
    receipts: QuerySet[Generation], rows: Iterable[Allowance], team: Team, now: datetime
) -> list[Line]:
    """The use of these allowances over `receipts`, by one query however many they are.

    Limits on spending are in the currency of the connection that the team uses, and only receipts in it count: sums
    of two currencies would be neither. `connections.use` therefore changes the currency only of a team without such
    limits.
    """
    rows = list(rows)
    if not rows:
        return []
    spends = any(row.measure == Measure.SPEND for row in rows)
    same = Q(currency=Connection.of(team).currency) if spends else Q()
    starts: list[datetime | None] = []
    sums: dict[str, Any] = {}
    for place, row in enumerate(rows):
        start, end = Period(row.period).bounds(now, team.zone)
        within = Q(created_at__gte=start, created_at__lt=end) if start else Q()
        if row.measure == Measure.SPEND:
            sums[f"n{place}"] = Sum("cost_counted", filter=within & same)
        elif row.measure == Measure.COUNT:
            sums[f"n{place}"] = Count("id", filter=USES_A_RUN & within)
        else:
            sums[f"n{place}"] = Count("id", filter=Q(status__in=ACTIVE))
        starts.append(start if row.measure != Measure.CONCURRENT else None)
    if all(starts):
        receipts = receipts.filter(created_at__gte=min(start for start in starts if start))
    elif all(row.measure == Measure.CONCURRENT for row in rows):
        receipts = receipts.filter(status__in=ACTIVE)
    used = receipts.aggregate(**sums)
    return [
        Line(
            scope=Scope(row.scope),
            measure=Measure(row.measure),
            period=Period(row.period),
            limit=row.limit or ZERO,
            used=Decimal(used[f"n{place}"] or 0),
            action=Action(row.action),
            resets_at=Period(row.period).bounds(now, team.zone)[1],
        )
        for place, row in enumerate(rows)
    ]
