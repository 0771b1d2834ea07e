"""Collections on pages: made, heard, ordered, kept private, thrown away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership
from generations import keeping
from generations.keeping import shelves
from generations.models import Collection, Generation
from generations.views import collections as pages

Make = Callable[..., Generation]
NEW = "/t/tide/collections/new/"


@pytest.fixture
def album(bob: Membership, make_generation: Make) -> Collection:
    found = shelves.create(bob, "Album", "Of <i>rain</i>")
    some = [make_generation(bob, title=f"Song {name}", outputs=1).pk for name in "abc"]
    shelves.add(found, Generation.objects.filter(pk__in=some), bob.user)  # type: ignore[arg-type]
    return found


def titles(album: Collection) -> str:
    return "".join(one.generation.title[-1] for one in shelves.items(album).select_related("generation"))


def pk(album: Collection, name: str) -> uuid.UUID:
    found: uuid.UUID = album.items.get(generation__title=f"Song {name}").generation_id
    return found


def address(album: Collection, verb: str = "") -> str:
    return f"/t/tide/collections/{album.pk}/{verb}"


def test_it_is_made_named_and_described(bob: Membership, client_of: Any) -> None:
    browser: Client = client_of(bob)
    wrong = browser.post("/t/tide/collections/new/", {"name": " ", "description": "x" * 2001})
    assert wrong.status_code == 422
    assert b"Give the collection a name" in wrong.content
    assert b"x" * 2001 in wrong.content
    browser.post(
        "/t/tide/collections/new/",
        {"name": "  Spring   season ", "description": "Trailers", "is_private": "on"},
    )
    made = Collection.objects.get()
    assert (made.name, made.description, made.is_private) == ("Spring season", "Trailers", True)
    browser.post(address(made, "edit/"), {"name": "Summer", "description": ""})
    made.refresh_from_db()
    assert (made.name, made.description, made.is_private) == ("Summer", "", False)


def test_too_many_picks_leave_no_collection_behind(
    bob: Membership, make_generation: Make, client_of: Any
) -> None:
    picks = [str(make_generation(bob).pk), *(str(uuid.uuid4()) for _ in range(keeping.MOST))]
    browser: Client = client_of(bob)
    answer = browser.post(NEW, {"name": "Album", "pick": picks})
    assert answer.status_code == 422
    assert f"and {keeping.MOST + 1} were chosen" in answer.content.decode()
    assert not Collection.objects.exists()
    assert [str(one) for one in answer.context["picks"]] == picks, "none is cut off unsaid"


def test_the_same_form_sent_twice_makes_one_collection(
    bob: Membership, carol: Membership, make_generation: Make, client_of: Any
) -> None:
    form = {"name": "Album", "pick": [make_generation(bob).pk, make_generation(bob).pk]}
    browser: Client = client_of(bob)
    answers = [browser.post(NEW, form) for _time in range(2)]
    made = Collection.objects.get()
    assert [one.headers["Location"] for one in answers] == [address(made)] * 2
    assert made.items.count() == 2
    client_of(carol).post(NEW, form)
    browser.post(NEW, form | {"description": "Another"})
    assert Collection.objects.count() == 3
    Collection.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    browser.post(NEW, form)
    assert Collection.objects.count() == 4


def test_its_rows_are_tracks_in_its_order(album: Collection, carol: Membership, client_of: Any) -> None:
    shelves.move_before(album, pk(album, "c"), pk(album, "a"))
    text = client_of(carol).get(address(album)).content.decode()
    places = [text.index(f'data-title="Song {name}"') for name in "cab"]
    assert places == sorted(places)
    assert text.count("data-track") == 3
    assert "Of &lt;i&gt;rain&lt;/i&gt;" in text
    assert "Album" in client_of(carol).get("/t/tide/collections/").content.decode()


def test_a_page_of_it_knows_what_comes_after_its_last_row(
    album: Collection, bob: Membership, make_voice: Any, client_of: Any, monkeypatch: Any
) -> None:
    """Else a script that moves one to the end of the page moves it to the end of all."""
    monkeypatch.setattr(pages, "PAGE", 2)
    browser: Client = client_of(bob)
    assert f' data-next="{pk(album, "c")}">' in browser.get(address(album)).content.decode()
    assert "data-next" not in browser.get(address(album), {"page": 2}).content.decode()
    script = {"HX-Request": "true"}
    move = {"item": pk(album, "a"), "before": pk(album, "c")}
    assert browser.post(address(album, "move/"), move, headers=script).status_code == 204
    assert titles(album) == "bac"
    Generation.objects.filter(pk=pk(album, "c")).update(trashed_at=timezone.now())
    assert "data-next" not in browser.get(address(album)).content.decode(), "what is in the trash is not seen"


def test_its_queries_do_not_grow(
    album: Collection, bob: Membership, make_generation: Make, client_of: Any, django_assert_num_queries: Any
) -> None:
    browser: Client = client_of(bob)
    for path in (address(album), "/t/tide/collections/"):
        browser.get(path)
        with CaptureQueriesContext(connection) as few:
            browser.get(path)
        more = [make_generation(bob, outputs=1).pk for _ in range(4)]
        shelves.add(album, Generation.objects.filter(pk__in=more), bob.user)  # type: ignore[arg-type]
        shelves.create(bob, "Another")
        with django_assert_num_queries(len(few)):
            browser.get(path)


def test_it_is_ordered_by_buttons_and_by_dragging(
    album: Collection, carol: Membership, vera: Membership, client_of: Any
) -> None:
    browser: Client = client_of(carol)
    assert browser.post(address(album, "move/"), {"move": f"{pk(album, 'c')} up"}).status_code == 302
    assert titles(album) == "acb"
    browser.post(address(album, "move/"), {"move": f"{pk(album, 'a')} down"})
    assert titles(album) == "cab"
    drag = {"item": pk(album, "b"), "before": pk(album, "c")}
    assert browser.post(address(album, "move/"), drag, headers={"HX-Request": "true"}).status_code == 204
    assert titles(album) == "bca"
    browser.post(address(album, "move/"), {"item": pk(album, "b"), "before": ""})
    assert titles(album) == "cab"
    for wrong in (
        {},
        {"item": uuid.uuid4()},
        {"item": pk(album, "a"), "before": uuid.uuid4()},
        {"move": "x up"},
    ):
        answer = browser.post(address(album, "move/"), wrong)
        assert answer.status_code == 409
        assert "taken out of the collection meanwhile" in answer.content.decode()
    assert titles(album) == "cab"
    assert client_of(vera).post(address(album, "move/"), drag).status_code == 403


def test_taken_out_it_stays_in_the_library_and_comes_back_by_undo(
    album: Collection, carol: Membership, client_of: Any
) -> None:
    browser: Client = client_of(carol)
    gone = pk(album, "b")
    said = browser.post(address(album, "remove/"), {"pick": gone}, follow=True).content.decode()
    assert titles(album) == "ac"
    assert Generation.objects.filter(pk=gone, trashed_at=None).exists()
    change = said.split('name="change" value="')[1].split('"')[0]
    browser.post("/t/tide/library/undo/", {"change": change})
    assert titles(album) == "abc"
    assert browser.post(address(album, "remove/"), {}).status_code == 422


def test_a_private_one_is_its_authors(
    album: Collection, bob: Membership, carol: Membership, mona: Membership, zoe: Membership, client_of: Any
) -> None:
    Collection.objects.update(is_private=True)
    for who in (carol, mona, zoe):
        for verb in ("", "edit/"):
            assert client_of(who).get(address(album, verb)).status_code == 404
        for verb in ("delete/", "move/", "remove/"):
            assert client_of(who).post(address(album, verb), {"pick": pk(album, "a")}).status_code in (
                403,
                404,
            )
    assert client_of(bob).get(address(album)).status_code == 200
    assert "Album" not in client_of(carol).get("/t/tide/collections/").content.decode()
    picked = {"deed": "collect", "pick": pk(album, "a"), "collection": album.pk}
    assert client_of(carol).post("/t/tide/library/bulk/", picked).status_code == 404


def test_only_its_author_closes_it(
    album: Collection, bob: Membership, mona: Membership, client_of: Any
) -> None:
    manager, author = client_of(mona), client_of(bob)
    assert b'name="is_private"' not in manager.get(address(album, "edit/")).content
    assert b'name="is_private"' in author.get(address(album, "edit/")).content
    refused = manager.post(address(album, "edit/"), {"name": "Mine", "is_private": "on"})
    assert refused.status_code == 403
    assert "Only its author decides" in refused.content.decode()
    album.refresh_from_db()
    assert (album.name, album.is_private) == ("Album", False)
    assert manager.post(address(album, "edit/"), {"name": "Season", "description": "x"}).status_code == 302
    author.post(address(album, "edit/"), {"name": "Season", "is_private": "on"})
    album.refresh_from_db()
    assert (album.name, album.is_private) == ("Season", True)


def test_deleted_its_things_stay(
    album: Collection, bob: Membership, carol: Membership, client_of: Any
) -> None:
    assert client_of(carol).post(address(album, "delete/")).status_code == 403
    client_of(bob).post(address(album, "delete/"))
    assert not Collection.objects.exists()
    assert Generation.objects.filter(trashed_at=None).count() == 3
    assert AuditEntry.objects.get(action="collection.deleted").before == {"name": "Album", "count": 3}
