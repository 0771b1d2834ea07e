"""Sums over receipts agree with what quota counts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations import quota, receipts
from generations.models import Connection, State


def scatter(make_generation: Any, member: Membership) -> None:
    """Receipts of every kind, today and long ago."""
    now = timezone.now()
    for days in (0, 3, 20, 60):
        at = now - timedelta(days=days)
        make_generation(member, created_at=at, cost_estimated=Decimal("1.00"), cost_actual=Decimal("0.90"))
        make_generation(member, created_at=at, cost_estimated=Decimal("0.30"))
        make_generation(member, created_at=at, status=State.FAILED, cost_estimated=Decimal("9.00"))
        make_generation(member, created_at=at, status=State.CANCELLED, cost_actual=Decimal("0.10"))
    make_generation(
        member, created_at=now - timedelta(days=60), status=State.RUNNING, cost_estimated=Decimal("0.50")
    )


def test_they_say_what_quota_says(
    team: Team, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    scatter(make_generation, bob)
    scatter(make_generation, carol)
    for scope in (Scope.DEFAULT, Scope.POOL):
        for measure in (Measure.SPEND, Measure.COUNT):
            for period in Period:
                Allowance.put(
                    team, scope=scope, measure=measure, period=period, mode=Mode.LIMITED, limit=Decimal(1000)
                )
        Allowance.put(
            team,
            scope=scope,
            measure=Measure.CONCURRENT,
            period=Period.NONE,
            mode=Mode.LIMITED,
            limit=Decimal(9),
        )
    own, whole = receipts.of_one(bob), receipts.of_team(team)
    for line in quota.standing(bob):
        use = whole if line.scope == Scope.POOL else own
        said = {"spend": use.spent, "count": use.runs, "concurrent": {"none": use.running}}[line.measure]
        assert said[line.period] == line.used, line.name


def test_by_member_is_one_query_and_says_the_same(
    team: Team, bob: Membership, carol: Membership, make_generation: Any, django_assert_num_queries: Any
) -> None:
    scatter(make_generation, bob)
    make_generation(carol, cost_estimated=Decimal("5.00"))
    Connection.of(team)  # asked once for each request, for the currency
    with django_assert_num_queries(1):
        used = receipts.by_member(team)
    assert used[bob.user_id].spent["month"] == receipts.of_one(bob).spent["month"]
    assert used[bob.user_id].running == 1
    assert used[carol.user_id].spent["month"] == Decimal("5.00")


def test_the_summary_adds_up(bob: Membership, make_generation: Any, django_assert_num_queries: Any) -> None:
    scatter(make_generation, bob)
    make_generation(bob, cost_estimated=None)
    Connection.of(bob.team)
    with django_assert_num_queries(1):
        summary = receipts.summary(bob)
    one = receipts.of_one(bob)
    assert (summary.day.spent, summary.day.runs) == (one.spent["day"], one.runs["day"])
    assert (summary.month.spent, summary.month.runs) == (one.spent["month"], one.runs["month"])
    assert (summary.held, summary.holding, summary.unpriced) == (Decimal("0.50"), 1, 1)


def test_days_without_anything_are_there_and_the_window_ends_today(
    team: Team, bob: Membership, make_generation: Any
) -> None:
    scatter(make_generation, bob)
    dates, shares = receipts.daily(bob, days=10)
    assert len(dates) == 10
    assert dates[-1] == timezone.now().astimezone(team.zone).date()
    assert {share.day for share in shares} <= set(dates)
    assert sum(share.spent for share in shares) == 2 * (Decimal("0.90") + Decimal("0.30") + Decimal("0.10"))
    assert sum(share.free for share in shares) == 2
