"""Asking for more, and one manager deciding."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import (
    Allowance,
    AuditEntry,
    Measure,
    Membership,
    Mode,
    Notification,
    Period,
    Scope,
    TopUp,
)
from generations import asking, quota
from generations.models import AllowanceRequest, Draft
from tests.conftest import MODEL
from tests.generations.pipeline.test_door import at_once, crowd, limit  # noqa: F401

State = AllowanceRequest.State


def ask(
    bob: Membership, amount: str = "2", *, draft: bool = True, scope: Scope | None = None
) -> AllowanceRequest:
    lines = [line for line in quota.standing(bob) if scope is None or line.scope == scope]
    form = {"team": bob.team, "author": bob.user, "model": MODEL, "params": {"prompt": "Rain"}}
    kept = Draft.objects.create(**form) if draft else None
    return asking.ask(bob, lines[0], Decimal(amount), "A trailer for Friday", kept, MODEL)


def told(member: Membership) -> list[str]:
    return list(Notification.objects.filter(user=member.user).order_by("pk").values_list("event", flat=True))


def test_every_manager_is_told_once_by_mail_and_in_the_app(
    alice: Membership,
    mona: Membership,
    bob: Membership,
    carol: Membership,
    django_capture_on_commit_callbacks: Any,
) -> None:
    limit(bob.team, Measure.SPEND, "1")
    with django_capture_on_commit_callbacks(execute=True):
        first = ask(bob)
        again = ask(bob, "3")
    assert (again.pk, again.amount, AllowanceRequest.objects.count()) == (first.pk, 3, 1)
    assert (told(alice), told(mona), told(carol), told(bob)) == (["asked"], ["asked"], [], [])
    assert sorted(message.to[0] for message in mail.outbox) == ["alice@example.com", "mona@example.com"]
    assert "Bob asks for 2.00 CNY more" in mail.outbox[0].subject
    assert "A trailer for Friday" in mail.outbox[0].body


def test_granted_once_is_a_top_up_until_the_reset_and_the_form_is_linked(
    mona: Membership, bob: Membership
) -> None:
    limit(bob.team, Measure.SPEND, "1")
    request = ask(bob)
    asking.grant_once(request, mona, Decimal("1.5"))
    line = quota.standing(bob)[0]
    assert (line.limit, line.base, line.granted) == (Decimal("2.5"), 1, Decimal("1.5"))
    topup = TopUp.objects.get()
    assert (topup.until_at, topup.granted_by, topup.reason) == (line.resets_at, mona.user, request.reason)
    note = Notification.objects.get(user=bob.user)
    assert (note.event, note.link) == ("granted", f"/t/tide/drafts/{request.draft_id}/")
    assert "Mona granted 1.50 CNY more" in note.text
    request.refresh_from_db()
    assert (request.state, request.granted, request.decided_by) == (State.GRANTED, Decimal("1.5"), mona.user)


@pytest.mark.parametrize("own", [None, Mode.LIMITED])
def test_granted_from_now_on_raises_the_members_own_limit(
    mona: Membership, bob: Membership, carol: Membership, own: Mode | None
) -> None:
    limit(bob.team, Measure.SPEND, "1")
    if own:
        limit(bob.team, Measure.SPEND, "4", scope=Scope.MEMBER, membership=bob)
    asking.grant_for_good(ask(bob), mona, Decimal(2))
    assert [(line.scope, line.limit) for line in quota.standing(bob)] == [(Scope.MEMBER, 6 if own else 3)]
    assert [line.limit for line in quota.standing(carol)] == [1]
    assert not TopUp.objects.exists()
    entry = AuditEntry.objects.filter(action="allowance.changed", person=bob.user).latest("pk")
    assert (entry.actor, entry.after["limit"]) == (mona.user, "6" if own else "3")


@pytest.mark.parametrize("for_good", [False, True])
def test_more_of_the_pool_is_the_pools(mona: Membership, bob: Membership, for_good: bool) -> None:
    limit(bob.team, Measure.SPEND, "1", scope=Scope.POOL)
    decide = asking.grant_for_good if for_good else asking.grant_once
    decide(ask(bob), mona, Decimal(2))
    line = quota.standing(mona)[0]
    assert (line.scope, line.limit, line.granted) == (Scope.POOL, 3, 0 if for_good else 2)


def test_a_limit_that_is_gone_is_not_brought_back(mona: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1")
    request = ask(bob)
    Allowance.objects.all().delete()
    with pytest.raises(ValueError, match="not in force any more"):
        asking.grant_for_good(request, mona, Decimal(2))
    request.refresh_from_db()
    assert (quota.standing(bob), request.state, told(bob)) == ([], State.OPEN, [])


def test_asking_and_withdrawing_in_turn_tells_the_managers_once(mona: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1")
    for _ in range(5):
        asking.withdraw(ask(bob, draft=False))
    assert told(mona) == ["asked"]


def test_declined_with_a_sentence(mona: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1")
    asking.decline(ask(bob), mona, "Next week, 100% sure.")
    note = Notification.objects.get(user=bob.user)
    assert (note.event, "Mona: Next week, 100% sure." in note.text) == ("refused", True)
    assert AuditEntry.objects.filter(action="request.declined", person=bob.user).count() == 1


def test_what_is_settled_is_settled(mona: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1")
    request = ask(bob)
    asking.withdraw(request)
    for late in (
        lambda: asking.grant_once(request, mona, Decimal(2)),
        lambda: asking.grant_for_good(request, mona, Decimal(2)),
        lambda: asking.decline(request, mona, "No"),
        lambda: asking.withdraw(request),
    ):
        with pytest.raises(asking.Settled):
            late()
    assert not TopUp.objects.exists()
    assert told(bob) == []
    assert ask(bob).pk != request.pk


def test_a_grant_that_makes_no_sense_leaves_the_request_open(mona: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1")
    request = ask(bob)
    with pytest.raises(ValueError, match="more than nothing"):
        asking.grant_once(request, mona, Decimal(0))
    request.refresh_from_db()
    assert request.state == State.OPEN


def test_two_managers_at_once_give_one_grant(crowd: list[Membership]) -> None:  # noqa: F811
    bob, *managers = crowd
    Membership.objects.exclude(pk=bob.pk).update(role="manager")
    limit(bob.team, Measure.SPEND, "1")
    request = ask(bob)

    def decide(by: Membership, for_good: bool) -> None:
        mine = AllowanceRequest.objects.get(pk=request.pk)
        (asking.grant_for_good if for_good else asking.grant_once)(mine, by, Decimal(2))

    calls = [lambda m=m, g=g: decide(m, g) for m in managers for g in (False, True, False)]  # type: ignore[misc]
    ends = at_once(calls)
    assert ends["accepted"] == 1
    assert sum(ends.values()) == 9
    assert [line.limit for line in quota.standing(bob)] == [3]
    assert Notification.objects.filter(user=bob.user, event="granted").count() == 1


def test_a_request_ends_with_its_period_and_the_member_is_told(bob: Membership, mona: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1", period=Period.DAY)
    request = ask(bob)
    assert asking.expire() == 0
    assert asking.expire(request.resets_at) == 1
    assert asking.expire(request.resets_at) == 0
    request.refresh_from_db()
    assert (request.state, told(bob)) == (State.EXPIRED, ["refused"])


def test_a_request_about_a_limit_without_a_reset_ends_after_a_month(bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1", period=Period.NONE)
    ask(bob)
    assert asking.expire(timezone.now() + timedelta(days=29)) == 0
    assert asking.expire(timezone.now() + timedelta(days=31)) == 1


def test_a_cap_of_ones_own_and_what_runs_at_once_are_not_asked_for(bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "1", scope=Scope.OWN, membership=bob)
    limit(bob.team, Measure.CONCURRENT, "1", period=Period.NONE)
    limit(bob.team, Measure.COUNT, "1")
    assert [line.name for line in quota.standing(bob) if asking.may_be_asked_for(line)] == [
        "member_count_week"
    ]
