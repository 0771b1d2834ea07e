"""Where everybody in a team stands with their limits, by a fixed number of queries however many people there are.

The same sums as `quota.standing`, which asks for one person under a lock; here they are for looking at, with what of
the use is only held, and for limits or a clock that nobody has saved yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum

from accounts.models import Action, Allowance, Measure, Membership, Period, Scope, Team
from generations import quota
from generations.models import ACTIVE, Connection, Generation, database_now
from generations.quota import USES_A_RUN, ZERO, Line

HELD = Q(status__in=ACTIVE, cost_actual=None)


@dataclass
class _Use:
    """One author's sums by period, or those of all together."""

    spent: dict[str, Decimal] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    running: int = 0

    def add(self, other: _Use) -> None:
        for period, amount in other.spent.items():
            self.spent[period] = self.spent.get(period, ZERO) + amount
            self.held[period] = self.held.get(period, ZERO) + other.held[period]
            self.runs[period] = self.runs.get(period, 0) + other.runs[period]
        self.running += other.running

    def of(self, row: Allowance) -> Decimal:
        if row.measure == Measure.CONCURRENT:
            return Decimal(self.running)
        if row.measure == Measure.COUNT:
            return Decimal(self.runs.get(row.period, 0))
        return self.spent.get(row.period, ZERO)


@dataclass(frozen=True)
class Standing:
    """One person, or the pool, with the limits in force. `held` is by period what of the use is not settled yet."""

    membership: Membership | None
    lines: Sequence[Line]
    held: dict[str, Decimal]

    def wins(self, measure: Measure) -> Line | None:
        """The limit of this measure that refuses first: of those that block, the one that leaves the least, and of
        equals the one that starts anew last.
        """
        return winner([line for line in self.lines if line.measure == measure])


def winner(lines: Iterable[Line]) -> Line | None:
    """Of these limits the one that refuses first."""
    blocking = [line for line in lines if line.action == Action.BLOCK]
    return min(blocking, key=lambda line: (line.limit - line.used, -_seconds(line.resets_at)), default=None)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else float("inf")


@dataclass(frozen=True)
class Standings:
    pool: Standing
    people: Sequence[Standing]

    def of(self, membership: Membership) -> Standing:
        return next(one for one in self.people if one.membership == membership)


def everybody(
    team: Team,
    memberships: Sequence[Membership],
    now: datetime | None = None,
    rows: Sequence[Allowance] | None = None,
) -> Standings:
    """The pool and each of these members. `rows` are the limits of the team if they were these, and `team` may have
    another time zone than is stored.
    """
    rows = list(team.allowances.all()) if rows is None else rows
    now = now or database_now()
    uses, together = _uses(team, [row for row in rows if row.limit is not None], now)
    granted = quota.grants(team, now)
    bounds = {period: period.bounds(now, team.zone) for period in Period}

    def lines(chosen: Iterable[Allowance], use: _Use, more: dict[str, Decimal]) -> list[Line]:
        return [quota.line(row, use.of(row), bounds, more) for row in chosen]

    nobody = Membership(team=team)
    pool = lines(
        [row for row in Allowance.in_force(rows, nobody) if row.scope == Scope.POOL],
        together,
        granted.get(None, {}),
    )
    people = []
    for one in memberships:
        use = uses.get(one.user_id, _Use())
        own = [row for row in Allowance.in_force(rows, one) if row.scope != Scope.POOL]
        mine = lines(own, use, granted.get(one.pk, {}))
        people.append(Standing(one, quota.in_order([*mine, *pool]), use.held))
    return Standings(Standing(None, quota.in_order(pool), together.held), people)


def _uses(team: Team, rows: Sequence[Allowance], now: datetime) -> tuple[dict[int, _Use], _Use]:
    """The sums that these limits need, by user, and of all receipts of the team."""
    receipts = Generation.objects.filter(team=team).order_by()
    found: dict[int, _Use] = {}
    periods = sorted({Period(row.period) for row in rows if row.measure != Measure.CONCURRENT})
    if periods:
        starts = [period.bounds(now, team.zone)[0] for period in periods]
        since = [start for start in starts if start]
        dated = receipts.filter(created_at__gte=min(since)) if len(since) == len(starts) else receipts
        for row in dated.values(user=F("author")).annotate(**_sums(team, periods, now)):
            sums: dict[str, Any] = dict(row)
            use = found.setdefault(row["user"], _Use())
            for period in periods:
                use.spent[period] = sums[f"spent_{period}"] or ZERO
                use.held[period] = sums[f"held_{period}"] or ZERO
                use.runs[period] = sums[f"runs_{period}"]
    if any(row.measure == Measure.CONCURRENT for row in rows):
        running = receipts.filter(status__in=ACTIVE).values(user=F("author")).annotate(n=Count("id"))
        for row in running:
            found.setdefault(row["user"], _Use()).running = row["n"]
    together = _Use()
    for use in found.values():
        together.add(use)
    return found, together


def _sums(team: Team, periods: Sequence[Period], now: datetime) -> dict[str, Any]:
    same = Q(currency=Connection.of(team).currency)
    sums: dict[str, Any] = {}
    for period in periods:
        start, end = period.bounds(now, team.zone)
        within = Q(created_at__gte=start, created_at__lt=end) if start else Q()
        sums[f"spent_{period}"] = Sum("cost_counted", filter=within & same)
        sums[f"held_{period}"] = Sum("cost_counted", filter=within & same & HELD)
        sums[f"runs_{period}"] = Count("id", filter=USES_A_RUN & within)
    return sums
