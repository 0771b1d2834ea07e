"""Prices of a team's own, and what becomes of estimates and of models without a price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Team
from generations import prices
from generations.catalogue import load
from generations.models import Connection, Generation, PriceDecision, TeamPrice
from generations.pipeline import accept, several
from tests.conftest import MODEL

SPEECH = "rhart-audio--text-to-audio--speech-2.8-hd"
UNKNOWN = "bytedance--doubao-seed-audio-1.0"
Verdict = PriceDecision.Verdict


def set_price(who: Membership, model: str, amount: str | None, **more: Any) -> TeamPrice:
    said = {"currency": "CNY", "since": timezone.now().date(), **more}
    return prices.put(who.team, who.user, model, amount=None if amount is None else Decimal(amount), **said)


def cost(team: Team, model: str, params: dict[str, Any]) -> Decimal | None:
    fresh = Team.objects.get(pk=team.pk)
    return accept.quote(load.get(model), params, Connection.current(), fresh).cost


def test_estimates_follow_the_team_before_the_catalogue(
    team: Team, mona: Membership, zoe: Membership
) -> None:
    assert cost(team, MODEL, {}) == Decimal("0.8")
    set_price(mona, MODEL, "1.25")
    assert cost(team, MODEL, {}) == Decimal("1.25")
    assert cost(zoe.team, MODEL, {}) == Decimal("0.8")
    set_price(mona, SPEECH, "2", unit="1000 characters", param="text")
    assert cost(team, SPEECH, {"text": "x" * 500}) == 1
    set_price(mona, UNKNOWN, "0.5")
    assert cost(team, UNKNOWN, {}) == Decimal("0.5")


def test_the_latest_word_holds_and_an_end_gives_the_catalogue_back(team: Team, mona: Membership) -> None:
    set_price(mona, MODEL, "1.25")
    set_price(mona, MODEL, "1.5")
    assert cost(team, MODEL, {}) == Decimal("1.5")
    set_price(mona, MODEL, None)
    assert cost(team, MODEL, {}) == Decimal("0.8")
    assert TeamPrice.objects.count() == 3


def test_a_price_of_a_later_day_waits_for_it(team: Team, mona: Membership) -> None:
    set_price(mona, MODEL, "1.25", since=timezone.now().date() + timedelta(days=2))
    assert cost(team, MODEL, {}) == Decimal("0.8")


def test_a_day_begins_on_the_clock_of_the_team(team: Team, mona: Membership) -> None:
    Team.objects.filter(pk=team.pk).update(time_zone="Pacific/Kiritimati")
    mona.team = Team.objects.get(pk=team.pk)
    set_price(mona, MODEL, "1.25", since=timezone.now().astimezone(mona.team.zone).date())
    assert cost(team, MODEL, {}) == Decimal("1.25")


def test_a_price_in_another_currency_is_converted(team: Team, mona: Membership, settings: Any) -> None:
    settings.CNY_PER_USD = "7"
    set_price(mona, MODEL, "0.5", currency="USD")
    assert cost(team, MODEL, {}) == Decimal("3.5")


def test_only_charges_since_the_price_correct_it(
    team: Team, mona: Membership, make_generation: Callable[..., Generation]
) -> None:
    for _ in range(3):
        make_generation(mona, cost_actual=Decimal("2.40"), finished_at=timezone.now() - timedelta(days=1))
    assert cost(team, MODEL, {}) == Decimal("2.4")
    set_price(mona, MODEL, "1")
    assert cost(team, MODEL, {}) == 1
    for _ in range(3):
        make_generation(mona, cost_actual=Decimal("1.50"))
    assert cost(team, MODEL, {}) == Decimal("1.5")


def test_a_price_for_each_of_what_a_model_has_not_got_does_not_hold(team: Team, mona: Membership) -> None:
    set_price(mona, MODEL, "9", unit="second", param="length_that_is_gone")
    assert cost(team, MODEL, {}) == Decimal("0.8")


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "100001", "0.0000001"])
def test_a_price_of_nothing_or_without_end_is_refused(amount: str, mona: Membership) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        set_price(mona, MODEL, amount)
    assert not TeamPrice.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_database_takes_no_price_of_nothing(team: Team, mona: Membership) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamPrice.objects.create(
            team=team, model=MODEL, amount=0, currency="CNY", since=date(2026, 1, 1), set_by=mona.user
        )


@pytest.mark.parametrize(
    ("before", "after", "is_odd"),
    [
        ("1", "5", False),
        ("1", "5.01", True),
        ("1", "0.2", False),
        ("1", "0.19", True),
        (None, "100", False),
        (None, "100.01", True),
    ],
)
def test_what_needs_a_second_word(before: str | None, after: str, is_odd: bool) -> None:
    try:
        prices.weigh(None if before is None else Decimal(before), Decimal(after))
    except prices.Odd:
        assert is_odd
    else:
        assert not is_odd


def test_the_audit_trail_tells_before_and_after(mona: Membership) -> None:
    set_price(mona, MODEL, "1.25")
    set_price(mona, MODEL, "1.5", note="Their new list")
    last = AuditEntry.objects.order_by("-pk")[0]
    assert (last.action, last.actor, last.subject) == ("price.changed", mona.user, MODEL)
    assert (last.before, last.after) == ({"amount": "1.25"}, {"amount": "1.5"})
    assert last.reason == "Their new list"


def run(who: Membership) -> accept.Accepted:
    return accept.accept(who, UNKNOWN, load.get(UNKNOWN).example)


def test_one_model_without_a_price_may_run_though_the_team_refuses_them(
    bob: Membership, mona: Membership
) -> None:
    with pytest.raises(accept.PriceUnknown):
        run(bob)
    assert prices.decide(mona.team, mona.user, UNKNOWN, Verdict.ALLOW)
    assert not prices.decide(mona.team, mona.user, UNKNOWN, Verdict.ALLOW)
    assert run(bob).generation.cost_estimated is None
    assert prices.decide(mona.team, mona.user, UNKNOWN, None)
    with pytest.raises(accept.PriceUnknown):
        run(bob)
    assert [row.after for row in AuditEntry.objects.order_by("pk")] == [
        {"unknown price": "allow"},
        {"unknown price": "as the team"},
    ]


def test_one_model_without_a_price_is_refused_though_the_team_lets_them_run(
    team: Team, bob: Membership, mona: Membership
) -> None:
    Team.objects.filter(pk=team.pk).update(unknown_price="allow")
    run(bob)
    prices.decide(mona.team, mona.user, UNKNOWN, Verdict.REFUSE)
    with pytest.raises(accept.PriceUnknown):
        run(bob)
    with pytest.raises(accept.PriceUnknown):
        several.accept(
            bob, UNKNOWN, load.get(UNKNOWN).example, [several.Line(1, None), several.Line(2, None)]
        )
    assert Generation.objects.count() == 1


def test_what_was_known_of_a_team_before_the_lock_decides_nothing(bob: Membership, mona: Membership) -> None:
    prices.decide(mona.team, mona.user, UNKNOWN, Verdict.ALLOW)
    assert PriceDecision.lets_run(bob.team, UNKNOWN)  # and remembered by this object
    prices.decide(mona.team, mona.user, UNKNOWN, Verdict.REFUSE)
    with pytest.raises(accept.PriceUnknown):
        run(bob)


def test_a_model_with_a_price_of_the_team_is_not_unknown_any_more(bob: Membership, mona: Membership) -> None:
    set_price(mona, UNKNOWN, "0.5")
    bob.team = Team.objects.get(pk=bob.team_id)
    assert run(bob).generation.cost_estimated == Decimal("0.5")
