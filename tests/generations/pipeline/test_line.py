"""The line as dispatch works through it: turns of teams and members, and what pages say about it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Membership, Role, Team
from generations import progress
from generations.models import Connection, Generation, State
from generations.pipeline import dispatch
from generations.pipeline.pacing import pace
from generations.sandbox import Sandbox
from tests.conftest import MODEL, join, one_round, point_at

Make = Callable[..., Generation]
PARAMS = {"prompt": "x", "sampleRate": "44100", "bitrate": "256000", "format": "mp3"}


def many(member: Membership, count: int, **fields: Any) -> list[Generation]:
    now = timezone.now()
    values = {
        "team": member.team, "author": member.user, "connection": Connection.current(), "model": MODEL,
        "kind": "music", "title": "Rain", "params": PARAMS, "status": State.QUEUED, "next_check_at": now,
    }  # fmt: skip
    return Generation.objects.bulk_create(Generation(**{**values, **fields}) for _ in range(count))


def sent(count: int) -> list[int]:
    rows = Generation.objects.exclude(submitting_at=None).order_by("submitting_at")
    return list(rows.values_list("author", flat=True))[-count:]


@pytest.mark.thorough
def test_two_of_a_colleague_are_sent_within_one_turn_of_a_slot(
    settings: Any, bob: Membership, carol: Membership
) -> None:
    """Ten slots, 200 of Bob's: he fills them. Carol adds two; the next two slots that are free are hers."""
    with Sandbox(slots=10, pace=0, quick=True) as sandbox:
        point_at(settings, sandbox.url)
        sandbox.script("submit", {"hang": True, "times": 0})
        many(bob, 200)
        one_round()
        assert sent(99) == [bob.user_id] * 10
        hers = many(carol, 2)
        one_round()
        assert len(sandbox.submits) == 10, "no slot is free"
        places = progress.places(Connection.current(), hers, {})
        assert [places[row.pk].position for row in hers] == [1, 2]
        assert places[hers[0].pk].why.code == "slots"
        for row in Generation.objects.filter(status=State.RUNNING)[:2]:
            row.connection.refresh_from_db()
            Generation.objects.move(row.pk, State.RUNNING, State.FAILED)
            sandbox.tasks[row.upstream_id].fail(1501)
        one_round()
        assert sent(2) == [carol.user_id] * 2
        assert len(sandbox.submits) == 12
        assert dict(Generation.objects.filter(status=State.RUNNING).values_list("pk", "author")).keys() >= {
            row.pk for row in hers
        }


def test_more_of_one_member_than_the_team_allows_wait_and_say_so(
    sandbox: Any, bob: Membership, carol: Membership
) -> None:
    Team.objects.update(member_slots=1)
    sandbox.script("submit", {"hang": True, "times": 0})
    mine, hers = many(bob, 2), many(carol, 1)
    one_round()
    one_round()
    assert sorted(sent(9)) == sorted([bob.user_id, carol.user_id])
    place = progress.places(Connection.current(), [Generation.objects.get(pk=mine[1].pk)], {})[mine[1].pk]
    assert (place.why.code, place.why.count, place.position) == ("member", 1, 1)
    assert Generation.objects.get(pk=hers[0].pk).status == State.RUNNING


def test_a_team_of_weight_two_gets_two_slots_of_three(sandbox: Any, bob: Membership, zoe: Membership) -> None:
    Team.objects.filter(pk=zoe.team_id).update(weight=2)
    sandbox.script("submit", {"hang": True, "times": 0})
    many(bob, 5)
    many(zoe, 5)
    one_round()
    assert sorted(sent(9)) == sorted([bob.user_id, zoe.user_id, zoe.user_id])


WAITS = {
    "slots": ({"slots": 0}, {}),
    "turn": ({}, {}),
    "paused": ({"paused_at": 0, "paused_code": "manager", "paused_reason": "Mona paused it: bills."}, {}),
    "funds": ({"paused_at": 0, "paused_code": "416", "paused_reason": "The wallet is empty."}, {}),
    "full": ({"full_until": 60}, {"error_code": "421"}),
    "rate": ({"full_until": 60}, {"error_code": "1003"}),
    "unreachable": ({"full_until": 60}, {"error_code": "unreachable"}),
    "model_full": ({}, {"error_code": "1011", "next_check_at": 90}),
    "later": ({}, {"error_code": "808", "next_check_at": 90}),
    "elsewhere": ({"base_url": "https://www.runninghub.cn"}, {}),
    "parked": ({}, {"parked_at": 0}),
}


@pytest.mark.parametrize("reason", WAITS)
def test_why_it_waits(reason: str, bob: Membership, make_generation: Make) -> None:
    def timed(fields: dict[str, Any]) -> dict[str, Any]:
        moments = {"paused_at", "full_until", "next_check_at", "parked_at"}
        now = timezone.now()
        return {k: now + timedelta(seconds=v) if k in moments else v for k, v in fields.items()}

    connection, fields = WAITS[reason]
    row = make_generation(bob, status=State.QUEUED, **timed(fields))
    Connection.objects.update(**{"slots": 3, **timed(connection)})
    place = progress.places(Connection.objects.get(), [row], {})[row.pk]
    assert place.why.code == reason
    known = reason not in {"paused", "funds", "elsewhere", "parked", "slots"}
    assert (place.position is not None) == known
    if reason in {"full", "rate", "unreachable", "model_full", "later"}:
        assert place.why.until is not None
        assert place.low is not None
        assert place.low > 50


def test_a_lost_answer_holds_its_slot_in_the_forecast(bob: Membership, make_generation: Make) -> None:
    make_generation(bob, status=State.UNCONFIRMED, submitting_at=timezone.now() - timedelta(minutes=4))
    row = make_generation(bob, status=State.QUEUED)
    Connection.objects.update(slots=1)
    place = progress.places(Connection.current(), [row], {})[row.pk]
    assert place.low == pytest.approx(360, abs=3)


@pytest.mark.thorough
def test_ten_thousand_that_wait_are_a_few_queries_and_no_long_wait(
    bob: Membership, carol: Membership
) -> None:
    def asked(row: Generation) -> tuple[int, float]:
        with CaptureQueriesContext(database) as queries:
            began = timezone.now()
            progress.places(Connection.current(), [row], {MODEL: pace([], 60.0)})
        return len(queries), (timezone.now() - began).total_seconds()

    many(bob, 10)
    mine = many(carol, 1)[0]
    few, _ = asked(mine)
    many(bob, 2000)
    count, seconds = asked(mine)
    assert count == few <= 4
    assert seconds < 1.0
    assert progress.places(Connection.current(), [mine], {})[mine.pk].position == 2
    assert asked(mine)[0] == 1, "of the connection: all who look within two seconds share one answer"
    last = Generation.objects.filter(author=bob.user).latest("pk")
    assert progress.places(Connection.current(), [last], {})[last.pk].position is None
    new = many(carol, 1)[0]
    place = progress.places(Connection.current(), [new], {})[new.pk]
    assert place.position == 5, (
        "a new one is not forgotten: behind the first three and one that takes their slot"
    )


@pytest.mark.thorough
class TheOrder(TestCase):
    """Whatever waits and runs: those that are said to start now are those that dispatch takes, in that order."""

    numbers = itertools.count()

    @settings(deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), min_size=1, max_size=12),
        st.lists(st.integers(0, 2), max_size=4),
        st.lists(st.integers(1, 4), min_size=2, max_size=2),
        st.none() | st.integers(1, 2),
        st.integers(1, 8),
    )
    def test_is_that_of_dispatch(
        self, waits: Any, runs: list[int], weights: list[int], most: int | None, slots: int
    ) -> None:
        Connection.current()
        Connection.objects.update(slots=slots, used_outside=0, full_until=None)
        Generation.objects.all().delete()
        teams = [
            Team.objects.create(slug=f"t{next(self.numbers)}", name="T", weight=w, member_slots=most)
            for w in weights
        ]
        people = [join(teams[n % 2], f"m{next(self.numbers)}", Role.MEMBER) for n in range(3)]
        for n, who in enumerate(runs):
            many(people[who], 1, status=State.RUNNING, upstream_id=str(n), dispatched_at=timezone.now())
        now = timezone.now()
        rows = [
            many(people[who], 1, next_check_at=now + timedelta(seconds=30 * (late > 15)))[0]
            for who, late in waits
        ]
        places = progress.places(Connection.current(), rows, {})
        soon = [pk for pk, place in places.items() if place.high is not None and place.high < 1]
        said = sorted(soon, key=lambda pk: places[pk].position or 0)
        taken = dispatch.claim(Connection.current(), 16)
        assert [row.pk for row in taken] == said
