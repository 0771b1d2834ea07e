"""Deeds and the way back: what was is again, unless somebody changed it since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership
from generations import keeping
from generations.keeping import shelves
from generations.models import (
    Alteration,
    Collection,
    CollectionItem,
    Favourite,
    Generation,
    State,
    Tag,
    Tagging,
)

Make = Callable[..., Generation]


def rows(*some: Generation) -> Any:
    return Generation.objects.filter(pk__in=[one.pk for one in some])


def undo(change: Alteration) -> keeping.Undone | None:
    """Taken back by somebody who sees and may change everything."""
    return keeping.undo(change, Generation.objects.filter(), Collection.objects.filter())  # type: ignore[arg-type]


def state(row: Generation) -> dict[str, Any]:
    """All that keeping order can change of a row."""
    names = (
        "rating", "is_private", "approved_at", "approved_by_id", "trashed_at", "trashed_by_id", "purge_at", "title",
        "notes", "search_text",
    )  # fmt: skip
    row.refresh_from_db()
    links = {
        "tags": set(Tagging.objects.filter(generation=row).values_list("tag__name", flat=True)),
        "stars": set(Favourite.objects.filter(generation=row).values_list("user", flat=True)),
        "shelves": set(
            CollectionItem.objects.filter(generation=row).values_list("collection", "place", "added_by")
        ),
    }
    return {name: getattr(row, name) for name in names} | links


def deeds(who: Membership, one: Generation, album: Any) -> dict[str, Callable[[Any], Alteration | None]]:
    user = who.user
    return {
        "rate": lambda some: keeping.rate(some, user, 5),
        "unrate": lambda some: keeping.rate(some, user, 0),
        "open": lambda some: keeping.open_up(some, user, private=False),
        "close": lambda some: keeping.open_up(some, user, private=True),
        "approve": lambda some: keeping.approve(some, user),
        "unapprove": lambda some: keeping.unapprove(some, user),
        "note": lambda some: keeping.note(some, user, "For the trailer"),
        "rename": lambda some: keeping.rename(one, user, "Another name"),
        "trash": lambda some: keeping.trash(some, user),
        "star": lambda some: keeping.star(some, user),
        "unstar": lambda some: keeping.unstar(some, user),
        "tag": lambda some: keeping.tag(some, user, who.team, "Loud"),
        "untag": lambda some: keeping.untag(some, user, who.team, "CALM"),
        "collect": lambda some: shelves.add(album, some, user),
        "uncollect": lambda some: shelves.remove(album, some, user),
    }


NAMES = [
    "rate", "unrate", "open", "close", "approve", "unapprove", "note", "rename", "trash", "star", "unstar", "tag",
    "untag", "collect", "uncollect",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_taken_back_all_is_as_it_was(
    name: str, mona: Membership, bob: Membership, make_generation: Make
) -> None:
    """Two generations of different pasts: one with everything, one with nothing."""
    full = make_generation(
        bob, rating=2, is_private=True, notes="Before", approved_at=timezone.now(), approved_by=bob.user
    )
    bare = make_generation(bob, title="Bare")
    album = shelves.create(bob, "Album")
    for one in (full, bare) if name == "uncollect" else ():
        shelves.add(album, rows(one), bob.user)
    keeping.tag(rows(full, bare) if name == "untag" else rows(full), bob.user, bob.team, "Calm")
    keeping.star(rows(full), mona.user)
    before = [state(one) for one in (full, bare)]

    change = deeds(mona, bare, album)[name](rows(full, bare))

    assert change is not None
    assert [state(one) for one in (full, bare)] != before
    done = undo(change)
    assert done is not None
    assert done.left == 0
    assert done.done == len(change.rows)
    assert [state(one) for one in (full, bare)] == before


@pytest.mark.parametrize("name", ["rate", "close", "approve", "note", "rename", "trash"])
def test_what_somebody_changed_since_stays_as_they_left_it(
    name: str, mona: Membership, bob: Membership, make_generation: Make
) -> None:
    first, second = make_generation(bob), make_generation(bob, title="Second")
    album = shelves.create(bob, "Album")
    change = deeds(mona, first, album)[name](rows(first, second) if name != "rename" else rows(first))
    others = {
        "rate": {"rating": 1},
        "close": {"is_private": False},
        "note": {"notes": "Theirs"},
        "rename": {"title": "Theirs"},
        "approve": {"approved_at": timezone.now()},
        "trash": {"trashed_at": timezone.now()},
    }
    rows(first).update(**others[name])
    theirs = state(first)

    assert change is not None
    done = undo(change)

    assert done is not None
    assert done.left == 1
    assert done.done == len(change.rows) - 1
    assert state(first) == theirs
    assert state(second)["trashed_at"] is None
    assert state(second)["rating"] == 0


@pytest.mark.parametrize("again", [True, False])
def test_what_was_opened_and_closed_again_since_stays_closed(
    again: bool, mona: Membership, bob: Membership, make_generation: Make
) -> None:
    """It looks as the first deed left it, and has been through two hands."""
    one = make_generation(bob)
    change = keeping.open_up(rows(one), bob.user, private=True)
    keeping.open_up(rows(one), mona.user, private=False)
    last = keeping.open_up(rows(one), mona.user, private=True)
    assert change is not None
    assert last is not None
    if again:
        assert undo(last) == keeping.Undone(1, 0)
        keeping.open_up(rows(one), mona.user, private=True)
    assert undo(change) == keeping.Undone(0, 1)
    assert state(one)["is_private"]


def test_what_was_done_since_and_taken_back_is_not_in_the_way(
    mona: Membership, bob: Membership, make_generation: Make
) -> None:
    one = make_generation(bob)
    change = keeping.rate(rows(one), bob.user, 3)
    later = keeping.rate(rows(one), mona.user, 5)
    assert change is not None
    assert later is not None
    assert undo(later) == keeping.Undone(1, 0)
    assert undo(change) == keeping.Undone(1, 0)
    assert state(one)["rating"] == 0


def test_a_tag_that_somebody_put_on_again_is_theirs(
    bob: Membership, carol: Membership, make_generation: Make
) -> None:
    one = make_generation(bob)
    change = keeping.tag(rows(one), bob.user, bob.team, "Calm")
    keeping.untag(rows(one), carol.user, bob.team, "Calm")
    keeping.tag(rows(one), carol.user, bob.team, "calm")

    assert change is not None
    done = undo(change)

    assert done == keeping.Undone(0, 1)
    assert state(one)["tags"] == {"Calm"}


def test_a_tag_that_is_forgotten_cannot_come_back(bob: Membership, make_generation: Make) -> None:
    one = make_generation(bob)
    keeping.tag(rows(one), bob.user, bob.team, "Calm")
    change = keeping.untag(rows(one), bob.user, bob.team, "Calm")
    Tag.objects.all().delete()

    assert change is not None
    assert undo(change) == keeping.Undone(0, 1)


def test_it_is_taken_back_once_and_by_who_did_it_within_a_day(bob: Membership, make_generation: Make) -> None:
    one = make_generation(bob)
    change = keeping.rate(rows(one), bob.user, 4)
    assert change is not None
    assert undo(change) is not None
    keeping.rate(rows(one), bob.user, 4)
    assert undo(change) is None

    old = keeping.rate(rows(one), bob.user, 3)
    assert old is not None
    Alteration.objects.filter(pk=old.pk).update(created_at=timezone.now() - Alteration.LIVES)
    assert undo(old) is None
    assert state(one)["rating"] == 3


def test_nothing_is_remembered_where_nothing_was_changed(bob: Membership, make_generation: Make) -> None:
    one = make_generation(bob, rating=3)
    assert keeping.rate(rows(one), bob.user, 3) is None
    assert keeping.unstar(rows(one), bob.user) is None
    assert keeping.untag(rows(one), bob.user, bob.team, "never") is None
    assert not Alteration.objects.exists()


def test_what_was_purged_is_not_brought_back(bob: Membership, make_generation: Make) -> None:
    one = make_generation(bob)
    change = keeping.trash(rows(one), bob.user)
    rows(one).update(purged_at=timezone.now())
    assert change is not None
    assert undo(change) == keeping.Undone(0, 1)


def test_a_renamed_one_is_found_by_its_new_name_and_not_the_old(
    bob: Membership, make_generation: Make
) -> None:
    one = make_generation(bob, title="Harbour")
    keeping.rename(one, bob.user, "Lighthouse")
    one.refresh_from_db()
    assert one.search_text.startswith("lighthouse\n")
    assert "harbour" not in one.search_text
    assert "slow piano over rain" in one.search_text


@pytest.mark.parametrize("status", [State.QUEUED, State.RUNNING, State.UNCONFIRMED, State.GATHERING])
def test_what_is_under_way_cannot_be_thrown_away(
    status: State, bob: Membership, make_generation: Make
) -> None:
    one = make_generation(bob, status=status)
    assert keeping.trash(rows(one), bob.user) is None
    assert state(one)["trashed_at"] is None


def test_what_a_voice_is_heard_by_cannot_be_thrown_away(bob: Membership, make_voice: Any) -> None:
    voice = make_voice(bob)
    assert keeping.trash(rows(voice.made_by), bob.user) is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("", "word"), (" , ", "word"), ("a, b", "comma"), ("x" * 41, "40"), ("a\x00b", "character")],
)
def test_a_tag_has_to_be_one(text: str, wrong: str, bob: Membership, make_generation: Make) -> None:
    with pytest.raises(keeping.BadTag, match=wrong):
        keeping.tag(rows(make_generation(bob)), bob.user, bob.team, text)


def test_tags_are_bounded(bob: Membership, make_generation: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make_generation(bob)
    for n in range(30):
        keeping.tag(rows(one), bob.user, bob.team, f"tag {n}")
    with pytest.raises(keeping.TooManyTags):
        keeping.tag(rows(one), bob.user, bob.team, "one more")
    assert keeping.tag(rows(one), bob.user, bob.team, "TAG  3") is None  # it has that one
