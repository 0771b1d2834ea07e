"""Orders that wait for a limit to start anew and are sent by themselves, once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Action, Allowance, Measure, Membership, Notification, Period, Role
from generations import quota
from generations.catalogue import load
from generations.models import Draft, Generation, HeldOrder
from generations.pipeline import hold
from tests.conftest import MODEL
from tests.generations.pipeline.test_door import PARAMS, at_once, crowd, limit  # noqa: F401

State = HeldOrder.State


def held(bob: Membership, **fields: Any) -> HeldOrder:
    due = timezone.now() - timedelta(minutes=1)
    order = hold.hold(bob, load.get(MODEL), PARAMS, "Rain", due)
    if fields:
        HeldOrder.objects.filter(pk=order.pk).update(**fields)
        order.refresh_from_db()
    return order


def told(member: Membership) -> Notification:
    return Notification.objects.get(user=member.user, event="held")


def test_what_is_due_is_sent_once_and_the_member_is_told(bob: Membership) -> None:
    order = held(bob)
    assert (hold.send_due(), hold.send_due()) == (1, 0)
    order.refresh_from_db()
    generation = Generation.objects.get()
    assert (order.state, order.generation, generation.title) == (State.TAKEN, generation, "Rain")
    assert told(bob).link == f"/t/tide/g/{generation.pk}/"


def test_what_is_not_due_waits(bob: Membership) -> None:
    held(bob, due_at=timezone.now() + timedelta(hours=1))
    assert hold.send_due() == 0
    assert hold.send_due(timezone.now() + timedelta(hours=2)) == 1


def test_after_a_restore_what_was_due_is_a_draft_and_the_rest_waits(bob: Membership) -> None:
    due, later = held(bob), held(bob, due_at=timezone.now() + timedelta(hours=1))
    assert (hold.doubt_due(), hold.doubt_due()) == (1, 0)
    assert hold.send_due() == 0
    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.state, later.state) == (State.REFUSED, State.WAITING)
    assert Draft.objects.get().params["prompt"] == PARAMS["prompt"]
    assert "A backup was restored" in told(bob).text
    assert not Generation.objects.exists()


@pytest.mark.parametrize("case", ["limit", "role", "model", "params"])
def test_what_is_refused_again_is_kept_as_a_draft_and_the_member_is_told(bob: Membership, case: str) -> None:
    order = held(bob)
    if case == "limit":
        limit(bob.team, Measure.COUNT, "0")
    if case == "role":
        Membership.objects.filter(pk=bob.pk).update(role=Role.VIEWER)
    if case == "model":
        HeldOrder.objects.update(model="gone--model")
    if case == "params":
        HeldOrder.objects.update(params={"prompt": ""})
    assert (hold.send_due(), hold.send_due()) == (0, 0)
    order.refresh_from_db()
    assert (order.state, order.draft) == (State.REFUSED, Draft.objects.get())
    assert not Generation.objects.exists()
    assert told(bob).link == f"/t/tide/drafts/{order.draft_id}/"


def test_withdrawn_it_is_a_draft_and_never_sent(bob: Membership) -> None:
    order = held(bob)
    draft = hold.withdraw(order)
    assert draft
    assert (draft.params, draft.title) == (PARAMS, "Rain")
    assert hold.send_due() == 0
    assert hold.withdraw(order) is None
    assert Draft.objects.count() == 1


def test_two_workers_and_a_withdrawal_at_once_leave_one_of_the_two(crowd: list[Membership]) -> None:  # noqa: F811
    bob = crowd[0]
    orders = [held(bob) for _ in range(3)]
    ends = at_once([hold.send_due, hold.send_due, lambda: hold.withdraw(orders[1]), hold.send_due])
    assert ends == {"accepted": 4}
    hold.send_due()
    kinds = HeldOrder.objects.values_list("state", flat=True)
    taken = sum(kind == State.TAKEN for kind in kinds)
    assert Generation.objects.count() == taken
    assert taken + Draft.objects.count() == 3
    assert Notification.objects.filter(event="held").count() == taken


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_before_the_commit_leaves_neither_and_the_next_sends_it(bob: Membership) -> None:
    order = held(bob)
    with transaction.atomic():
        hold.send(order)
        assert Generation.objects.count() == 1
        transaction.set_rollback(True)
    assert connection.vendor in {"sqlite", "postgresql"}
    assert (Generation.objects.count(), Notification.objects.count()) == (0, 0)
    assert hold.send_due() == 1
    assert Generation.objects.count() == 1


def test_it_is_due_when_the_last_of_the_limits_that_refuse_starts_anew(bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "0", period=Period.DAY)
    limit(bob.team, Measure.SPEND, "0", period=Period.WEEK)
    limit(bob.team, Measure.SPEND, "0", period=Period.MONTH, action=Action.WARN)
    lines = [line for line in quota.standing(bob) if line.refuses(Decimal(1))]
    week = next(line.resets_at for line in lines if line.period == Period.WEEK)
    assert hold.due_at(lines) == week
    Allowance.objects.all().delete()
    limit(bob.team, Measure.SPEND, "0", period=Period.NONE)
    assert hold.due_at(quota.standing(bob)) is None


def test_nobody_holds_more_than_so_many(bob: Membership) -> None:
    for _ in range(hold.MOST):
        held(bob)
    with pytest.raises(hold.TooMany):
        held(bob)
