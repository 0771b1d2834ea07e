"""Authors hear of what ended: set-wise, once, in one sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Notification, Telling
from generations.models import Batch, Heartbeat, State
from generations.pipeline import tell
from tests.conftest import MODEL


@pytest.fixture
def begun(db: None) -> None:
    """The last look was ten minutes ago."""
    Heartbeat.objects.create(name=tell.MARK, beat_at=timezone.now() - timedelta(minutes=10))


def ended(make_generation: Any, whose: Membership, times: int = 1, **more: Any) -> Any:
    at = timezone.now() - timedelta(minutes=1)
    return [make_generation(whose, finished_at=at, **more) for _ in range(times)][-1]


def titles(of: Membership) -> list[str]:
    return [one.title for one in Notification.of(of.user)]


def test_one_that_ended_is_named_and_led_to(begun: None, bob: Membership, make_generation: Any) -> None:
    row = ended(make_generation, bob, title="Tide song")
    assert tell.ended() == 1
    assert tell.ended() == 0
    told = Notification.of(bob.user).get()
    assert (told.event, told.title, told.link) == (
        "finished",
        "“Tide song” is finished",
        f"/t/tide/g/{row.pk}/",
    )


def test_many_are_one_sentence_for_each_author(
    begun: None, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    batch = Batch.objects.create(team=bob.team, author=bob.user, model=MODEL, title="Many", asked=13)
    ended(make_generation, bob, 12, batch=batch)
    ended(make_generation, bob, batch=batch, status=State.FAILED)
    ended(make_generation, carol, 2)
    ended(make_generation, carol, status=State.CANCELLED)
    with CaptureQueriesContext(connection) as asked:
        assert tell.ended() == 2
    assert len(asked) < 16
    told = Notification.of(bob.user).get()
    assert (told.event, told.title, told.link) == (
        "failed",
        "12 finished, 1 failed",
        f"/t/tide/b/{batch.pk}/",
    )
    assert titles(carol) == ["2 finished"]


def test_whoever_does_not_want_it_is_not_told(begun: None, bob: Membership, make_generation: Any) -> None:
    Telling.objects.create(user=bob.user, choices={"finished": []})
    ended(make_generation, bob)
    tell.ended()
    assert not Notification.objects.exists()


def test_who_left_is_not_told(begun: None, bob: Membership, make_generation: Any) -> None:
    ended(make_generation, bob)
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    assert tell.ended() == 0
    assert not Notification.objects.exists()


def test_what_ends_in_this_moment_waits_for_the_next_look(
    begun: None, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob)
    assert tell.ended() == 0
    Heartbeat.objects.filter(name=tell.MARK).update(beat_at=timezone.now() - timedelta(minutes=5))
    row = ended(make_generation, bob)
    assert tell.ended() == 1
    assert str(row.pk) in Notification.objects.get().link


def test_the_first_look_tells_nothing_of_the_past(bob: Membership, make_generation: Any) -> None:
    ended(make_generation, bob)
    assert tell.ended() == tell.ended() == 0


def test_a_look_that_dies_tells_later(begun: None, bob: Membership, make_generation: Any) -> None:
    """The mark moves in the transaction that tells, so neither is there without the other."""
    ended(make_generation, bob)
    Telling.objects.create(user=bob.user, time_zone="Nowhere", quiet_from="22:00", quiet_until="07:00",
                           choices={"finished": ["app", "mail"]})  # fmt: skip
    before = Heartbeat.last(tell.MARK)
    with pytest.raises(LookupError):
        tell.ended()
    assert Heartbeat.last(tell.MARK) == before
    Telling.objects.all().delete()
    assert tell.ended() == 1


def test_the_ends_are_found_by_an_index(begun: None, bob: Membership, make_generation: Any) -> None:
    ended(make_generation, bob, 3)
    with CaptureQueriesContext(connection) as asked:
        tell.ended()
    (query,) = [one["sql"] for one in asked if '"finished_at" >' in one["sql"]]
    with connection.cursor() as cursor:
        sqlite = connection.vendor == "sqlite"
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + query)
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert "generation_ended" in plan, plan
