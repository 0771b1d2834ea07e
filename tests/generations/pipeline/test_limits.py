"""Warnings about limits and unusual spending: once in a period, whoever looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Action, Measure, Membership, Notification, Period, Scope
from generations.pipeline import limits
from tests.generations.pipeline.test_door import at_once, crowd, limit  # noqa: F401

NOON = datetime(2026, 6, 17, 12, tzinfo=UTC)


def told(member: Membership) -> list[str]:
    return list(Notification.objects.filter(user=member.user).order_by("pk").values_list("title", flat=True))


def spend(make_generation: Any, who: Membership, amount: str, at: datetime = NOON) -> None:
    make_generation(who, cost_estimated=Decimal(amount), created_at=at - timedelta(minutes=1))


def test_a_member_hears_at_80_and_at_100_percent_once_each(
    bob: Membership, mona: Membership, make_generation: Any
) -> None:
    limit(bob.team, Measure.SPEND, "10")
    spend(make_generation, bob, "7.99")
    assert limits.warn(NOON) == 0
    spend(make_generation, bob, "0.01")
    assert (limits.warn(NOON), limits.warn(NOON)) == (1, 0)
    note = Notification.objects.get()
    assert note.title == "80 % used: Spend per week"
    assert note.text == "8.00 CNY of 10.00 CNY are used, 2.00 CNY are left. It starts anew on 22 June, 00:00."
    spend(make_generation, bob, "2")
    assert (limits.warn(NOON), limits.warn(NOON)) == (1, 0)
    assert told(bob) == ["80 % used: Spend per week", "Used up: Spend per week"]
    assert told(mona) == []


def test_whoever_jumps_over_80_hears_only_that_it_is_used_up(bob: Membership, make_generation: Any) -> None:
    limit(bob.team, Measure.COUNT, "1")
    spend(make_generation, bob, "1")
    assert (limits.warn(NOON), limits.warn(NOON)) == (1, 0)
    assert told(bob) == ["Used up: Generations per week"]


def test_the_next_period_warns_anew(bob: Membership, make_generation: Any) -> None:
    limit(bob.team, Measure.COUNT, "1", period=Period.DAY, action=Action.WARN)
    for day in (NOON, NOON + timedelta(days=1)):
        spend(make_generation, bob, "1", day)
        assert (limits.warn(day), limits.warn(day)) == (1, 0)


def test_the_pools_warning_goes_to_the_managers(
    alice: Membership, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    limit(bob.team, Measure.SPEND, "10", scope=Scope.POOL, period=Period.MONTH)
    spend(make_generation, bob, "9")
    assert limits.warn(NOON) == 1
    assert (told(alice), told(mona), told(bob)) == (
        ["80 % used: Team pool, spend per month"],
        ["80 % used: Team pool, spend per month"],
        [],
    )


def test_a_limit_of_nothing_and_what_runs_at_once_are_no_news(bob: Membership, make_generation: Any) -> None:
    limit(bob.team, Measure.SPEND, "0")
    limit(bob.team, Measure.CONCURRENT, "1", period=Period.NONE)
    make_generation(bob, status="running", cost_estimated=None, created_at=NOON)
    assert limits.warn(NOON) == 0


@pytest.mark.parametrize(
    ("days", "usual", "today", "warns"),
    [
        (5, "2", "6.01", True),
        (5, "2", "6", False),
        (4, "2", "60", False),
        (9, "0.5", "4.90", False),
        (9, "0.5", "5.10", True),
    ],
)
def test_unusual_is_three_times_the_median_of_known_days_and_more_than_a_floor(
    bob: Membership, mona: Membership, make_generation: Any, days: int, usual: str, today: str, warns: bool
) -> None:
    for n in range(1, days + 1):
        spend(make_generation, bob, usual, NOON - timedelta(days=n))
    spend(make_generation, bob, "100", NOON - timedelta(days=40))
    spend(make_generation, bob, today)
    assert (limits.warn(NOON), limits.warn(NOON)) == (int(warns), 0)
    wanted = ["Bob spends more than usual today"] if warns else []
    assert (told(bob), told(mona)) == (wanted, wanted)


def test_two_workers_at_once_warn_once(crowd: list[Membership], make_generation: Any) -> None:  # noqa: F811
    bob = crowd[0]
    limit(bob.team, Measure.COUNT, "1")
    limit(bob.team, Measure.SPEND, "0.1", scope=Scope.POOL)
    Membership.objects.filter(pk=crowd[1].pk).update(role="manager")
    make_generation(bob)
    assert at_once([limits.warn] * 6) == {"accepted": 6}
    assert (len(told(bob)), len(told(crowd[1]))) == (1, 1)


def test_the_number_of_queries_does_not_grow_with_people(
    alice: Membership,
    mona: Membership,
    bob: Membership,
    carol: Membership,
    make_generation: Any,
    django_assert_max_num_queries: Any,
) -> None:
    limit(bob.team, Measure.SPEND, "100")
    for member in (alice, mona, bob, carol):
        make_generation(member)
    with django_assert_max_num_queries(11):
        limits.warn(timezone.now())
