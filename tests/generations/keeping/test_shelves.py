"""The order of a collection, also of many who move at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Membership, Role, Team, User
from generations.keeping import shelves
from generations.models import Collection, CollectionItem, Connection, Generation
from tests.effort import tries

Make = Callable[..., Generation]


def order(album: Collection) -> list[str]:
    return list(shelves.items(album).values_list("generation__title", flat=True))


@pytest.fixture
def album(bob: Membership, make_generation: Make) -> Collection:
    found = shelves.create(bob, "Album")
    some = [make_generation(bob, title=name).pk for name in "abcde"]
    shelves.add(found, Generation.objects.filter(pk__in=some), bob.user)  # type: ignore[arg-type]
    return found


def pk(album: Collection, title: str) -> Any:
    return album.items.get(generation__title=title).generation_id


def test_they_stand_in_the_order_of_their_making_and_each_once(album: Collection, bob: Membership) -> None:
    assert order(album) == list("abcde")
    assert shelves.add(album, Generation.objects.all(), bob.user) is None  # type: ignore[arg-type]


def test_one_is_put_before_another_or_at_the_end(album: Collection) -> None:
    shelves.move_before(album, pk(album, "e"), pk(album, "b"))
    assert order(album) == list("aebcd")
    shelves.move_before(album, pk(album, "a"), None)
    assert order(album) == list("ebcda")
    assert not shelves.move_before(album, pk(album, "a"), None)
    assert not shelves.move_before(album, pk(album, "b"), pk(album, "b"))


def test_steps_pass_what_is_seen(album: Collection) -> None:
    seen = {pk(album, name) for name in "ade"}
    shelves.move_by(album, pk(album, "d"), -1, seen)
    assert order(album) == list("dabce")
    shelves.move_by(album, pk(album, "d"), 1)
    assert order(album) == list("adbce")
    assert not shelves.move_by(album, pk(album, "a"), -1)


def test_what_was_taken_out_cannot_be_moved(album: Collection, bob: Membership) -> None:
    gone = pk(album, "c")
    shelves.remove(album, Generation.objects.filter(pk=gone), bob.user)  # type: ignore[arg-type]
    with pytest.raises(shelves.Gone):
        shelves.move_before(album, gone, None)
    with pytest.raises(shelves.Gone):
        shelves.move_before(album, pk(album, "a"), gone)
    assert order(album) == list("abde")


def test_it_has_room_for_so_many(
    album: Collection, bob: Membership, make_generation: Make, monkeypatch: Any
) -> None:
    monkeypatch.setattr(shelves, "MOST_ITEMS", 5)
    with pytest.raises(shelves.Full, match="5"):
        shelves.add(album, Generation.objects.filter(pk=make_generation(bob).pk), bob.user)  # type: ignore[arg-type]
    assert len(order(album)) == 5


@pytest.mark.thorough
class Moves(TestCase):
    """Whatever is moved how often, nothing is lost and the order is that of a list that did the same."""

    @settings(max_examples=tries(60), deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), max_size=30))
    def test_like_a_list(self, moves: list[tuple[int, int]]) -> None:
        team = Team.objects.create(slug="tide", name="Tide")
        user = User.objects.create_user("bob@example.com", "a long enough password")
        bob = Membership.objects.create(team=team, user=user, role=Role.MEMBER)
        album = shelves.create(bob, "Album")
        made = [
            Generation.objects.create(
                team=team,
                author=user,
                connection=Connection.current(),
                model="m",
                kind="music",
                title=str(n),
                params={},
            ).pk
            for n in range(6)
        ]
        shelves.add(album, Generation.objects.filter(pk__in=made), user)  # type: ignore[arg-type]
        like = list(made)
        # So close that every few moves there is no gap left.
        for n, one in enumerate(made):
            CollectionItem.objects.filter(generation=one).update(place=n + 1)
        for moved, before in moves:
            target = made[before] if before >= 0 else None
            shelves.move_before(album, made[moved], target)
            if made[moved] != target:
                like.remove(made[moved])
                like.insert(like.index(target) if target else len(like), made[moved])
            assert list(shelves.items(album).values_list("generation", flat=True)) == like


@pytest.mark.django_db(transaction=True)
def test_two_who_move_at_once_both_get_what_they_said(album: Collection) -> None:
    """Each moves one to a neighbour that the other does not touch; afterwards both stand where they were put."""
    a, c, d, e = (pk(album, name) for name in "acde")
    wishes = [(a, d), (e, c)]
    start = threading.Barrier(len(wishes))
    faults: list[BaseException] = []

    def move(moved: Any, before: Any) -> None:
        try:
            start.wait()
            shelves.move_before(Collection.objects.get(pk=album.pk), moved, before)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=wish) for wish in wishes]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    assert order(album) == ["b", "e", "c", "a", "d"]


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_one(bob: Membership) -> None:
    start = threading.Barrier(2)
    made: list[Any] = []

    def create() -> None:
        try:
            start.wait(30)
            made.append(shelves.create_once(bob, "Album").pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert made == [Collection.objects.get().pk] * 2
