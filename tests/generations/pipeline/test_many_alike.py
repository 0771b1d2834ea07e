"""Hundreds of tasks alike: the first that finishes tells about the others, and a helper copies beside the watcher."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import Membership
from generations import queue
from generations.models import Generation, Heartbeat, State
from generations.pipeline import follow, gather, watch

AGE = 20.0


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_told_yet() -> None:
    follow._told.clear()
    follow.dispatch.lately.known.clear()


def running(make_generation: Any, bob: Membership, age: float, looked: float, plan: float) -> Generation:
    """One that runs since `age` seconds, was looked at when it was `looked` and shall be again when it is `plan`."""
    sent = timezone.now() - timedelta(seconds=age)
    return make_generation(  # type: ignore[no-any-return]
        bob,
        status=State.RUNNING,
        upstream_id=f"task-{Generation.objects.count()}",
        dispatched_at=sent,
        updated_at=sent + timedelta(seconds=looked),
        next_check_at=sent + timedelta(seconds=plan),
    )


def planned(row: Generation) -> float:
    """At which age it will be looked at."""
    row.refresh_from_db()
    assert row.next_check_at
    assert row.dispatched_at
    return (row.next_check_at - row.dispatched_at).total_seconds()


def test_when_the_first_finishes_the_others_are_looked_at_when_they_come_to_its_age(
    bob: Membership, make_generation: Any
) -> None:
    first = running(make_generation, bob, AGE, 12, AGE)
    older = running(make_generation, bob, AGE + 2, 12, 44)
    younger = running(make_generation, bob, AGE - 3, 11, 30)
    looked_at = running(make_generation, bob, AGE + 2, AGE + 1, 40)
    soon = running(make_generation, bob, AGE - 3, 11, AGE + 1)
    other = running(make_generation, bob, AGE + 2, 12, 44)
    Generation.objects.filter(pk=other.pk).update(model="another--model")
    leased = running(make_generation, bob, AGE + 2, 12, 44)
    Generation.objects.filter(pk=leased.pk).update(lease_until=timezone.now() + timedelta(minutes=1))
    follow._tell_siblings(first)
    assert planned(older) == pytest.approx(AGE + 2, abs=1), "it is past that age: now"
    assert planned(younger) == pytest.approx(AGE * 1.01, abs=1)
    assert planned(looked_at) == pytest.approx(40, abs=0.1), "somebody looked at it since"
    assert planned(soon) == pytest.approx(AGE + 1, abs=0.1), (
        "soon enough: no look more for the sake of half a second"
    )
    assert planned(other) == pytest.approx(44, abs=0.1)
    assert planned(leased) == pytest.approx(44, abs=0.1)


def test_a_hundred_that_finish_together_say_it_once(bob: Membership, make_generation: Any) -> None:
    rows = [running(make_generation, bob, AGE, 12, AGE) for _ in range(2)]
    follow._tell_siblings(rows[0])
    late = running(make_generation, bob, AGE + 2, 12, 44)
    follow._tell_siblings(rows[1])
    assert planned(late) == pytest.approx(44, abs=0.1)


def test_the_helper_copies_what_waits_and_makes_room_for_the_next(
    bob: Membership, make_generation: Any
) -> None:
    results = [{"text": "Words", "output_type": "txt"}]
    rows = [make_generation(bob, status=State.GATHERING, results=results) for _ in range(20)]
    watch.copy()
    assert {Generation.objects.get(pk=row.pk).status for row in rows} == {State.SUCCEEDED}
    assert [row.outputs.count() for row in rows] == [1] * 20
    assert Heartbeat.objects.get(name="copier").holder == ""


def test_so_many_helpers_at_a_time(bob: Membership, make_generation: Any) -> None:
    waits = make_generation(bob, status=State.GATHERING, results=[{"text": "Words", "output_type": "txt"}])
    for name in watch.HELPERS:
        assert Heartbeat.take(name, "another", stale_after=watch.STALE)
    watch.copy()
    waits.refresh_from_db()
    assert (waits.status, waits.lease_until) == (State.GATHERING, None)


def test_a_helper_is_rung_through_the_queue(db: None) -> None:
    queue.ring_copier()
    assert [message.func() for message in OrmQ.objects.all()] == ["generations.tasks.copy"]


def test_rings_that_a_watcher_has_answered_are_taken_away(db: None) -> None:
    for _ in range(3):
        queue.ring()
    queue.ring_sweep()
    queue.answered()
    assert [message.func() for message in OrmQ.objects.all()] == ["generations.tasks.sweep"]


def test_a_copy_whose_lease_ran_out_while_it_waited_is_left_to_others(
    bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, status=State.GATHERING, results=[{"text": "Words", "output_type": "txt"}])
    [claimed] = gather.claim(1)
    claimed.lease_until = timezone.now() - timedelta(seconds=1)
    gather.gather(claimed)
    assert not row.outputs.exists()


def test_what_another_took_in_between_is_not_claimed(bob: Membership, make_generation: Any) -> None:
    rows = [make_generation(bob, status=State.RUNNING, upstream_id=str(n)) for n in range(3)]
    first = follow.claim(2)
    second = follow.claim(3)
    assert len(first) == 2
    assert len(second) == 1
    assert {row.pk for row in (*first, *second)} == {row.pk for row in rows}
    assert all(row.lease_until and row.lease_until > timezone.now() for row in (*first, *second))
