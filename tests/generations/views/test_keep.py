"""Keeping order on pages: one generation, many at once, and the way back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Membership
from generations import keeping
from generations.models import Alteration, Collection, Favourite, Generation, State, Tag, Tagging

Make = Callable[..., Generation]
BULK = "/t/tide/library/bulk/"


def page(one: Generation, verb: str = "") -> str:
    return f"/t/tide/g/{one.pk}/{verb}"


def again(one: Generation) -> Generation:
    one.refresh_from_db()
    return one


def undo_of(text: str) -> str:
    return text.split('name="change" value="')[1].split('"')[0]


def test_a_star_is_ones_own_and_twice_is_as_once(
    bob: Membership, carol: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(carol, outputs=1)
    browser: Client = client_of(bob)
    for _time in range(2):
        assert browser.post(page(one, "star/"), {"on": "yes"}).status_code == 302
    assert [star.user for star in Favourite.objects.all()] == [bob.user]
    assert 'aria-pressed="true" aria-label="Favourite: Rain"' in browser.get(page(one)).content.decode()
    assert (
        'aria-pressed="true" aria-label="Favourite: Rain"'
        not in client_of(carol).get(page(one)).content.decode()
    )
    part = browser.post(page(one, "star/"), {"on": "no"}, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert 'aria-pressed="false"' in part.content.decode()
    assert not Favourite.objects.exists()


def test_a_rating_is_the_teams_and_can_be_taken_away(
    bob: Membership, vera: Membership, carol: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(carol)
    browser: Client = client_of(bob)
    part = browser.post(page(one, "rate/"), {"rating": "4"}, headers={"HX-Request": "true"}).content.decode()
    assert part.count("is-on") == 4
    assert 'value="0" aria-pressed="true"' in part
    assert again(one).rating == 4
    assert "Rated 4 of 5" in client_of(vera).get(page(one)).content.decode()
    browser.post(page(one, "rate/"), {"rating": "0"})
    assert again(one).rating == 0
    for wrong in ("6", "-1", "x", "", "5.0"):
        assert browser.post(page(one, "rate/"), {"rating": wrong}).status_code == 422
    assert client_of(vera).post(page(one, "rate/"), {"rating": "5"}).status_code == 403


def test_title_and_notes_are_its_authors(
    bob: Membership, carol: Membership, mona: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob)
    words = {"title": "  Harbour   lights ", "notes": "For <b>the</b> trailer"}
    assert client_of(carol).post(page(one, "edit/"), words).status_code == 403
    answer = client_of(bob).post(page(one, "edit/"), words, follow=True).content.decode()
    assert again(one).title == "Harbour lights"
    assert "For &lt;b&gt;the&lt;/b&gt; trailer" in answer
    assert "harbour lights" in one.search_text
    wrong = client_of(mona).post(page(one, "edit/"), {"title": " ", "notes": "x" * 5001})
    assert wrong.status_code == 422
    assert b"Give it a title" in wrong.content
    assert b"at most 5000" in wrong.content
    assert b"x" * 5001 in wrong.content
    assert again(one).title == "Harbour lights"


def as_opened(browser: Client, one: Generation) -> dict[str, str]:
    """The form of title and notes as a browser sends it unchanged."""
    form = browser.get(page(one)).context["words_form"]
    return {name: form[name].value() for name in ("title", "notes", "title_was", "notes_was")}


def test_a_field_that_was_left_as_it_was_is_not_written(
    bob: Membership, mona: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob)
    browser: Client = client_of(mona)
    opened = as_opened(browser, one)
    assert 'name="notes_was"' in browser.get(page(one)).content.decode()
    client_of(bob).post(page(one, "edit/"), as_opened(client_of(bob), one) | {"notes": "Two\r\nlines"})
    said = browser.post(page(one, "edit/"), opened | {"title": "Harbour"}, follow=True).content.decode()
    assert (again(one).title, one.notes) == ("Harbour", "Two\r\nlines")
    browser.post("/t/tide/library/undo/", {"change": undo_of(said)})
    assert (again(one).title, one.notes) == ("Rain", "Two\r\nlines")
    unchanged = as_opened(browser, one) | {"notes": "Two\nlines"}
    assert "nothing was changed" in browser.post(page(one, "edit/"), unchanged, follow=True).content.decode()
    assert again(one).notes == "Two\r\nlines"


def test_what_somebody_else_wrote_meanwhile_is_shown_and_not_written_over_unasked(
    bob: Membership, mona: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob)
    browser: Client = client_of(mona)
    mine = as_opened(browser, one) | {"notes": "Mine"}
    client_of(bob).post(page(one, "edit/"), {"title": "Bob's", "notes": "For <b>Bob</b>"})
    answer = browser.post(page(one, "edit/"), mine)
    assert answer.status_code == 409
    assert "Somebody wrote other notes meanwhile: “For &lt;b&gt;Bob&lt;/b&gt;”" in answer.content.decode()
    assert '<details class="fold" id="words" open>' in answer.content.decode()
    assert (again(one).title, one.notes) == ("Bob's", "For <b>Bob</b>")
    form = answer.context["words_form"]
    second = {name: form[name].value() for name in mine}
    assert second == {
        "title": "Bob's",
        "notes": "Mine",
        "title_was": "Bob's",
        "notes_was": "For <b>Bob</b>",
    }
    assert browser.post(page(one, "edit/"), second).status_code == 302
    assert (again(one).title, one.notes) == ("Bob's", "Mine")
    assert browser.post(page(one, "edit/"), second).status_code == 302, "it says so already"


def test_another_title_meanwhile_and_notes_taken_away(
    bob: Membership, mona: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob, notes="Old")
    browser: Client = client_of(mona)
    opened = as_opened(browser, one)
    client_of(bob).post(page(one, "edit/"), {"title": "Bob's", "notes": ""})
    answer = browser.post(page(one, "edit/"), opened | {"title": "Mona's", "notes": "New"}).content.decode()
    assert "Somebody gave it another title meanwhile: “Bob&#x27;s”" in answer
    assert "Somebody took the notes away meanwhile" in answer
    assert (again(one).title, one.notes) == ("Bob's", "")


def test_tags_are_offered_added_and_taken_off(
    bob: Membership, carol: Membership, make_generation: Make, client_of: Any
) -> None:
    one, other = make_generation(bob), make_generation(bob, title="Other")
    browser: Client = client_of(carol)
    browser.post(page(other, "tag/"), {"add": "Episode 12"})
    assert '<option value="Episode 12">' in browser.get(page(one)).content.decode()
    browser.post(page(one, "tag/"), {"add": " episode  12"})
    assert [link.tag.name for link in Tagging.objects.filter(generation=one)] == ["Episode 12"]
    wrong = browser.post(page(one, "tag/"), {"add": "a,b"})
    assert wrong.status_code == 422
    assert 'value="a,b"' in wrong.content.decode()
    gone = browser.post(page(one, "tag/"), {"remove": "Episode 12"}, follow=True).content.decode()
    assert not Tagging.objects.filter(generation=one).exists()
    browser.post("/t/tide/library/undo/", {"change": undo_of(gone)})
    assert Tagging.objects.filter(generation=one).exists()


def test_managers_approve(bob: Membership, mona: Membership, make_generation: Make, client_of: Any) -> None:
    one = make_generation(bob)
    assert client_of(bob).post(page(one, "approve/")).status_code == 403
    answer = client_of(mona).post(page(one, "approve/"), follow=True).content.decode()
    assert again(one).approved_by == mona.user
    assert "by Mona" in answer
    client_of(mona).post(page(one, "approve/"), {"to": "off"})
    assert not again(one).is_approved
    noted = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(noted) == ["generations.approved", "generations.unapproved"]


@pytest.mark.parametrize("status", [State.RUNNING, State.QUEUED, State.UNCONFIRMED])
def test_what_runs_is_not_thrown_away(
    status: State, bob: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob, status=status)
    answer = client_of(bob).post(page(one, "trash/"))
    assert answer.status_code == 409
    assert b"still under way" in answer.content
    assert not again(one).is_trashed


def test_thrown_away_seen_in_the_trash_and_restored(
    bob: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob, outputs=1)
    browser: Client = client_of(bob)
    said = browser.post(page(one, "trash/"), follow=True)
    assert said.redirect_chain[-1][0] == "/t/tide/library/"
    assert "1 moved to the trash" in said.content.decode()
    assert "This is in the trash" in browser.get(page(one)).content.decode()
    assert "Rain" in browser.get("/t/tide/trash/").content.decode()
    browser.post("/t/tide/trash/restore/", {"pick": one.pk})
    assert not again(one).is_trashed
    assert one.purge_at is None
    browser.post(page(one, "trash/"))
    browser.post(page(one, "restore/"))
    assert not again(one).is_trashed
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["generations.trashed", "generations.restored"] * 2


def test_the_trash_is_emptied_by_managers_who_are_sure(
    bob: Membership, mona: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob)
    keeping.trash(Generation.objects.filter(pk=one.pk), bob.user)  # type: ignore[arg-type]
    assert client_of(bob).post("/t/tide/trash/empty/", {"sure": "on"}).status_code == 403
    client_of(mona).post("/t/tide/trash/empty/")
    assert (again(one).purge_at or timezone.now()) > timezone.now()
    client_of(mona).post("/t/tide/trash/empty/", {"sure": "on"})
    assert (again(one).purge_at or timezone.now()) <= timezone.now()


def test_trash_pages_are_of_one_number_of_queries(
    bob: Membership, make_generation: Make, client_of: Any, django_assert_num_queries: Any, monkeypatch: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from generations.views import trash_page

    monkeypatch.setattr(trash_page, "PAGE", 4)
    browser: Client = client_of(bob)

    def throw(count: int) -> None:
        for n in range(count):
            keeping.trash(Generation.objects.filter(pk=make_generation(bob, title=f"No {n}.").pk), bob.user)  # type: ignore[arg-type]

    throw(2)
    browser.get("/t/tide/trash/")
    with CaptureQueriesContext(connection) as few:
        browser.get("/t/tide/trash/")
    throw(5)
    with django_assert_num_queries(len(few)):
        first = browser.get("/t/tide/trash/").content.decode()
    after = first.split("?after=")[1].split('"')[0]
    second = browser.get(f"/t/tide/trash/?after={after}").content.decode()
    assert first.count("data-row") == 4
    assert second.count("data-row") == 3
    assert browser.get("/t/tide/trash/?after=nonsense").status_code == 200


ALL = [
    "star",
    "rate:5",
    "tag",
    "untag",
    "collect",
    "approve",
    "private",
    "team",
    "trash",
    "unstar",
    "unapprove",
]


@pytest.mark.parametrize("deed", ALL)
def test_many_at_once_and_all_back_again(
    deed: str, mona: Membership, bob: Membership, make_generation: Make, client_of: Any
) -> None:
    """Of three, one is so already; after the way back each is as it was."""
    made = [make_generation(bob, title=f"No {n}") for n in range(3)]
    album = Collection.objects.create(team=bob.team, author=bob.user, name="Album")
    rows: Any = Generation.objects.filter(pk=made[0].pk)
    every: Any = Generation.objects.all()
    if deed == "untag":
        keeping.tag(every, bob.user, bob.team, "Calm")
    if deed == "unstar":
        keeping.star(every, mona.user)
    if deed == "unapprove":
        keeping.approve(every, mona.user)
    if deed == "team":
        keeping.open_up(every, mona.user, private=True)
    else:
        keeping.rate(rows, bob.user, 5)
    before = snapshot()
    data = {
        "deed": deed,
        "pick": [one.pk for one in made],
        "tag": "calm",
        "collection": album.pk,
        "next": "/t/tide/library/",
    }
    browser: Client = client_of(mona)
    said = browser.post(BULK, data, follow=True).content.decode()
    assert snapshot() != before
    browser.post("/t/tide/library/undo/", {"change": undo_of(said)})
    assert snapshot() == before


def snapshot() -> Any:
    names = ("pk", "rating", "is_private", "approved_at", "approved_by", "trashed_at", "purge_at")
    return [
        list(Generation.objects.order_by("pk").values_list(*names)),
        list(Tagging.objects.order_by("generation").values_list("generation", "tag__name")),
        list(Favourite.objects.order_by("generation").values_list("generation", "user")),
        list(
            Collection.objects.order_by("items__generation").values_list("items__generation", "items__place")
        ),
    ]


def test_what_is_not_the_members_stays_and_is_counted(
    bob: Membership, carol: Membership, make_generation: Make, make_voice: Any, client_of: Any
) -> None:
    mine, hers = make_generation(bob), make_generation(carol, title="Hers")
    running, voiced = make_generation(bob, status=State.RUNNING), make_voice(bob).made_by
    picks = [one.pk for one in (mine, hers, running, voiced)] + [uuid.uuid4()]
    said = client_of(bob).post(BULK, {"deed": "trash", "pick": picks}, follow=True).content.decode()
    assert "1 moved to the trash" in said
    assert "4 were left as they are" in said
    assert [one.pk for one in Generation.objects.filter(trashed_at__isnull=False)] == [mine.pk]


def test_there_is_a_bound_and_a_sentence(bob: Membership, make_generation: Make, client_of: Any) -> None:
    make_generation(bob)
    many = [uuid.uuid4() for _ in range(keeping.MOST + 1)]
    answer = client_of(bob).post(BULK, {"deed": "star", "pick": many})
    assert answer.status_code == 422
    assert (
        f"At most {keeping.MOST} can be changed at once, and {keeping.MOST + 1} were chosen"
        in answer.content.decode()
    )
    for data in (
        {"deed": "star"},
        {"deed": "nonsense", "pick": many[:1]},
        {"pick": many[:1]},
        {"deed": "rate:9", "pick": many[:1]},
    ):
        answer = client_of(bob).post(BULK, data)
        assert answer.status_code == 422
        assert "<h1>" in answer.content.decode()
    assert not Alteration.objects.exists()


def test_a_word_that_is_missing_is_asked_for(bob: Membership, make_generation: Make, client_of: Any) -> None:
    one = make_generation(bob)
    browser: Client = client_of(bob)
    asked = browser.post(BULK, {"deed": "tag", "pick": one.pk, "next": "/t/tide/trash/"}).content.decode()
    assert f'name="pick" value="{one.pk}"' in asked
    assert 'name="tag"' in asked
    assert 'name="next" value="/t/tide/trash/"' in asked
    shelf = browser.post(BULK, {"deed": "collect", "pick": one.pk}).content.decode()
    assert "Or a new collection" in shelf
    browser.post("/t/tide/collections/new/", {"name": "Album", "pick": one.pk})
    assert Collection.objects.get().items.get().generation == one
    wrong = browser.post(BULK, {"deed": "tag", "pick": one.pk, "tag": "x" * 60})
    assert wrong.status_code == 422
    assert "x" * 60 in wrong.content.decode()


def test_undo_is_ones_own(
    bob: Membership, carol: Membership, zoe: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob)
    change = keeping.rate(Generation.objects.filter(pk=one.pk), bob.user, 4)  # type: ignore[arg-type]
    assert change is not None
    for other in (carol, zoe):
        assert client_of(other).post("/t/tide/library/undo/", {"change": change.pk}).status_code == 404
    assert client_of(bob).post("/t/tide/library/undo/", {"change": "x"}).status_code == 404
    assert again(one).rating == 4
    first = client_of(bob).post("/t/tide/library/undo/", {"change": change.pk}, follow=True).content.decode()
    assert "1 is as it was" in first
    second = client_of(bob).post("/t/tide/library/undo/", {"change": change.pk}, follow=True).content.decode()
    assert "taken back already" in second


def test_a_tag_leads_to_what_has_it(alice: Membership, client_of: Any, make_generation: Any) -> None:
    tagged, other = make_generation(alice, outputs=1), make_generation(alice, title="Other")
    tag = Tag.objects.create(team=alice.team, name="Rain at night", folded="rain at night")
    Tagging.objects.create(tag=tag, generation=tagged)
    link = f"/t/tide/library/?tag={tag.pk}"
    assert link in client_of(alice).get(f"/t/tide/g/{tagged.pk}/").content.decode()
    page = client_of(alice).get(link).content.decode()
    assert f'id="g-{tagged.pk}"' in page
    assert f'id="g-{other.pk}"' not in page
