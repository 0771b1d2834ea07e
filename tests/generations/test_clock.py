"""A clock that is moved by a day, of a host or of a process: nothing ends wrongly, and days are the database's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.signing import TimestampSigner
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope
from generations import quota
from generations.models import (
    AccountAnswer,
    Connection,
    Generation,
    Heartbeat,
    PriceCheck,
    State,
    database_now,
)
from generations.pipeline import dispatch, follow, gather, watch
from generations.pipeline.accept import accept
from generations.pipeline.sweep import sweep
from tests.chaos.clock import Clock, moved
from tests.conftest import MODEL, run_pipeline
from tests.effort import thorough

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

DAY = 86_400.0
EITHER_WAY = pytest.mark.parametrize("way", [DAY, -DAY], ids=["ahead", "behind"])


def limit(member: Membership, number: int) -> None:
    Allowance.put(
        member.team,
        scope=Scope.DEFAULT,
        measure=Measure.COUNT,
        period=Period.DAY,
        mode=Mode.LIMITED,
        limit=Decimal(number),
    )


def order(member: Membership, key: str = "") -> Generation:
    return accept(member, MODEL, {"prompt": "Slow bells"}, idempotency_key=key).generation


@EITHER_WAY
def test_a_process_with_another_day_asks_the_limits_of_the_databases_day(way: float, bob: Membership) -> None:
    limit(bob, 1)
    with moved(way):
        made = order(bob)
        with pytest.raises(quota.QuotaExceeded):
            order(bob)
    with pytest.raises(quota.QuotaExceeded):
        order(bob)
    assert abs((made.created_at - database_now()).total_seconds()) < 60
    assert quota.standing(bob)[0].used == 1


def test_a_key_that_was_just_used_still_stands_for_its_order(bob: Membership) -> None:
    made = order(bob, "lesson-1")
    with moved(DAY + 60):
        assert order(bob, "lesson-1") == made


@EITHER_WAY
@pytest.mark.parametrize("state", [thorough("queued"), thorough("running"), "gathering"])
def test_whatever_waits_comes_to_its_own_end(way: float, state: str, bob: Membership, sandbox: Any) -> None:
    """The clock moves while it waits there, and stays moved."""
    row = order(bob)
    if state != "queued":
        for one in dispatch.claim(Connection.current(), 1):
            dispatch.send(one)
    if state == "gathering":
        for _ in range(200):
            Generation.objects.update(next_check_at=timezone.now())
            for one in follow.claim(1):
                follow.look(one)
            row.refresh_from_db()
            if row.status == State.GATHERING:
                break
            watch.time.sleep(0.02)
        sandbox.script("result", {"http": 404}, {"http": 502})
    row.refresh_from_db()
    assert row.status == state
    with moved(way):
        sweep()
        run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.outputs.count(), len(sandbox.submits)) == (State.SUCCEEDED, 1, 1)


def test_a_copy_that_fails_after_the_clock_went_ahead_is_tried_again(
    bob: Membership, make_generation: Callable[..., Generation], sandbox: Any
) -> None:
    """Its deadline seems long past, but hardly anything was tried; money was spent on it."""
    results = [{"url": f"{sandbox.url}/results/none.mp3", "output_type": "mp3"}]
    row = make_generation(
        bob, status=State.GATHERING, results=results, deadline_at=timezone.now() + timedelta(hours=20)
    )
    with moved(DAY):
        for one in gather.claim(1):
            gather.gather(one)
        row.refresh_from_db()
        assert (row.status, row.faults) == (State.GATHERING, 1)
        Generation.objects.filter(pk=row.pk).update(
            faults=gather.TRIES_AT_LEAST, next_check_at=timezone.now()
        )
        for one in gather.claim(1):
            gather.gather(one)
    row.refresh_from_db()
    assert row.status == State.FAILED, "tried often enough, its time is over"


@pytest.mark.parametrize("waited", [timedelta(0), timedelta(days=6, hours=12)])
def test_what_waits_to_be_sent_is_not_given_up_because_a_clock_went_ahead(
    waited: timedelta, bob: Membership
) -> None:
    row = order(bob)
    now = timezone.now()
    Generation.objects.update(deadline_at=now + timedelta(days=7) - waited)
    Heartbeat.beat("sweep", holder="sweep")
    with moved(DAY):
        sweep()
        sweep()
    row.refresh_from_db()
    assert row.status == State.QUEUED


@EITHER_WAY
def test_what_runs_is_not_called_overdue(
    way: float, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    now = timezone.now()
    row = make_generation(
        bob,
        status=State.RUNNING,
        upstream_id="7",
        dispatched_at=now,
        deadline_at=now + timedelta(minutes=30),
        next_check_at=now + timedelta(hours=1),
    )
    Heartbeat.beat("sweep", holder="sweep")
    with moved(way):
        sweep()
        row.refresh_from_db()
        assert row.deadline_at
        assert row.deadline_at > timezone.now()
        assert row.overdue_at is None
        assert row.next_check_at
        assert row.next_check_at <= timezone.now() + timedelta(hours=2)


@pytest.mark.parametrize("lease", [None, timedelta(minutes=1)], ids=["free", "of a killed worker"])
def test_nothing_waits_an_hour_because_a_clock_was_an_hour_ahead(
    lease: timedelta | None, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=State.RUNNING, upstream_id="7", dispatched_at=timezone.now())
    with moved(3600):
        until = timezone.now() + lease if lease else None
        Generation.objects.filter(pk=row.pk).update(next_check_at=timezone.now(), lease_until=until)
        Heartbeat.beat("sweep", holder="sweep")
    assert follow.claim(1) == []
    sweep()
    assert [one.pk for one in follow.claim(1)] == [row.pk]


def test_what_is_being_sent_is_not_taken_for_lost_because_a_clock_went_back(bob: Membership) -> None:
    order(bob)
    with moved(3600):
        Generation.objects.update(next_check_at=timezone.now())
        (claimed,) = dispatch.claim(Connection.current(), 1)
        Generation.objects.filter(pk=claimed.pk).update(submitting_at=timezone.now())
        Heartbeat.beat("sweep", holder="sweep")
    sweep()
    claimed.refresh_from_db()
    assert claimed.status == State.DISPATCHING


def test_questions_do_not_wait_for_the_time_that_a_clock_showed(bob: Membership) -> None:
    connection = Connection.current()
    with moved(DAY):
        account = AccountAnswer.objects.create(connection=connection, wanted_at=timezone.now())
        check = PriceCheck.objects.create(
            team=bob.team, connection=connection, model=MODEL, digest="d", params={}, wanted_at=timezone.now()
        )
        assert account.take()
        assert check.take()
    assert not account.take()
    sweep()
    assert account.take()
    assert check.take()


@EITHER_WAY
def test_a_submit_on_the_wire_is_never_sent_again(way: float, bob: Membership, sandbox: Any) -> None:
    """Another host, whose clock is off, sweeps while the answer is on its way."""
    row = order(bob)
    (claimed,) = dispatch.claim(Connection.current(), 1)
    Generation.objects.filter(pk=row.pk).update(submitting_at=timezone.now())
    with moved(way):
        sweep()
        assert dispatch.claim(Connection.current(), 5) == []
    dispatch._accepted(claimed, "1234567890", "RUNNING", 1.0, 60.0)
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.RUNNING, "1234567890")


@EITHER_WAY
def test_one_watches_soon_again(way: float) -> None:
    assert Heartbeat.take("watcher", "one", stale_after=watch.STALE)
    with moved(way):
        assert Heartbeat.take("watcher", "two", stale_after=watch.STALE)


@EITHER_WAY
def test_a_member_stays_signed_in(way: float, bob: Membership, client_of: Any) -> None:
    browser = client_of(bob)
    with moved(way):
        assert browser.get("/")["Location"].endswith("/create/")


def test_the_clock_of_these_tests_moves_what_django_takes_for_the_time() -> None:
    signer, before = TimestampSigner(), timezone.now()
    with moved(DAY):
        assert timedelta(hours=23) < timezone.now() - before < timedelta(hours=25)
        assert abs((database_now() - before).total_seconds()) < 60
        assert Clock.ahead() == DAY
    assert timezone.now() - before < timedelta(minutes=1)
    assert signer.unsign(signer.sign("still"), max_age=60) == "still"
