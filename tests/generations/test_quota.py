"""Quota against an independent recomputation, over random histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Role, Scope, Team
from generations import quota
from generations.models import ACTIVE, Connection, Generation, State
from generations.models.generation import OVER
from tests.conftest import MODEL, join
from tests.effort import tries

money = st.decimals(min_value=0, max_value=50, places=4)
receipts = st.lists(
    st.tuples(
        st.sampled_from(State.values),
        st.one_of(st.none(), money),
        st.one_of(st.none(), money),
        st.integers(min_value=-60 * 24 * 40, max_value=60 * 24 * 40),
        st.booleans(),
    ),
    max_size=12,
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Apia"])
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda d: d.replace(tzinfo=UTC))


def counted(status: str, estimated: Decimal | None, actual: Decimal | None) -> Decimal:
    """What a receipt uses, written down once more and without a database."""
    if status in {"failed", "cancelled"}:
        return actual or Decimal(0)
    return actual if actual is not None else estimated or Decimal(0)


def in_period(moment: datetime, now: datetime, period: Period, zone: ZoneInfo) -> bool:
    there, here = moment.astimezone(zone), now.astimezone(zone)
    if period == Period.DAY:
        return there.date() == here.date()
    if period == Period.WEEK:
        return there.isocalendar()[:2] == here.isocalendar()[:2]
    if period == Period.MONTH:
        return (there.year, there.month) == (here.year, here.month)
    return True


@pytest.fixture
def pair(db: None) -> tuple[Membership, Membership]:
    team = Team.objects.create(slug="money", name="Money")
    return join(team, "first", Role.MEMBER), join(team, "second", Role.MEMBER)


@pytest.mark.thorough
@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=receipts, now=moments, zone=zones)
def test_use_is_the_sum_of_the_receipts_of_the_period(
    pair: tuple[Membership, Membership], history: Any, now: datetime, zone: str
) -> None:
    first, second = pair
    Team.objects.filter(pk=first.team_id).update(time_zone=zone)
    for member in pair:
        member.team.time_zone = zone
    Generation.objects.all().delete()
    Allowance.objects.all().delete()
    here = Connection.current()
    rows = []
    for status, estimated, actual, minutes, mine in history:
        member = first if mine else second
        created = now + timedelta(minutes=minutes)
        rows.append((member, status, estimated, actual, created))
        Generation.objects.create(
            team=first.team, author=member.user, connection=here, model=MODEL, kind="music", title="x", params={},
            status=status, cost_estimated=estimated, cost_actual=actual, created_at=created,
        )  # fmt: skip
    for scope in (Scope.POOL, Scope.DEFAULT):
        for period in Period:
            for measure in (Measure.SPEND, Measure.COUNT):
                Allowance.put(
                    first.team,
                    scope=scope,
                    measure=measure,
                    period=period,
                    mode=Mode.LIMITED,
                    limit=Decimal(100),
                )
        Allowance.put(
            first.team,
            scope=scope,
            measure=Measure.CONCURRENT,
            period=Period.NONE,
            mode=Mode.LIMITED,
            limit=Decimal(9),
        )
    for line in quota.standing(first, now):
        fitting = [r for r in rows if line.scope == Scope.POOL or r[0] == first]
        if line.measure == Measure.CONCURRENT:
            wanted = Decimal(sum(r[1] in ACTIVE for r in fitting))
        else:
            fitting = [r for r in fitting if in_period(r[4], now, line.period, ZoneInfo(zone))]
            costs = [counted(r[1], r[2], r[3]) for r in fitting]
            wanted = (
                sum(costs, Decimal(0))
                if line.measure == Measure.SPEND
                else Decimal(
                    sum(r[1] not in OVER[1:] or cost > 0 for r, cost in zip(fitting, costs, strict=True))
                )
            )
        assert line.used == wanted, line


@settings(max_examples=tries(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=money, costs=st.lists(st.one_of(st.none(), money), max_size=15))
def test_a_blocking_limit_on_money_is_never_exceeded(
    pair: tuple[Membership, Membership], limit: Decimal, costs: list[Decimal | None]
) -> None:
    first, _ = pair
    Generation.objects.all().delete()
    Allowance.put(
        first.team,
        scope=Scope.DEFAULT,
        measure=Measure.SPEND,
        period=Period.WEEK,
        mode=Mode.LIMITED,
        limit=limit,
    )
    here, spent = Connection.current(), Decimal(0)
    for cost in costs:
        fits = spent < limit if cost is None else cost == 0 or spent + cost <= limit
        if not fits:
            with pytest.raises(quota.QuotaExceeded) as refusal:
                quota.ask(first, cost, "CNY", timezone.now())
            assert refusal.value.line.left == limit - spent
            continue
        quota.ask(first, cost, "CNY", timezone.now())
        spent += cost or 0
        Generation.objects.create(
            team=first.team, author=first.user, connection=here, model=MODEL, kind="music", title="x", params={},
            cost_estimated=cost,
        )  # fmt: skip
    assert spent <= limit


def test_the_question_takes_a_fixed_number_of_queries(
    bob: Membership, make_generation: Any, django_assert_num_queries: Any
) -> None:
    for scope in (Scope.POOL, Scope.DEFAULT):
        for period in Period:
            Allowance.put(
                bob.team,
                scope=scope,
                measure=Measure.SPEND,
                period=period,
                mode=Mode.LIMITED,
                limit=Decimal(9),
            )
    Connection.of(bob.team)  # asked once for each request, for the currency
    for rows in (0, 10):
        for _ in range(rows):
            make_generation(bob)
        with django_assert_num_queries(5):
            quota.standing(bob)


def test_the_tightest_limit_is_named_and_warnings_do_not_hide_it(bob: Membership) -> None:
    put = {"scope": Scope.DEFAULT, "measure": Measure.SPEND, "mode": Mode.LIMITED}
    Allowance.put(bob.team, period=Period.DAY, limit=Decimal("0.1"), action=Action.WARN, **put)  # type: ignore[arg-type]
    Allowance.put(bob.team, period=Period.WEEK, limit=Decimal("0.5"), **put)  # type: ignore[arg-type]
    Allowance.put(bob.team, period=Period.MONTH, limit=Decimal("0.3"), **put)  # type: ignore[arg-type]
    with pytest.raises(quota.QuotaExceeded) as refusal:
        quota.ask(bob, Decimal("0.8"), "CNY", timezone.now())
    assert refusal.value.line.name == "member_spend_month"
    assert [line.name for line in refusal.value.lines] == ["member_spend_week", "member_spend_month"]
