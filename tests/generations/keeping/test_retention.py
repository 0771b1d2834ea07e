"""Retention: what a rule lets go, what it never touches, by how much work, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Notification
from generations import keeping
from generations.keeping import retention, shelves
from generations.models import Generation, RetentionRule, State
from generations.pipeline import retire

Make = Callable[..., Generation]
OLD = timedelta(days=100)


def rule(who: Membership, **fields: Any) -> RetentionRule:
    values = {"older_than_days": 90, "is_on": True, **fields}
    return RetentionRule.objects.create(team=who.team, made_by=who.user, **values)


@pytest.fixture
def old(make_generation: Make) -> Make:
    def make(who: Membership, days: int = 100, **fields: Any) -> Generation:
        return make_generation(who, created_at=timezone.now() - timedelta(days=days), **fields)

    return make


def names(found: Any) -> set[str]:
    return set(found.values_list("title", flat=True))


def in_trash() -> set[str]:
    return names(Generation.objects.filter(trashed_at__isnull=False))


def test_old_ones_go_and_what_is_dear_to_somebody_stays(
    mona: Membership, bob: Membership, carol: Membership, old: Make, make_generation: Make, make_voice: Any
) -> None:
    old(bob, title="plain")
    old(carol, title="failed", status=State.FAILED)
    make_generation(bob, title="young")
    old(bob, title="approved", approved_at=timezone.now(), approved_by=mona.user)
    old(bob, title="running", status=State.RUNNING)
    for title in ("starred", "collected"):
        kept = Generation.objects.filter(pk=old(bob, title=title).pk)
        if title == "starred":
            keeping.star(kept, carol.user)  # type: ignore[arg-type]
        else:
            shelves.add(shelves.create(carol, "Hers", private=True), kept, carol.user)  # type: ignore[arg-type]
    voice = make_voice(bob)
    Generation.objects.filter(pk=voice.made_by_id).update(created_at=timezone.now() - OLD)
    asked = rule(mona)

    before = retention.preview(asked)
    assert (before.count, before.whole) == (2, True)
    assert {one.title for one in before.examples} == {"plain", "failed"}
    assert in_trash() == set()

    assert retire.retire() == 2

    assert in_trash() == {"plain", "failed"}
    assert retention.preview(asked).count == 0
    assert retire.retire() == 0
    moved = Generation.objects.get(title="plain")
    assert moved.purge_at is not None
    assert moved.purge_at - timezone.now() > timedelta(days=29)
    assert moved.trashed_by is None
    assert AuditEntry.objects.get(action="retention.applied").after["count"] == 2
    told = Notification.objects.filter(event="cleared")
    assert {one.user for one in told} == {bob.user, carol.user}
    assert keeping.restore(Generation.objects.filter(title="plain")) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "goes"),
    [
        ({}, {"small", "large", "failed", "speech"}),
        ({"larger_than": 1000}, {"large"}),
        ({"status": "failed"}, {"failed"}),
        ({"kind": "speech"}, {"speech"}),
        ({"kind": "speech", "status": "failed"}, set()),
        ({"older_than_days": 101}, set()),
    ],
)
def test_all_of_a_rule_has_to_fit(
    fields: Any, goes: set[str], mona: Membership, bob: Membership, old: Make
) -> None:
    old(bob, title="small", stored_bytes=1000)
    old(bob, title="large", stored_bytes=1001)
    old(bob, title="failed", status=State.FAILED)
    old(bob, title="speech", kind="speech")
    rule(mona, **fields)
    retire.retire()
    assert in_trash() == goes


def test_a_rule_is_off_until_it_is_turned_on_and_of_its_team_alone(
    mona: Membership, zoe: Membership, bob: Membership, old: Make
) -> None:
    old(bob)
    rule(mona, is_on=False)
    rule(zoe)
    assert retire.retire() == 0
    assert in_trash() == set()


def test_steps_are_bounded_and_reach_what_lies_behind_the_dear_ones(
    mona: Membership, bob: Membership, old: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are all starred; a window holds two of them."""
    monkeypatch.setattr(retention, "WINDOW", 2)
    monkeypatch.setattr(retention, "LOOKS", 1)
    dear = [old(bob, 200 - n, title=f"dear {n}").pk for n in range(4)]
    keeping.star(Generation.objects.filter(pk__in=dear), bob.user)  # type: ignore[arg-type]
    old(bob, title="last")
    asked = rule(mona)
    assert retention.preview(asked) == retention.Preview(0, 0, [], whole=False)
    assert [retire.retire() for _ in range(4)] == [0, 0, 1, 0]
    assert in_trash() == {"last"}


def test_the_work_of_a_preview_does_not_grow_with_the_team(
    mona: Membership, bob: Membership, old: Make, django_assert_max_num_queries: Any
) -> None:
    for _n in range(3):
        old(bob)
    asked = rule(mona)
    with CaptureQueriesContext(connection) as few:
        retention.preview(asked)
    for _n in range(9):
        old(bob)
    with django_assert_max_num_queries(len(few)):
        assert retention.preview(asked).count == 12


def test_managers_make_see_and_turn_on(mona: Membership, bob: Membership, old: Make, client_of: Any) -> None:
    old(bob, title="Forgotten song", stored_bytes=5_000_000)
    browser: Client = client_of(mona)
    wrong = browser.post("/t/tide/team/retention/", {"older_than_days": "0", "larger_than": "x"})
    assert wrong.status_code == 422
    assert b"whole number of days" in wrong.content
    assert b"whole number of megabytes" in wrong.content

    made = browser.post("/t/tide/team/retention/", {"older_than_days": "90", "larger_than": "4"}, follow=True)
    text = made.content.decode()
    assert "Older than 90 days" in text
    assert "larger than 4 MB" in text
    assert "Forgotten song" in text
    assert "5.0 MB" in text
    asked = RetentionRule.objects.get()
    assert not asked.is_on
    assert retire.retire() == 0

    for _time in range(2):
        browser.post(f"/t/tide/team/retention/{asked.pk}/set/", {"deed": "on"})
    assert retire.retire() == 1
    browser.post(f"/t/tide/team/retention/{asked.pk}/set/", {"deed": "delete"})
    assert not RetentionRule.objects.exists()
    noted = AuditEntry.objects.filter(action="retention.changed").order_by("pk")
    assert [(entry.before.get("on"), entry.after.get("on")) for entry in noted] == [
        (None, False), (False, True), (True, None),
    ]  # fmt: skip
    assert client_of(bob).get("/t/tide/team/retention/").status_code == 403


def test_deeds_and_words_that_nobody_needs_are_forgotten(bob: Membership, make_generation: Make) -> None:
    from generations.models import Alteration, Tag

    rows: Any = Generation.objects.filter(pk=make_generation(bob).pk)
    keeping.tag(rows, bob.user, bob.team, "Old")
    keeping.tag(rows, bob.user, bob.team, "Used")
    keeping.untag(rows, bob.user, bob.team, "Old")
    long_ago = timezone.now() - timedelta(days=2)
    Tag.objects.update(created_at=long_ago)
    Alteration.objects.update(created_at=long_ago)
    keeping.rate(rows, bob.user, 3)
    retention.forget()
    assert [one.name for one in Tag.objects.all()] == ["Used"]
    assert [one.what for one in Alteration.objects.all()] == ["rate"]
