"""What running apps and workflows tell of themselves moves a bar on pages, and nothing else in the world."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from generations import live, upstream
from generations.models import Connection, Generation, State
from generations.pipeline import dispatch, follow, gather
from generations.pipeline.accept import accept
from generations.pipeline.listen import LATER, LATEST, MOST, TRIES, Listening, Tries
from generations.pipeline.manners import polite
from tests.conftest import point_at
from tests.generations import wires
from tests.generations.foreign import WORKFLOW, Foreign
from tests.generations.test_own_models_live import brought, settled
from tests.generations.wires import Behaviour, Wires

pytestmark = pytest.mark.django_db(transaction=True)
BrowserOf = Callable[[Membership], Client]


@pytest.fixture
def foreign(settings: Any) -> Iterator[Foreign]:
    settings.LISTENS = True
    settings.RUNNINGHUB_SLOTS = 50
    with Foreign() as server:
        point_at(settings, server.url)
        server.running = True
        yield server
    cache.clear()


@pytest.fixture
def listening() -> Iterator[Listening]:
    listening = Listening(every=0.05)
    yield listening
    listening.close()


def running(by: Membership, many: int = 1) -> list[Generation]:
    """Of a workflow, sent and under way."""
    spec = settled(brought(by, "workflow", WORKFLOW), by, {"text": {"use": "ask"}, "seed": {"use": "ask"}})
    rows = [accept(by, spec.slug, {"text": "a pier", "seed": str(n)}).generation for n in range(many)]
    for row in dispatch.claim(Connection.current(), many):
        dispatch.send(row)
    found = list(Generation.objects.filter(pk__in=[row.pk for row in rows]))
    assert {row.status for row in found} == {State.RUNNING}
    return found


def told(row: Generation, seconds: float = 5.0) -> live.Live | None:
    """What pages know, as soon as they know anything."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := live.of([row]).get(row.pk):
            return found
        time.sleep(0.02)
    return None


def quiet(listening: Listening, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if listening.is_quiet:
            return True
        time.sleep(0.02)
    return False


def test_pages_show_what_it_tells_and_no_browser_gets_the_address(
    foreign: Foreign, listening: Listening, mona: Membership, bob: Membership, client_of: BrowserOf
) -> None:
    with Wires(wires.tells) as server:
        foreign.wire = server.url
        (row,) = running(mona)
        page = reverse("generation", args=["tide", row.pk])
        status = reverse("generation_status", args=["tide", row.pk])
        before = client_of(bob).get(page).content.decode()
        assert "RunningHub tells" not in before
        listening.notice([row])
        assert told(row) == live.Live("KSampler", 35)
        for address in (page, reverse("studio", args=["tide"])):
            text = client_of(bob).get(address).content.decode()
            assert "KSampler · 35 %" in text
            assert 'data-live="35"' in text
            assert "very-secret" not in text
            assert "ws://" not in text
        # A page that is open asks, and gets the part that changed.
        seen = before[before.index("seen=") + 5 : before.index("&amp;mark=")]
        part = client_of(bob).get(status, {"seen": seen, "mark": "x"}).content.decode()
        assert "KSampler · 35 %" in part
        assert 'id="generation"' not in part


def test_a_stranger_sees_none_of_it(
    foreign: Foreign, listening: Listening, mona: Membership, zoe: Membership, client_of: BrowserOf
) -> None:
    with Wires(wires.tells) as server:
        foreign.wire = server.url
        (row,) = running(mona)
        listening.notice([row])
        assert told(row)
        assert client_of(zoe).get(reverse("generation_status", args=["tide", row.pk])).status_code == 404
        assert "KSampler" not in client_of(zoe).get(reverse("studio", args=["zoo"])).content.decode()


@pytest.mark.parametrize(
    "behaviour",
    [
        wires.silent,
        wires.never_greets,
        wires.no_websocket,
        wires.drips,
        wires.noise,
        wires.endless,
        wires.too_long,
        wires.closes,
        wires.breaks,
        wires.lies,
    ],
    ids=lambda one: one.__name__,
)
def test_whatever_the_wire_does_the_row_is_as_polling_says(
    behaviour: Behaviour, foreign: Foreign, listening: Listening, mona: Membership
) -> None:
    with Wires(behaviour) as server:
        foreign.wire = server.url
        (row,) = running(mona)
        fields = Generation.objects.filter(pk=row.pk).values().get()
        listening.notice([row])
        until = time.monotonic() + 5
        while not server.lines and time.monotonic() < until:
            time.sleep(0.02)
        told(row, 0.5)
        assert len(server.lines) >= 1
        assert Generation.objects.filter(pk=row.pk).values().get() == fields
        # Polling goes on as if there were no wire, and its word ends the generation.
        began = time.monotonic()
        Generation.objects.filter(pk=row.pk).update(next_check_at=timezone.now())
        follow.look(follow.claim(1)[0])
        assert Generation.objects.get(pk=row.pk).status == State.RUNNING
        foreign.running = False
        Generation.objects.filter(pk=row.pk).update(next_check_at=timezone.now())
        follow.look(follow.claim(1)[0])
        gather.gather(gather.claim(1)[0])
        assert time.monotonic() - began < 5
        row = Generation.objects.get(pk=row.pk)
        assert row.status == State.SUCCEEDED
        assert live.of([row]) == {}
        assert quiet(listening, 12)
    assert len(foreign.started) == 1


def test_a_lie_moves_the_bar_and_nothing_else(
    foreign: Foreign, listening: Listening, mona: Membership, client_of: BrowserOf
) -> None:
    with Wires(wires.lies) as server:
        foreign.wire = server.url
        (row,) = running(mona)
        listening.notice([row])
        assert told(row) in (live.Live("", 100), live.Live("KSampler", 100))
        page = client_of(mona).get(reverse("generation", args=["tide", row.pk])).content.decode()
        assert 'data-live="100"' in page
        assert "Running" in page
        assert "Finished" not in page
        row.refresh_from_db()
        assert (row.status, row.cost_actual, row.upstream_done_at) == (State.RUNNING, None, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 813, "msg": "APIKEY_TASK_IS_QUEUED", "data": None},
        {"code": 804, "msg": "APIKEY_TASK_IS_RUNNING", "data": {"netWssUrl": None}},
        {"code": 804, "msg": "APIKEY_TASK_IS_RUNNING", "data": {"netWssUrl": {"a": 1}}},
        {"code": 804, "msg": "APIKEY_TASK_IS_RUNNING", "data": {"netWssUrl": "wss://10.0.0.1/ws"}},
        {"code": 804, "msg": "APIKEY_TASK_IS_RUNNING", "data": {"netWssUrl": "nonsense"}},
        {"code": 412, "msg": "TOKEN_INVALID", "data": None},
        {"code": 0, "msg": "success", "data": []},
        "cut",
    ],
    ids=["queued", "none", "no text", "private", "nonsense", "unknown path", "done", "cut"],
)
def test_without_an_address_nothing_is_said_and_few_questions_are_asked(
    answer: Any, foreign: Foreign, mona: Membership
) -> None:
    listening = Listening(every=0.02)
    foreign.faults["outputs"] = [answer] * 50
    (row,) = running(mona)
    listening.notice([row])
    time.sleep(0.6)
    listening.close()
    assert live.of([row]) == {}
    assert foreign.asked.count("/task/openapi/outputs") == 1  # the next one is due only seconds later
    assert TRIES < 10


def test_only_so_many_wires_at_once_and_each_task_once(foreign: Foreign, mona: Membership) -> None:
    one, other = Listening(every=0.05), Listening(every=0.05)
    with Wires(wires.tells) as server:
        foreign.wire = server.url
        rows = running(mona, 2 * MOST + 3)
        for each in (one, other):
            each.notice(rows)
            each.notice(rows)
        until = time.monotonic() + 8
        while len(server.lines) < 2 * MOST and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        assert len(server.lines) == 2 * MOST
        assert (len(one.ears), len(other.ears)) == (MOST, MOST)
        assert not set(one.ears) & set(other.ears)
        one.close()
        other.close()
    assert not one.ears
    assert not other.ears


def test_it_can_be_turned_off_and_standard_models_are_not_listened_to(
    foreign: Foreign, mona: Membership, settings: Any, make_generation: Callable[..., Generation]
) -> None:
    (row,) = running(mona)
    plain = make_generation(mona, status=State.RUNNING, upstream_id="1", dispatched_at=timezone.now())
    listening = Listening()
    listening.notice([plain])
    assert listening.thread is None
    settings.LISTENS = False
    listening.notice([row])
    assert listening.thread is None
    with CaptureQueriesContext(connection) as asked:
        assert live.of([plain]) == {}
    assert len(asked) == 0


def test_noticing_asks_nothing_of_the_database(foreign: Foreign, mona: Membership) -> None:
    (row,) = running(mona)
    listening = Listening()
    with CaptureQueriesContext(connection) as asked:
        listening.notice([row])
    listening.close()
    assert len(asked) == 0


OUTPUTS = "/task/openapi/outputs"
REFUSED = {"code": 412, "msg": "TOKEN_INVALID", "data": None}
QUEUED = {"code": 813, "msg": "APIKEY_TASK_IS_QUEUED", "data": None}


@pytest.fixture
def by_hand(foreign: Foreign) -> Iterator[Listening]:
    """Without its thread: turns are those of the test."""
    listening = Listening(later=0.0)
    yield listening
    foreign.gate.set()
    Generation.objects.update(status=State.FAILED)
    listening.turn()
    listening.close()


def turn(listening: Listening, rows: list[Generation]) -> None:
    """One, and all that its ears have to ask."""
    listening.noticed |= {row.pk for row in rows}
    listening.turn()
    for ear in listening.ears.values():
        ear.thread.join(10)
        assert not ear.thread.is_alive()


def heard(listening: Listening, many: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if sum(ear.heard is not None for ear in listening.ears.values()) == many:
            return True
        time.sleep(0.01)
    return False


def test_an_ear_that_still_waits_for_an_answer_counts(
    foreign: Foreign, by_hand: Listening, mona: Membership
) -> None:
    rows = running(mona, MOST + 2)
    foreign.gate.clear()
    by_hand.noticed = {row.pk for row in rows[:MOST]}
    by_hand.turn()
    waiting = list(by_hand.ears.values())
    assert len(waiting) == MOST
    Generation.objects.filter(pk__in=by_hand.noticed).update(status=State.FAILED)
    by_hand.noticed |= {row.pk for row in rows[MOST:]}
    by_hand.turn()
    assert not by_hand.ears
    assert not by_hand.is_quiet
    assert all(ear.thread.is_alive() for ear in waiting)
    foreign.gate.set()
    for ear in waiting:
        ear.thread.join(10)
    assert by_hand.is_quiet
    by_hand.turn()
    assert set(by_hand.ears) == {row.pk for row in rows[MOST:]}


def test_to_ask_for_an_address_is_a_call_of_the_connection(
    foreign: Foreign, by_hand: Listening, mona: Membership, settings: Any
) -> None:
    """What it may ask for is taken from the same measure as submits and looks."""
    settings.CALLS_PER_SECOND = 1e-6
    rows = running(mona, 3)
    calls = polite(rows[0].connection)
    calls.left = 0.0
    turn(by_hand, rows)
    assert foreign.asked.count(OUTPUTS) == 0
    assert live.taken([row.pk for row in rows]) == {}
    settings.CALLS_PER_SECOND = 2.0
    calls.room(time.monotonic())
    calls.left = 2.0
    turn(by_hand, rows)
    assert foreign.asked.count(OUTPUTS) == 2
    assert calls.left < 1


def test_those_that_were_given_up_keep_nobody_out(
    foreign: Foreign, by_hand: Listening, mona: Membership
) -> None:
    *lost, fresh = running(mona, MOST + 1)
    foreign.faults["outputs"] = [REFUSED] * (MOST * TRIES)
    for _ in range(TRIES + 2):
        turn(by_hand, lost)
    assert foreign.asked.count(OUTPUTS) == MOST * TRIES
    turn(by_hand, [*lost, fresh])
    assert set(by_hand.ears) == {fresh.pk}


def test_those_that_were_never_asked_about_come_first(
    foreign: Foreign, by_hand: Listening, mona: Membership
) -> None:
    rows = running(mona, 2 * MOST)
    foreign.faults["outputs"] = [QUEUED] * MOST
    turn(by_hand, rows[:MOST])
    turn(by_hand, rows)
    assert set(by_hand.ears) == {row.pk for row in rows[MOST:]}


def test_what_waits_upstream_is_listened_to_once_it_runs(
    foreign: Foreign, by_hand: Listening, mona: Membership
) -> None:
    """To have no address yet is no failure, however often it is asked."""
    (row,) = running(mona)
    foreign.faults["outputs"] = [QUEUED] * (2 * TRIES)
    for _ in range(2 * TRIES):
        turn(by_hand, [row])
    with Wires(wires.tells) as server:
        foreign.wire = server.url
        by_hand.turn()
        assert heard(by_hand, 1)
        by_hand.turn()
        assert live.of([row])


def test_it_is_asked_ever_later_and_not_never() -> None:
    tries, dues = Tries(), []
    for _ in range(50):
        tries.begin(100.0, LATER)
        dues.append(tries.due - 100)
    assert dues[:3] == [LATER, 2 * LATER, 4 * LATER]
    assert dues[3:] == [LATEST] * 47


def test_a_turn_reads_only_what_listening_needs(
    foreign: Foreign, by_hand: Listening, mona: Membership
) -> None:
    (row,) = running(mona)
    by_hand.noticed = {row.pk}
    with CaptureQueriesContext(connection) as asked:
        by_hand.turn()
    (read,) = [one["sql"] for one in asked if 'FROM "generations_generation"' in one["sql"]]
    assert '"upstream_id"' in read
    for column in ("params", "results", "search_text"):
        assert f'"generations_generation"."{column}"' not in read
    (ear,) = by_hand.ears.values()
    ear.thread.join(10)
    with CaptureQueriesContext(connection) as more:
        upstream.get_client(ear.row.connection)
        assert (ear.row.upstream_id, ear.row.model, ear.row.form) == (row.upstream_id, row.model, row.form)
    assert len(more) == 0


def test_all_that_was_heard_is_one_value_and_written_when_it_changed(
    foreign: Foreign, by_hand: Listening, mona: Membership
) -> None:
    rows = running(mona, MOST)
    pks = [row.pk for row in rows]
    with Wires(wires.tells) as server:
        foreign.wire = server.url
        by_hand.noticed = set(pks)
        by_hand.turn()
        assert heard(by_hand, MOST)
        by_hand.turn()
        for number, pk in enumerate(pks):
            by_hand.ears[pk].heard = live.Live("KSampler", number)
        with CaptureQueriesContext(connection) as changed:
            by_hand.turn()
        with CaptureQueriesContext(connection) as alike:
            by_hand.turn()
        assert live.of(rows) == {pk: live.Live("KSampler", number) for number, pk in enumerate(pks)}
        # Whom it listens to is said again now and then, so that nobody else does.
        live.leave(pks)
        assert live.of(rows) == {}
        by_hand.held_at -= live.HELD
        by_hand.turn()
        assert live.taken(pks) == dict.fromkeys(pks, by_hand.name)
        Generation.objects.filter(pk__in=pks).update(status=State.FAILED)
        by_hand.turn()
        assert live.taken(pks) == {}
    writes = [sum("COUNT(*)" in one["sql"] for one in queries) for queries in (changed, alike)]
    assert writes in ([1, 0], [0, 0])  # none in Redis
