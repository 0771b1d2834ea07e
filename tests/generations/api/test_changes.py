"""What happened in a team: in order, once, complete, also while many write at once."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ApiToken, Membership, Role, Team
from generations.models import Change, Connection, Feed, Generation, State
from generations.pipeline import announce
from tests.conftest import MODEL, join
from tests.effort import THOROUGH
from tests.generations.api.conftest import Program


def read(program: Program, since: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        body = program.get("changes", {"since": since}).json()
        found += body["items"]
        assert body["next"] >= since
        since = body["next"]
        if not body["more"]:
            return found


def test_a_generation_is_seen_from_its_order_to_its_end(bob: Membership, program_of: Any) -> None:
    program = program_of(bob)
    start = program.get("changes").json()
    assert start == {"items": [], "next": 0, "more": False}
    made = program.post("generations", {"model": MODEL, "params": {"prompt": "Rain"}}).json()["id"]
    [first] = read(program)
    assert (first["number"], first["event"], first["subject"]) == (1, "generation.queued", made)
    assert first["data"]["status"] == "queued"
    assert "params" not in first["data"]
    Generation.objects.move(made, State.QUEUED, State.RUNNING, upstream_id="1")
    Generation.objects.move(made, State.RUNNING, State.SUCCEEDED)
    [second] = read(program, since=1)
    assert (second["number"], second["event"]) == (2, "generation.finished")
    assert read(program, since=2) == []
    assert [one["number"] for one in read(program)] == [1, 2]


def test_a_colleague_sees_what_is_open_and_what_concerns_them(
    bob: Membership, carol: Membership, mona: Membership, zoe: Membership, program_of: Any
) -> None:
    Change.note(bob.team, "allowance.asked", person=bob.user)
    Change.note(bob.team, "generation.finished", is_open=True)
    seen = {who.user.name: [one["event"] for one in read(program_of(who))] for who in (bob, carol, mona, zoe)}
    both = ["allowance.asked", "generation.finished"]
    assert seen == {"Bob": both, "Carol": both[1:], "Mona": both, "Zoe": []}


def test_pages_hang_together(bob: Membership, program_of: Any) -> None:
    for place in range(450):
        Change.note(bob.team, "generation.finished", is_open=True, place=place)
    assert [one["data"]["place"] for one in read(program_of(bob))] == list(range(450))


def test_what_is_not_kept_any_more_is_said(bob: Membership, program_of: Any) -> None:
    for _ in range(3):
        Change.note(bob.team, "generation.finished", is_open=True)
    announce.number(bob.team)
    Change.objects.filter(number__lte=2).update(at=timezone.now() - timedelta(days=31))
    assert announce.forget_old() == 2
    program = program_of(bob)
    gone = program.get("changes", {"since": 1})
    assert (gone.status_code, gone.json()["code"], gone.json()["begin_at"]) == (410, "changes_forgotten", 3)
    assert [one["number"] for one in read(program, since=2)] == [3]


@pytest.mark.django_db(transaction=True)
def test_a_change_in_the_moment_of_numbering_is_told_as_well(bob: Membership, make_generation: Any) -> None:
    """It is being moved on while numbers are given: it is told as what it is then, once."""
    row = make_generation(bob, status=State.RUNNING, untold_at=timezone.now())
    moved, numbered = threading.Event(), threading.Event()

    def move() -> None:
        with transaction.atomic():
            Generation.objects.move(row.pk, State.RUNNING, State.SUCCEEDED)
            moved.set()
            numbered.wait(0.5)  # on SQLite numbers are given after this, on PostgreSQL beside it
        connection.close()

    mover = threading.Thread(target=move)
    mover.start()
    moved.wait(60)
    announce.number(bob.team)
    numbered.set()
    mover.join(60)
    announce.number(bob.team)
    assert [one.event for one in Change.objects.all()] == ["generation.finished"]


@pytest.mark.parametrize("since", ["-1", "x", "1.5", str(2**70), ""])
def test_a_number_that_is_none_is_refused(since: str, bob: Membership, program_of: Any) -> None:
    assert program_of(bob).get("changes", {"since": since}).status_code == 422


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_nothing_is_skipped_or_repeated_while_many_write() -> None:
    """Transactions end in another order than they began; a reader that follows never misses one of them."""
    team = Team.objects.create(slug="tide", name="Tide")
    bob = join(team, "bob", Role.MEMBER)
    here, text = Connection.current(), ApiToken.issue(bob)
    writers, each = (8, 25) if THOROUGH else (4, 8)
    done, faults = threading.Event(), []

    def write(who: int) -> None:
        chance = random.Random(who)
        try:
            for turn in range(each):
                with transaction.atomic():
                    Change.note(team, "test.note", is_open=True, who=who, turn=turn)
                    if connection.vendor == "postgresql":
                        time.sleep(chance.random() / 50)
                row = Generation.objects.create(
                    team=team, author=bob.user, connection=here, model=MODEL, kind="music", title=f"{who} {turn}",
                    params={}, status=State.QUEUED, untold_at=timezone.now(),
                )  # fmt: skip
                Generation.objects.move(row.pk, State.QUEUED, State.RUNNING, upstream_id=f"{who}-{turn}")
                Generation.objects.move(row.pk, State.RUNNING, State.SUCCEEDED)
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    read_by: dict[str, list[dict[str, Any]]] = {"first": [], "second": []}

    def follow(name: str) -> None:
        since, program = 0, Program(text)
        try:
            while True:
                last = done.is_set()
                some = read(program, since)
                read_by[name] += some
                since = some[-1]["number"] if some else since
                if last:
                    return
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    readers = [threading.Thread(target=follow, args=[name]) for name in read_by]
    threads = [threading.Thread(target=write, args=[who]) for who in range(writers)]
    for thread in [*readers, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert not faults
    assert read_by["first"] == read_by["second"]
    found = read_by["first"]
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    assert Feed.objects.get().last == len(found)
    notes = [(one["data"]["who"], one["data"]["turn"]) for one in found if one["event"] == "test.note"]
    assert sorted(notes) == [(who, turn) for who in range(writers) for turn in range(each)]
    ended = [one["subject"] for one in found if one["event"] == "generation.finished"]
    assert sorted(ended) == sorted(str(pk) for pk in Generation.objects.values_list("pk", flat=True))
