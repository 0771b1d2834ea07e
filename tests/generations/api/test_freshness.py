"""ETag, 304 and Retry-After: asking again is cheap, and never told that something old is new."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiToken, Membership
from generations.models import Change, Generation, State
from generations.views.api import freshness
from tests.conftest import MODEL
from tests.generations.api.conftest import Program


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    program: Program = program_of(bob)
    program.get("me")
    return program


NOW = "2026-01-01T00:00:00Z"
READS = ["me", "usage", "models", f"models/{MODEL}", "voices", "generations", "changes", "changes?since=0"]


@pytest.mark.thorough
@pytest.mark.parametrize("path", READS)
def test_every_read_has_a_mark_and_is_not_sent_twice(
    path: str, bobs: Program, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, outputs=1)
    first = bobs.get(path)
    assert first.status_code == 200
    again = bobs.get(path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert bobs.get(path, If_None_Match='"other"').status_code == 200


@pytest.mark.thorough
def test_one_generation_is_new_when_anything_of_it_is(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, status=State.RUNNING, dispatched_at=timezone.now(), upstream_id="1")
    path = f"generations/{row.pk}"
    while time.time() % freshness.CLOCK > freshness.CLOCK - 4:  # the mark of what runs changes with the clock
        time.sleep(0.1)
    first = bobs.get(path)
    known = first.headers["ETag"]
    with CaptureQueriesContext(connection) as cheap:
        assert bobs.get(path, If_None_Match=known).status_code == 304
    with CaptureQueriesContext(connection) as full:
        assert bobs.get(path).status_code == 200
    assert len(full) > 3
    assert len(cheap) <= 5
    Generation.objects.move(row.pk, State.RUNNING, State.SUCCEEDED)
    second = bobs.get(path, If_None_Match=known)
    assert (second.status_code, second.json()["status"]) == (200, "succeeded")
    Generation.objects.filter(pk=row.pk).update(title="Else")
    assert bobs.get(path, If_None_Match=second.headers["ETag"]).status_code == 200
    assert bobs.get("generations", If_None_Match=known).status_code == 200


def test_a_mark_is_of_one_member_and_one_address(
    bobs: Program, carol: Membership, zoe: Membership, bob: Membership, make_generation: Any, program_of: Any
) -> None:
    row = make_generation(bob)
    known = bobs.get(f"generations/{row.pk}").headers["ETag"]
    assert program_of(carol).get(f"generations/{row.pk}", If_None_Match=known).status_code == 200
    assert program_of(zoe).get(f"generations/{row.pk}", If_None_Match=known).status_code == 404
    assert bobs.get("generations", {"q": "rain"}, If_None_Match=known).status_code == 200


@pytest.mark.parametrize(
    "away", [{"is_private": True}, {"trashed_at": NOW}, {"trashed_at": NOW, "purged_at": NOW}]
)
def test_whoever_names_any_mark_learns_nothing_of_what_is_not_theirs(
    away: dict[str, Any], bob: Membership, carol: Membership, make_generation: Any, program_of: Any
) -> None:
    row = make_generation(bob)
    path, carols = f"generations/{row.pk}", program_of(carol)
    known = carols.get(path).headers["ETag"]
    assert [carols.get(path, If_None_Match=known).status_code for _ in range(2)] == [304, 304]
    Generation.objects.filter(pk=row.pk).update(**away)
    for mark in ("*", known, f'"other", {known}'):
        assert carols.get(path, If_None_Match=mark).status_code == 404
    if away == {"is_private": True}:
        assert program_of(bob).get(path, If_None_Match="*").status_code == 304


def test_what_is_not_over_says_when_to_ask_again_and_when_it_ends(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    now = timezone.now()
    row = make_generation(
        bob, status=State.RUNNING, dispatched_at=now - timedelta(seconds=5), upstream_id="1"
    )
    answer = bobs.get(f"generations/{row.pk}")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert datetime.fromisoformat(answer.json()["expected_end_at"]) > now
    kept = bobs.get(f"generations/{row.pk}", If_None_Match=answer.headers["ETag"])
    assert 1 <= int(kept.headers["Retry-After"]) <= 30
    assert 1 <= int(bobs.get("generations").headers["Retry-After"]) <= 30
    Generation.objects.move(row.pk, State.RUNNING, State.SUCCEEDED)
    over = bobs.get(f"generations/{row.pk}")
    assert over.json()["expected_end_at"] is None
    assert "Retry-After" not in over.headers
    assert "Retry-After" not in bobs.get("generations").headers


def test_the_end_is_learned_from_what_was_before(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    now = timezone.now()
    for n in range(12):
        made = make_generation(bob, dispatched_at=now - timedelta(seconds=400), upstream_id=f"x{n}")
        Generation.objects.filter(pk=made.pk).update(upstream_done_at=now)
    row = make_generation(bob, status=State.RUNNING, dispatched_at=now, upstream_id="1")
    end = datetime.fromisoformat(bobs.get(f"generations/{row.pk}").json()["expected_end_at"])
    assert end > now + timedelta(seconds=30)


@pytest.mark.thorough
def test_who_asks_a_third_time_costs_the_rows_alone_and_is_still_judged(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob)
    for path in (f"generations/{row.pk}", "generations", "changes?since=0"):
        known = bobs.get(path).headers["ETag"]
        assert bobs.get(path, If_None_Match=known).status_code == 304
        with CaptureQueriesContext(connection) as cheap:
            third = bobs.get(path, If_None_Match=known)
        assert (third.status_code, third.headers["ETag"]) == (304, known)
        assert len(cheap) <= (4 if path.startswith("changes") else 2)
    path = f"generations/{row.pk}"
    Generation.objects.filter(pk=row.pk).update(title="Else")
    assert bobs.get(path, If_None_Match=bobs.get("generations").headers["ETag"]).status_code == 200
    known = bobs.get(path).headers["ETag"]
    assert [bobs.get(path, If_None_Match=known).status_code for _ in range(2)] == [304, 304]
    Generation.objects.filter(pk=row.pk).update(title="Once more")
    assert bobs.get(path, If_None_Match=known).status_code == 200
    known = bobs.get(path).headers["ETag"]
    assert [bobs.get(path, If_None_Match=known).status_code for _ in range(2)] == [304, 304]
    ApiToken.objects.update(revoked_at=timezone.now())
    assert bobs.get(path, If_None_Match=known).status_code == 401


def test_a_new_change_is_seen_by_who_asked_often(bobs: Program, bob: Membership) -> None:
    known = bobs.get("changes?since=0").headers["ETag"]
    assert [bobs.get("changes?since=0", If_None_Match=known).status_code for _ in range(3)] == [304] * 3
    Change.note(bob.team, "generation.finished", is_open=True)
    assert len(bobs.get("changes?since=0", If_None_Match=known).json()["items"]) == 1
