"""Taking from the pool what a member's own limit lacks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Action, AuditEntry, Measure, Membership, Period, Scope, Team, TopUp
from generations import quota
from generations.models import Generation
from generations.pipeline import draw
from generations.pipeline.accept import accept
from tests.conftest import MODEL
from tests.generations.pipeline.test_door import PARAMS, at_once, crowd, limit  # noqa: F401


def allow(team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(pool_draw=True)
    team.pool_draw = True


def test_exactly_what_is_missing_is_drawn_and_noted(bob: Membership) -> None:
    allow(bob.team)
    limit(bob.team, Measure.SPEND, "1")
    limit(bob.team, Measure.SPEND, "10", scope=Scope.POOL)
    draw.accept(bob, MODEL, PARAMS)
    assert not TopUp.objects.exists(), "it fitted by itself"
    draw.accept(bob, MODEL, PARAMS)
    topup = TopUp.objects.get()
    assert (topup.amount, topup.membership, topup.granted_by) == (Decimal("0.6"), bob, None)
    assert Generation.objects.count() == 2
    assert quota.standing(bob)[0].left == 0
    entry = AuditEntry.objects.get(action="topup.granted")
    assert (entry.person, entry.reason) == (bob.user, "Taken from the pool")
    with pytest.raises(quota.QuotaExceeded):
        accept(bob, MODEL, PARAMS)


@pytest.mark.parametrize(
    "case", ["not allowed", "no pool", "pool warns", "own cap", "at once", "pool of another"]
)
def test_what_the_pool_cannot_give_is_not_drawn(bob: Membership, case: str) -> None:
    if case != "not allowed":
        allow(bob.team)
    limit(bob.team, Measure.SPEND, "0.5")
    if case == "own cap":
        limit(bob.team, Measure.SPEND, "0.5", scope=Scope.OWN, membership=bob)
    if case == "at once":
        limit(bob.team, Measure.CONCURRENT, "0", period=Period.NONE)
    if case != "no pool":
        measure = Measure.COUNT if case == "pool of another" else Measure.SPEND
        limit(
            bob.team,
            measure,
            "10",
            scope=Scope.POOL,
            action=Action.WARN if case == "pool warns" else Action.BLOCK,
        )
    with pytest.raises(draw.NotFromPool):
        draw.accept(bob, MODEL, PARAMS)
    assert not TopUp.objects.exists()
    assert not Generation.objects.exists()


def test_an_empty_pool_gives_nothing(bob: Membership) -> None:
    allow(bob.team)
    limit(bob.team, Measure.SPEND, "0.5")
    limit(bob.team, Measure.SPEND, "0.7", scope=Scope.POOL)
    with pytest.raises(draw.NotFromPool):
        draw.accept(bob, MODEL, PARAMS)
    assert not TopUp.objects.exists()


def test_the_same_form_sent_twice_draws_once(bob: Membership) -> None:
    allow(bob.team)
    limit(bob.team, Measure.COUNT, "0")
    limit(bob.team, Measure.COUNT, "10", scope=Scope.POOL)
    first = draw.accept(bob, MODEL, PARAMS, idempotency_key="k")
    again = draw.accept(bob, MODEL, PARAMS, idempotency_key="k")
    assert (first.created, again.created, again.generation) == (True, False, first.generation)
    assert [topup.amount for topup in TopUp.objects.all()] == [1]


@pytest.mark.thorough
def test_twenty_who_draw_at_once_never_take_more_than_the_pool_has(crowd: list[Membership]) -> None:  # noqa: F811
    team = crowd[0].team
    allow(team)
    limit(team, Measure.COUNT, "1")
    limit(team, Measure.COUNT, "6", scope=Scope.POOL)
    ends = at_once([lambda m=m: draw.accept(m, MODEL, PARAMS) for m in crowd * 5])  # type: ignore[misc]
    assert ends == {"accepted": 6, "NotFromPool()": 14}
    assert Generation.objects.count() == 6
