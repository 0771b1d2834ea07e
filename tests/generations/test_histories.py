"""Random histories of accepting, settling, failing, cancelling, granting, revoking and of time going by on a clock
that changes: what quota says is used is what plain Python adds up, and nothing is taken beyond limit and top-ups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Role, Scope, Team, TopUp
from generations import quota, standings
from generations.models import ACTIVE, Connection, Generation, State
from tests.conftest import MODEL, join
from tests.effort import tries
from tests.generations.test_quota import counted, in_period

money = st.decimals(min_value=0, max_value=9, places=2)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Apia", "Australia/Lord_Howe"]
BEGINNINGS = [
    datetime(2026, 3, 28, 20, tzinfo=UTC),  # the night in which Berlin skips an hour
    datetime(2026, 10, 24, 20, tzinfo=UTC),  # the night in which it has one twice
    datetime(2026, 11, 1, 3, tzinfo=UTC),  # the same in New York, where a month begins besides
    datetime(2026, 6, 28, 21, tzinfo=UTC),  # a Sunday at the end of a month
]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 1), st.one_of(st.none(), money)),
        st.tuples(st.just("ask"), st.integers(0, 1), money),
        st.tuples(st.just("settle"), st.integers(0, 30), money),
        st.tuples(st.just("end"), st.sampled_from([State.FAILED, State.CANCELLED]), st.integers(0, 30)),
        st.tuples(st.just("grant"), st.sampled_from([None, 0, 1]), st.integers(1, 60), st.booleans(), money),
        st.tuples(st.just("revoke"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.integers(1, 60 * 30)),
        st.tuples(st.just("zone"), st.sampled_from(ZONES)),
        st.tuples(st.just("limit"), st.sampled_from(["pool", "default", "own"]), st.integers(0, 20)),
    ),
    max_size=25,
)


@dataclass
class Receipt:
    who: int
    at: datetime
    estimated: Decimal | None
    actual: Decimal | None = None
    status: str = State.RUNNING
    row: Any = None


@dataclass
class Grant:
    to: int | None
    measure: Measure
    amount: Decimal
    since: datetime
    until: datetime
    row: Any = None


@dataclass
class World:
    """The same as the database, in plain Python."""

    people: tuple[Membership, Membership]
    now: datetime
    zone: str = "UTC"
    limits: dict[tuple[str, Measure, Period], Decimal] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)

    def used(self, who: int | None, measure: Measure, period: Period) -> Decimal:
        mine = [r for r in self.receipts if who is None or r.who == who]
        if measure == Measure.CONCURRENT:
            return Decimal(sum(r.status in ACTIVE for r in mine))
        mine = [r for r in mine if in_period(r.at, self.now, period, ZoneInfo(self.zone))]
        costs = [counted(r.status, r.estimated, r.actual) for r in mine]
        if measure == Measure.SPEND:
            return sum(costs, Decimal(0))
        ended = (State.FAILED, State.CANCELLED)
        return Decimal(sum(r.status not in ended or c > 0 for r, c in zip(mine, costs, strict=True)))

    def room(self, scope: str, who: int, measure: Measure) -> Decimal:
        if scope == "own":
            return Decimal(0)
        to = None if scope == "pool" else who
        live = [
            g for g in self.grants if g.to == to and g.measure == measure and g.since <= self.now < g.until
        ]
        return sum((g.amount for g in live), Decimal(0))

    def standing(self, who: int) -> dict[tuple[str, Measure, Period], tuple[Decimal, Decimal]]:
        """(limit with top-ups, used) of everything that binds this person."""
        return {
            (scope, measure, period): (
                limit + self.room(scope, who, measure),
                self.used(None if scope == "pool" else who, measure, period),
            )
            for (scope, measure, period), limit in self.limits.items()
            if scope != "own" or who == 0
        }

    def fits(self, who: int, cost: Decimal | None) -> bool:
        for (_scope, measure, _period), (limit, used) in self.standing(who).items():
            if measure != Measure.SPEND:
                if used + 1 > limit:
                    return False
            elif (used >= limit) if cost is None else (cost > 0 and used + cost > limit):
                return False
        return True


def put(world: World, scope: str, measure: Measure, period: Period, limit: Decimal) -> None:
    mine = {"membership": world.people[0]} if scope == "own" else {}
    team = world.people[0].team
    how: Any = {"measure": measure, "period": period, "mode": Mode.LIMITED, "limit": limit, **mine}
    Allowance.put(team, scope=Scope(scope), action=Action.BLOCK, **how)
    world.limits[scope, measure, period] = limit


def step(world: World, what: str, *how: Any) -> None:
    team = world.people[0].team
    if what == "wait":
        world.now += timedelta(minutes=how[0])
    elif what == "zone":
        world.zone = team.time_zone = how[0]
        world.people[1].team.time_zone = how[0]
        team.save()
    elif what == "limit":
        put(world, how[0], Measure.SPEND, Period.WEEK, Decimal(how[1]))
    elif what == "grant":
        to, hours, spends, amount = how
        measure = Measure.SPEND if spends else Measure.COUNT
        amount = amount if spends else Decimal(int(amount))
        if amount > 0:
            until = world.now + timedelta(hours=hours)
            row = TopUp.grant(
                team, membership=None if to is None else world.people[to], measure=measure, amount=amount,
                from_at=world.now, until_at=until, by=None,
            )  # fmt: skip
            world.grants.append(Grant(to, measure, amount, world.now, until, row))
    elif what == "revoke" and world.grants:
        one = world.grants.pop(how[0] % len(world.grants))
        TopUp.objects.filter(pk=one.row.pk).update(revoked_at=world.now)
    elif what in ("settle", "end") and world.receipts:
        _finish(world, what, how)
    elif what == "ask":
        _ask(world, *how)


def _finish(world: World, what: str, how: tuple[Any, ...]) -> None:
    one = world.receipts[how[0 if what == "settle" else 1] % len(world.receipts)]
    if one.status not in ACTIVE:
        return
    one.status = State.SUCCEEDED if what == "settle" else how[0]
    one.actual = how[1] if what == "settle" else None
    assert Generation.objects.move(one.row.pk, State.RUNNING, one.status, cost_actual=one.actual)


def _ask(world: World, who: int, cost: Decimal | None) -> None:
    member, wanted = world.people[who], world.fits(who, cost)
    before = world.standing(who)
    try:
        quota.ask(member, cost, "CNY", world.now)
        taken = True
    except quota.QuotaExceeded:
        taken = False
    assert taken == wanted
    if not taken:
        return
    row = Generation.objects.create(
        team=member.team, author=member.user, connection=Connection.current(), model=MODEL, kind="music", title="x",
        params={}, status=State.RUNNING, cost_estimated=cost, created_at=world.now,
    )  # fmt: skip
    world.receipts.append(Receipt(who, world.now, cost, row=row))
    for key, (limit, used) in world.standing(who).items():
        assert used <= limit or used == before[key][1], f"{key}: {used} of {limit}"


@pytest.fixture
def pair(db: None) -> tuple[Membership, Membership]:
    team = Team.objects.create(slug="money", name="Money")
    first = join(team, "first", Role.MEMBER)
    return first, join(team, "second", Role.MEMBER)


@pytest.mark.thorough
@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beginning=st.sampled_from(BEGINNINGS), zone=st.sampled_from(ZONES), history=steps)
def test_what_is_used_is_recomputed_and_no_blocking_limit_is_passed(
    pair: tuple[Membership, Membership], beginning: datetime, zone: str, history: list[Any]
) -> None:
    Generation.objects.all().delete()
    Allowance.objects.all().delete()
    TopUp.objects.all().delete()
    world = World(pair, beginning)
    step(world, "zone", zone)
    for period, limit in ((Period.DAY, 9), (Period.WEEK, 15), (Period.MONTH, 30), (Period.NONE, 60)):
        put(world, "default", Measure.SPEND, period, Decimal(limit))
        put(world, "pool", Measure.SPEND, period, Decimal(limit + 4))
    put(world, "own", Measure.SPEND, Period.DAY, Decimal(7))
    put(world, "default", Measure.COUNT, Period.DAY, Decimal(6))
    put(world, "pool", Measure.CONCURRENT, Period.NONE, Decimal(5))
    for one in history:
        step(world, *one)
        everybody = standings.everybody(pair[0].team, list(pair), world.now)
        for who, member in enumerate(pair):
            wanted = world.standing(who)
            lines = quota.standing(member, world.now)
            found = {(line.scope.value, line.measure, line.period): (line.limit, line.used) for line in lines}
            assert found == wanted
            assert list(everybody.of(member).lines) == lines
