"""Ways in which an allowance, a held order or an invitation could be got around, each with what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.models import (
    Allowance,
    Measure,
    Membership,
    Mode,
    Notification,
    Period,
    Role,
    Scope,
    Team,
    TopUp,
    User,
)
from generations import asking, connections, leaving, quota, tasks
from generations.catalogue import load
from generations.models import AllowanceRequest, Generation, HeldOrder, ModelRule
from generations.pipeline import accept, cancel, draw, hold
from tests.conftest import MODEL
from tests.generations.pipeline.test_door import PARAMS

FORM = {**PARAMS, "_once": "ab12cd34ef56ab12cd34ef56ab12cd34", "_way": "hold"}


def cap(
    team: Team, measure: Measure, most: str, scope: Scope = Scope.DEFAULT, of: Membership | None = None
) -> None:
    Allowance.put(
        team,
        scope=scope,
        measure=measure,
        period=Period.MONTH,
        mode=Mode.LIMITED,
        limit=Decimal(most),
        membership=of,
    )


def held(member: Membership, minutes: float = -1.0) -> HeldOrder:
    due = timezone.now() + timedelta(minutes=minutes)
    return hold.hold(member, load.get(MODEL), PARAMS, "Rain", due)


def test_a_form_that_is_held_twice_is_held_once(
    bob: Membership, client_of: Callable[[Membership], Client]
) -> None:
    cap(bob.team, Measure.COUNT, "0")
    for _ in range(2):
        assert client_of(bob).post(f"/t/tide/create/{MODEL}/", FORM).status_code == 303
    assert HeldOrder.objects.count() == 1


def test_what_was_drawn_for_a_cancelled_order_raises_nothing_any_more(bob: Membership) -> None:
    cap(bob.team, Measure.COUNT, "1")
    cap(bob.team, Measure.COUNT, "10", Scope.POOL)
    Team.objects.update(pool_draw=True)
    bob.team.refresh_from_db()
    for n in range(4):
        cancel.cancel(draw.accept(bob, MODEL, {**PARAMS, "prompt": f"piece {n}"}).generation)
    now = Membership.objects.get(pk=bob.pk)
    assert [line.limit for line in quota.standing(now) if line.scope != Scope.POOL] == [1]
    assert accept.accept(now, MODEL, PARAMS).created
    with pytest.raises(quota.QuotaExceeded):
        accept.accept(now, MODEL, {**PARAMS, "prompt": "one too many"})


def test_whoever_may_not_sign_in_any_more_spends_nothing(bob: Membership) -> None:
    order = held(bob)
    User.objects.filter(pk=bob.user_id).update(is_active=False)
    assert hold.send_due() == 0
    order.refresh_from_db()
    assert (order.state, Generation.objects.count()) == ("refused", 0)


def test_an_order_that_cannot_be_sent_stands_in_nobodys_way(
    bob: Membership, carol: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = held(bob, -2.0), held(carol)
    accept.accept(bob, MODEL, {**PARAMS, "prompt": "other"}, idempotency_key=f"held-{first.pk}")
    monkeypatch.setattr(hold, "AT_ONCE", 1)
    assert [hold.send_due(), hold.send_due()] == [0, 1]
    states = [HeldOrder.objects.get(pk=order.pk).state for order in (first, second)]
    assert states == ["refused", "taken"]


def test_a_rule_that_refuses_a_held_order_says_so(bob: Membership) -> None:
    held(bob)
    ModelRule.objects.create(team=bob.team, scope="model", name=MODEL, audience="nobody")
    hold.send_due()
    assert "role" not in Notification.objects.get(event="held").text


def test_whoever_leaves_takes_back_what_they_held_and_asked_for(alice: Membership, bob: Membership) -> None:
    cap(bob.team, Measure.COUNT, "1")
    request = asking.ask(bob, quota.standing(bob)[0], Decimal(1), "A trailer", None)
    order, now = held(bob, 60), timezone.now()
    TopUp.grant(
        bob.team, membership=bob, measure=Measure.COUNT, amount=Decimal(2), from_at=now,
        until_at=now + timedelta(days=1), by=alice.user,
    )  # fmt: skip
    leaving.leave(bob, alice, heir=None, role="member", stop=False)
    request.refresh_from_db()
    order.refresh_from_db()
    assert (request.state, order.state) == (AllowanceRequest.State.WITHDRAWN, HeldOrder.State.WITHDRAWN)
    assert order.draft is not None
    assert order.draft.author == alice.user
    assert not TopUp.in_force(bob.team, timezone.now()).exists()


def test_a_members_own_cap_and_those_who_left_keep_nobody_from_another_currency(
    alice: Membership, bob: Membership, carol: Membership
) -> None:
    cap(bob.team, Measure.SPEND, "5", Scope.OWN, bob)
    cap(bob.team, Measure.SPEND, "5", Scope.MEMBER, carol)
    leaving.leave(carol, alice, heir=None, role="member", stop=True)
    assert not connections._limits_spending(Team.objects.filter(pk=bob.team_id))
    cap(bob.team, Measure.SPEND, "5")
    assert connections._limits_spending(Team.objects.filter(pk=bob.team_id))


def test_links_of_whoever_may_not_sign_in_any_more_let_nobody_in(mona: Membership) -> None:
    _row, secret = invitations.make(mona, role=Role.MEMBER, lasts=timedelta(days=1))
    User.objects.filter(pk=mona.user_id).update(is_active=False)
    found = invitations.find(secret)
    assert found is not None
    with pytest.raises(invitations.Refused):
        invitations.accept_as_newcomer(found, "new@example.com", "New", "a long enough password")


def test_what_fails_in_the_sweep_keeps_nothing_else_from_its_turn(
    bob: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = held(bob)

    def boom() -> Any:
        raise ValueError

    monkeypatch.setattr(tasks.telling, "tend", boom)
    tasks.sweep()
    order.refresh_from_db()
    assert order.state == HeldOrder.State.TAKEN
