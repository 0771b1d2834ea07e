"""Allowance plus top-ups minus use. One question, asked by `pipeline.accept` under the lock of team and membership.

Usage is always a sum over the receipts of a period; there is no counter that could drift and nothing to give back.
The sums walk an index that holds all they need, from the start of the longest period on: limits cost as much as the
receipts of the running period, however long the history is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, ExpressionWrapper, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import (
    Action,
    Allowance,
    ApiToken,
    Measure,
    Membership,
    MoneyField,
    Period,
    Scope,
    Team,
    TopUp,
)
from generations.models import ACTIVE, Connection, Generation, counted_cost, database_now

ZERO = Decimal(0)

COUNTED = ExpressionWrapper(counted_cost(), output_field=MoneyField())

# A failed or cancelled generation that cost nothing does not use up one of a limited number, nor does an import, which
# has no currency.
USES_A_RUN = (~Q(status__in=["failed", "cancelled"]) | Q(cost_actual__gt=0)) & ~Q(currency="")


@dataclass(frozen=True)
class Line:
    """One limit in force, with what is used of it. Money for `spend`, whole numbers else.

    `limit` is what counts now; `granted` of it are top-ups.
    """

    scope: Scope
    measure: Measure
    period: Period
    limit: Decimal
    used: Decimal
    action: Action
    resets_at: datetime | None
    granted: Decimal = ZERO

    @property
    def base(self) -> Decimal:
        """The limit without top-ups."""
        return self.limit - self.granted

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
        owner = {Scope.POOL: "team", Scope.OWN: "own", Scope.TOKEN: "token"}.get(self.scope, "member")
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


def ask(
    membership: Membership, cost: Decimal | None, currency: str, now: datetime, token: ApiToken | None = None
) -> list[Line]:
    """May this member, through this token, make one more generation of this cost? Gives the limits that only warn and
    are passed.

    The caller holds the locks of team and membership. Raises `QuotaExceeded` with every limit that refuses.
    """
    refusing = [line for line in standing(membership, now, token) if line.refuses(cost)]
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


def standing(
    membership: Membership, now: datetime | None = None, token: ApiToken | None = None
) -> list[Line]:
    """Every limit in force for this member with its use, the member's own before the team's, shortest period first;
    with a `token` also those of its own.

    Days, weeks and months are those of the database's clock, whichever process asks.
    """
    rows = Allowance.in_force(membership.team.allowances.all(), membership)
    of_token = token.limits() if token is not None else []
    if not rows and not of_token:
        return []
    now = now or database_now()
    receipts = Generation.objects.filter(team=membership.team_id)
    through = measure(receipts.filter(token=token), of_token, membership.team, now)
    if not rows:
        return in_order(through)
    granted = grants(membership.team, now)
    pool = [row for row in rows if row.scope == Scope.POOL]
    lines = measure(
        receipts.filter(author=membership.user_id),
        [row for row in rows if row.scope != Scope.POOL],
        membership.team,
        now,
        granted.get(membership.pk, {}),
    )
    lines += measure(receipts, pool, membership.team, now, granted.get(None, {}))
    return in_order([*through, *lines])


def in_order(lines: Iterable[Line]) -> list[Line]:
    """The member's own before the team's, shortest period first."""
    order = {word: place for place, word in enumerate([*Measure, *Period])}
    return sorted(lines, key=lambda line: (line.scope == Scope.POOL, order[line.measure], order[line.period]))


def grants(team: Team, now: datetime) -> dict[int | None, dict[str, Decimal]]:
    """What the top-ups of this moment add, by membership (None: the pool) and measure.

    What was drawn for a generation that was cancelled, or failed at no cost, adds nothing any more.
    """
    found: dict[int | None, dict[str, Decimal]] = {}
    rows = list(TopUp.in_force(team, now).order_by())
    orders = [topup.for_order for topup in rows if topup.for_order]
    unused = Generation.objects.filter(pk__in=orders).exclude(USES_A_RUN)
    void = set(unused.values_list("pk", flat=True)) if orders else set()
    for topup in rows:
        if topup.for_order in void:
            continue
        mine = found.setdefault(topup.membership_id, {})
        mine[topup.measure] = mine.get(topup.measure, ZERO) + (topup.amount or ZERO)
    return found


def measure(
    receipts: QuerySet[Generation],
    rows: Iterable[Allowance],
    team: Team,
    now: datetime,
    granted: Mapping[str, Decimal] | None = None,
) -> list[Line]:
    """The use of these allowances over `receipts`, by at most two queries however many they are: what runs at the same
    time is found by its state and not by its date.

    Limits on spending are in the currency of the connection that the team uses, and only receipts in it count: sums
    of two currencies would be neither. `connections.use` therefore changes the currency only of a team without such
    limits.
    """
    rows = list(rows)
    if not rows:
        return []
    spends = any(row.measure == Measure.SPEND for row in rows)
    same = Q(currency=Connection.of(team).currency) if spends else Q()
    bounds = {period: period.bounds(now, team.zone) for period in Period}
    adding = {f"n{n}": row for n, row in enumerate(rows) if row.measure != Measure.CONCURRENT}
    spans = {bounds[Period(row.period)] for row in adding.values()}
    starts = [start for start, _ in spans if start]
    ends = [end for _, end in spans if end]
    # The receipts of all the periods together; what no limit narrows further needs no condition in its sum.
    whole = (min(starts), max(ends)) if spans and len(starts) == len(spans) else (None, None)
    sums: dict[str, Any] = {}
    for name, row in adding.items():
        start, end = span = bounds[Period(row.period)]
        within = Q(created_at__gte=start, created_at__lt=end) if span != whole else Q()
        if row.measure == Measure.SPEND:
            sums[name] = Sum(COUNTED, filter=within & same)
        else:
            sums[name] = Count("created_at", filter=within & USES_A_RUN)
    used: dict[str, Any] = {}
    if sums:
        dated = (
            receipts
            if whole[0] is None
            else receipts.filter(created_at__gte=whole[0], created_at__lt=whole[1])
        )
        used = dated.aggregate(**sums)
    if len(adding) < len(rows):
        running = receipts.filter(status__in=ACTIVE).count()
        used |= {f"n{n}": running for n, row in enumerate(rows) if row.measure == Measure.CONCURRENT}
    return [line(row, Decimal(used[f"n{n}"] or 0), bounds, granted or {}) for n, row in enumerate(rows)]


def line(
    row: Allowance,
    used: Decimal,
    bounds: Mapping[Period, tuple[datetime | None, datetime | None]],
    granted: Mapping[str, Decimal],
) -> Line:
    """This limit with its use and what was granted besides, which no cap of one's own follows."""
    more = ZERO if row.scope in (Scope.OWN, Scope.TOKEN) else granted.get(row.measure, ZERO)
    return Line(
        scope=Scope(row.scope),
        measure=Measure(row.measure),
        period=Period(row.period),
        limit=(row.limit or ZERO) + more,
        used=used,
        action=Action(row.action),
        resets_at=bounds[Period(row.period)][1],
        granted=more,
    )
