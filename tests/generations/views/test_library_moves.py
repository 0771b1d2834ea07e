"""The library page while it is used: older rows, typing, small refreshes, and that no address breaks it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django_htmx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from gunicorn.config import Config

from accounts.models import Membership, User
from generations.models import (
    Collection,
    CollectionItem,
    Generation,
    LibraryCounts,
    State,
    Tag,
    Tagging,
    Tally,
    VoiceUse,
)
from generations.pipeline import count
from generations.templatetags import ui
from generations.views import facets, filters
from tests.effort import thorough

LIST = "/t/tide/library/"


@pytest.fixture
def make_generation(make_generation: Any) -> Any:
    """Each in a millisecond of its own, because ids sort by the millisecond."""

    def make(*args: Any, **fields: Any) -> Any:
        made, then = make_generation(*args, **fields), time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == then:
            pass
        return made

    return make


def htmx(target: str) -> dict[str, str]:
    return {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": target}


def titles(page: str) -> list[str]:
    return re.findall(r'class="rows__title clip" href="[^"]+">([^<]+)<', page)


def test_older_pages_follow_without_a_gap_and_without_a_script(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    for number in range(50):
        make_generation(alice, title=f"Nr {number}")
    client = client_of(alice)
    seen, url = [], LIST
    for _ in range(5):
        page = client.get(url).content.decode()
        seen += titles(page)
        link = re.search(r'href="([^"]*cursor=[^"]*)"', page)
        if not link:
            break
        url = link[1].replace("&amp;", "&")
    assert seen == [f"Nr {number}" for number in reversed(range(50))]
    assert "This is where the library begins." in page


def test_older_rows_are_appended_without_heading_the_same_day_again(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    noon = timezone.now()
    for number in range(30):
        make_generation(alice, title=f"Nr {number}", created_at=noon)
    client = client_of(alice)
    link = re.search(r'href="[^"]*(\?cursor=[^"]*)"', client.get(LIST).content.decode())
    assert link
    answer = client.get(LIST + link[1], **htmx("pager")).content.decode()
    assert titles(answer) == [f"Nr {number}" for number in reversed(range(6))]
    assert "rows__day" not in answer
    assert "<html" not in answer
    assert 'hx-swap-oob="beforeend:#rows"' in answer


def test_typing_gets_the_list_and_the_chips_alone(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, title="Storm")
    answer = client_of(alice).get(LIST + "?q=storm", **htmx("results"))
    page = answer.content.decode()
    assert titles(page) == ["Storm"]
    assert "<html" not in page
    assert '<input type="hidden" name="q" value="storm">' in page
    assert 'name="status" value="failed"' in page
    assert "HX-Target" in answer["Vary"]


def test_going_back_gets_a_whole_page(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).get(LIST, HTTP_HX_HISTORY_RESTORE_REQUEST="true", **htmx("results"))
    assert "<html" in answer.content.decode()


def test_a_page_without_unfinished_rows_is_quiet(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, outputs=1)
    assert "every 1500ms" not in client_of(alice).get(LIST).content.decode()


def shown_live(page: str) -> list[str]:
    return re.findall(r'name="live" value="([^"]+)"', page)


def test_a_refresh_sends_only_rows_that_changed(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    waiting = make_generation(alice, title="Waits", status=State.QUEUED)
    running = make_generation(alice, title="Runs", status=State.RUNNING)
    client = client_of(alice)
    page = client.get(LIST).content.decode()
    assert page.count("every 1500ms") == 1
    live = shown_live(page)
    assert len(live) == 2
    assert client.get(LIST, {"live": live}, **htmx("live")).status_code == 204

    Generation.objects.note(running.pk, State.RUNNING, next_check_at=timezone.now())
    assert client.get(LIST, {"live": live}, **htmx("live")).status_code == 204, (
        "a look that changed nothing to see"
    )

    Generation.objects.move(waiting.pk, State.QUEUED, State.DISPATCHING)
    answer = client.get(LIST, {"live": live}, **htmx("live"))
    assert answer.status_code == 200
    assert titles(answer.content.decode()) == ["Waits"]
    assert "every 1500ms" in answer.content.decode()


def test_a_refresh_ends_when_nothing_is_under_way_any_more(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    running = make_generation(alice, title="Runs", status=State.RUNNING)
    client = client_of(alice)
    live = shown_live(client.get(LIST).content.decode())
    done = make_generation(alice, outputs=1)
    done.outputs.update(generation=running)
    Generation.objects.move(running.pk, State.RUNNING, State.SUCCEEDED)
    answer = client.get(LIST, {"live": live}, **htmx("live")).content.decode()
    assert "data-play" in answer, "it can be played now"
    assert "every 1500ms" not in answer
    assert client.get(LIST, {"live": []}, **htmx("live")).status_code == 200


def values(page: str) -> dict[str, str]:
    """What the fields that a search moves along have in them."""
    found = re.findall(
        r'<input type="hidden" id="(saved-query|mark-next|bulk-next)"[^>]* value="([^"]*)"', page
    )
    return {name: unescape(value) for name, value in found}


def typed(client: Client, query: str, before: str) -> str:
    """The answer to a search that was typed on the page with the address `before`."""
    headers = {"HX-Request": "true", "HX-Target": "results", "HX-Current-URL": f"http://testserver{before}"}
    return str(client.get(f"{LIST}?{query}", headers=headers).content.decode())


def test_a_typed_search_moves_along_what_is_saved_and_where_buttons_lead(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(bob, title="Rain & fog")
    client = client_of(bob)
    whole = client.get(LIST).content.decode()
    assert values(whole) == {"mark-next": LIST, "bulk-next": LIST}
    assert '<div id="saved-view"></div>' in whole
    first = typed(client, "q=rain+%26&kind=", LIST)
    here = f"{LIST}?q=rain+%26&kind="
    assert values(first) == {"saved-query": "q=rain+%26", "mark-next": here, "bulk-next": here}
    assert '<div id="saved-view" hx-swap-oob="true">' in first, "the page had no form to save with"
    assert 'name="csrfmiddlewaretoken"' in first
    again = typed(client, "q=fog", here)
    fog = f"{LIST}?q=fog"
    assert values(again) == {"saved-query": "q=fog", "mark-next": fog, "bulk-next": fog}
    assert 'id="saved-name"' not in again, "somebody may be writing a name there"
    for name in ("saved-query", "mark-next", "bulk-next"):
        assert re.search(f'<input type="hidden" id="{name}"[^>]* hx-swap-oob="true">', again)
    assert 'id="q"' not in again, "the search box keeps its focus"
    nothing = typed(client, "q=", fog)
    assert values(nothing) == {"saved-query": "", "mark-next": f"{LIST}?q=", "bulk-next": f"{LIST}?q="}
    assert 'id="saved-view"' in typed(client, "q=fog", f"{LIST}?q=")


def test_a_search_typed_beside_a_filter_finds_the_form_there(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(bob, title="Rain")
    client = client_of(bob)
    before = f"{LIST}?kind=song"
    assert values(client.get(before).content.decode())["saved-query"] == "kind=song"
    answer = typed(client, "q=rain&kind=song", before)
    assert values(answer)["saved-query"] == "q=rain&kind=song"
    assert 'id="saved-name"' not in answer


def test_a_typed_search_asks_no_more_for_what_is_saved(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(bob, title="Rain")
    client = client_of(bob)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            typed(client, "q=rain", LIST)
        return len(queries)

    asked()
    few = asked()
    for number in range(5):
        client.post(f"{LIST}searches/", {"name": f"No {number}", "query": f"q={number}"})
        make_generation(bob, title=f"Rain {number}")
    assert asked() == few


def test_ten_more_rows_ask_no_more_queries(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(alice)

    def load() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(LIST)
        return len(queries), len(page.content)

    for _ in range(2):
        make_generation(alice, outputs=2)
    few, _size = load()
    for number in range(22):
        make_generation(
            bob if number % 2 else alice,
            title="A title of a usual length",
            outputs=2,
            params={"prompt": "word " * 999},
        )
    many, _size = load()
    assert many == few


@pytest.fixture
def named_as_in_production(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Static files have hashed names, which are longer and stand on a page a hundred times."""
    settings.STATIC_ROOT = tmp_path
    kept = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": kept}}
    hashed = {
        str(path.relative_to(folder)): f"{path.with_suffix('').relative_to(folder)}.{'0' * 12}{path.suffix}"
        for folder in (Path(settings.BASE_DIR) / "static", Path(django_htmx.__file__).parent / "static")
        for path in folder.rglob("*.*")
    }
    (tmp_path / "staticfiles.json").write_text(json.dumps({"version": "1.1", "paths": hashed, "hash": ""}))
    ui._icon.cache_clear()
    yield
    ui._icon.cache_clear()


@pytest.mark.usefixtures("named_as_in_production")
def test_a_full_page_of_a_large_team_stays_below_a_hundred_kilobytes(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    """Titles as people write them, and more of everything to filter by than a menu shows."""
    for number in range(25):
        tag = Tag.objects.create(team=alice.team, name=f"Episode {number}", folded=f"episode {number}")
        shelf = Collection.objects.create(
            team=alice.team, author=bob.user, name=f"The best of season {number}"
        )
        user = User.objects.create_user(f"person{number}@example.org", name=f"Person Number {number}")
        Membership.objects.create(team=alice.team, user=user, role="member")
        made = make_generation(
            bob if number % 2 else alice,
            title="A title of a usual length, as people write them in full",
            outputs=2,
            rating=number % 6,
            params={"prompt": "word " * 999},
        )
        Tagging.objects.create(generation=made, tag=tag)
        CollectionItem.objects.create(collection=shelf, generation=made, place=1, added_by=bob.user)
    count.refresh()
    page = client_of(alice).get(LIST).content
    assert page.count(b"<rating-bars") == 24
    assert b"icons.000000000000.svg" in page
    assert len(page) <= 100_000
    for name in ("model", "author", "tag", "collection"):
        assert f'href="{LIST}filter/{name}/" data-stays'.encode() in page
        assert f'name="{name}"'.encode() not in page


def test_a_filter_of_many_values_has_a_list_of_all_of_them(
    alice: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    for number in range(15):
        Tag.objects.create(team=alice.team, name=f"Take {number:02}", folded=f"take {number:02}")
    browser = client_of(alice)
    address = f"{LIST}filter/tag/?q=rain&amp;sort=title"
    assert (
        f'href="{address}" data-stays' in browser.get(LIST, {"q": "rain", "sort": "title"}).content.decode()
    )
    whole = browser.get(f"{LIST}filter/tag/", {"q": "rain", "tag": "3"}).content.decode()
    part = browser.get(f"{LIST}filter/tag/", {"q": "rain"}, headers={"HX-Request": "true"}).content.decode()
    for text in (whole, part):
        assert re.findall(r">(Take \d\d)<", text) == [f"Take {number:02}" for number in range(15)]
    assert '<input type="hidden" name="q" value="rain">' in whole
    assert 'name="tag" value="3"' not in whole.partition("<button")[0]
    assert "<html" not in part
    assert "nothing to choose" in browser.get(f"{LIST}filter/collection/").content.decode()
    assert browser.get(f"{LIST}filter/nonsense/").status_code == 404
    assert client_of(zoe).get(f"{LIST}filter/tag/").status_code == 404
    assert client.get(f"{LIST}filter/tag/").status_code == 302


def test_a_voice_is_chosen_from_a_list_that_comes_when_it_is_asked_for(
    bob: Membership,
    carol: Membership,
    mona: Membership,
    zoe: Membership,
    client: Any,
    client_of: Any,
    make_voice: Any,
    make_generation: Any,
) -> None:
    harbour, mine = make_voice(bob), make_voice(bob, "Attic", audience="owner")
    said, whispered = make_generation(carol, title="Said"), make_generation(bob, title="Whispered")
    VoiceUse.objects.create(generation=said, voice=harbour)
    VoiceUse.objects.create(generation=whispered, voice=mine)
    count.refresh()
    choose = f"{LIST}filter/voice/"
    page = client_of(carol).get(LIST, {"q": "s"}).content.decode()
    assert f'href="{choose}?q=s" data-stays' in page
    assert "Harbour<" not in page.partition('id="filters"')[2].partition("</form>")[0]

    def offered(who: Membership) -> list[str]:
        part = client_of(who).get(choose, headers={"HX-Request": "true"}).content.decode()
        return re.findall(r'name="voice" value="[^"]+">(\w+)<small>1<', part)

    assert offered(bob) == offered(mona) == ["Attic", "Harbour"]
    assert offered(carol) == ["Harbour"]
    listed = client_of(carol).get(LIST, {"voice": harbour.pk.hex}).content.decode()
    assert re.findall(r'class="rows__title clip" href="[^"]+">([^<]+)<', listed) == ["Said"]
    assert "Voice: Harbour" in listed
    assert "Attic" not in client_of(carol).get(LIST, {"voice": mine.pk}).content.decode()
    assert "Harbour" not in client_of(zoe).get("/t/zoo/library/filter/voice/").content.decode()
    assert client_of(zoe).get(choose).status_code == 404
    assert client.get(choose).status_code == 302


def test_a_saved_search_keeps_its_voice(
    bob: Membership, carol: Membership, client_of: Any, make_voice: Any, make_generation: Any
) -> None:
    voice, said = make_voice(bob), make_generation(bob, title="Said")
    VoiceUse.objects.create(generation=said, voice=voice)
    kept = {"name": "Harbour", "query": f"voice={voice.pk}", "shared": "on"}
    client_of(bob).post("/t/tide/library/searches/", kept)
    assert f'href="{LIST}?voice={voice.pk}"' in client_of(carol).get(LIST).content.decode()


def test_about_how_many_are_private_is_told_to_those_who_see_them(
    bob: Membership, carol: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    for number in range(30):
        make_generation(bob, is_private=True, title=f"Note {number}")
    make_generation(carol, is_private=True)

    def told(who: Membership) -> tuple[list[str], bool]:
        page = client_of(who).get(LIST).content.decode()
        chip = re.findall(r'private=yes">Private(?: <span class="faint num tiny">(\d+)<)?', page)
        return chip, "about 31 gen" in client_of(who).get(LIST, {"private": "yes"}).content.decode()

    assert told(bob) == ([""], False), "nothing was counted yet"
    count.refresh()
    assert told(bob) == (["30"], False)
    assert "about 30 generations" in client_of(bob).get(LIST, {"private": "yes"}).content.decode()
    assert told(carol) == (["1"], False)
    assert told(mona) == (["31"], True)
    carol.heir, carol.ended_at = bob.user, timezone.now()
    carol.save()
    assert told(bob) == (["31"], True)


def test_menus_and_totals_know_of_private_work_for_those_who_see_it(
    bob: Membership,
    carol: Membership,
    mona: Membership,
    client_of: Any,
    make_voice: Any,
    make_generation: Any,
) -> None:
    """Nothing that only private work has is out of their reach, and no total is below what they see."""
    for number in range(26):
        made = make_generation(bob, is_private=bool(number), kind="video" if number else "song")
    VoiceUse.objects.create(generation=made, voice=make_voice(bob))
    shelf = Collection.objects.create(team=bob.team, author=bob.user, name="Drafts")
    CollectionItem.objects.create(collection=shelf, generation=made, place=1, added_by=bob.user)
    count.refresh()

    def told(who: Membership) -> tuple[dict[str, str], list[str], str]:
        page = client_of(who).get(LIST, {"show": "list"}).content.decode()
        kinds = dict(re.findall(r'name="kind" value="(\w+)">[^<]+(?:<small>(\d+)<)?', page))
        menus = [name for name in ("voice", "collection") if f"{LIST}filter/{name}/" in page]
        return kinds, menus, "".join(re.findall(r"<p>(.*\d) generations<", page))

    assert told(carol) == ({"song": "1", "voice": "1"}, [], "2")
    for who in (bob, mona):
        kinds, menus, total = told(who)
        assert (kinds["video"], kinds["song"], menus) == ("", "1", ["voice", "collection"])
        assert total == "about 27"
        videos = client_of(who).get(LIST, {"kind": "video"}).content.decode()
        assert 'class="shot"' in videos
        assert "about" not in videos.partition('id="pager"')[2].partition("</p>")[0]
        assert "Drafts" in client_of(who).get(f"{LIST}filter/collection/").content.decode()


def test_what_is_used_most_is_offered_however_late_its_name_comes(
    bob: Membership, client_of: Any, make_voice: Any, make_generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (facets, filters):
        monkeypatch.setattr(module, "LONG", 3)
    for name in ("a", "b", "c"):
        Tag.objects.create(team=bob.team, name=f"tag {name}", folded=f"tag {name}")
        make_voice(bob, f"Voice {name}")

    def offered(name: str) -> tuple[list[str], bool]:
        page = client_of(bob).get(f"{LIST}filter/{name}/").content.decode()
        found = re.findall(rf'name="{name}" value="[^"]+">([^<]+)<', page)
        return found, "These are 3 of them; there are more." in page

    assert offered("tag") == (["tag a", "tag b", "tag c"], False)
    tag = Tag.objects.create(team=bob.team, name="tag z", folded="tag z")
    voice = make_voice(bob, "Voice z")
    made = make_generation(bob)
    Tagging.objects.create(generation=made, tag=tag)
    VoiceUse.objects.create(generation=made, voice=voice)
    count.refresh()
    assert offered("tag") == (["tag z", "tag a", "tag b"], True)
    assert offered("voice") == (["Voice z"], False), "a voice that said nothing is not offered"
    make_generation(bob, is_private=True)
    Tally.objects.all().delete()
    LibraryCounts.objects.all().delete()
    count.refresh()
    assert offered("voice") == (["Voice z", "Voice a", "Voice b"], True)


def test_a_count_of_a_version_before_is_not_told_too_small(
    bob: Membership, client_of: Any, make_generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(count, "SLICE", 1)
    for _ in range(3):
        make_generation(bob, is_private=True)
    count.refresh()
    whole = "Private <span"
    assert whole in client_of(bob).get(LIST).content.decode()
    old = Tally.objects.order_by("first").first()
    assert old is not None
    del old.counts["private"]
    old.save()
    count._sum(bob.team, list(Tally.objects.all()))
    assert whole not in client_of(bob).get(LIST).content.decode()


HOSTILE = [
    "x",
    "nonsense",
    "\x00",
    "'\"><script>alert(1)</script>",
    "%00",
    "9" * 400,
    "-1",
    "💥" * 50,
    "a" * 5000,
    "a " * 2000,
    "{{7*7}}",
]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["q", "cursor", "author", "status", "model", "kind", "live", "unknown"])
@pytest.mark.parametrize("target", ["results", *map(thorough, ["", "pager", "live"])])
def test_no_query_string_breaks_the_page(
    name: str, target: str, alice: Membership, client_of: Callable[[Membership], Any], make_generation: Any
) -> None:
    make_generation(alice, status=State.RUNNING)
    client = client_of(alice)
    for value in HOSTILE:
        answer = client.get(f"{LIST}?{name}={quote(value)}", **(htmx(target) if target else {}))
        assert answer.status_code in (200, 204, 400), (name, value)
        assert b"<script>alert" not in answer.content


def test_a_cursor_that_is_none_is_answered_with_a_sentence(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).get(LIST + "?cursor=x")
    assert answer.status_code == 400
    assert "This address leads nowhere" in answer.content.decode()


def test_the_next_page_of_the_longest_titles_has_an_address_that_the_web_server_takes(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    for number in range(26):
        make_generation(alice, title="\U0001f3b5" * 190 + f"{number:02}")
    client = client_of(alice)
    page = client.get(LIST, {"q": "\U0001f3b5" * 190, "sort": "title"}).content.decode()
    link = re.search(r'href="([^"]*cursor=[^"]*)"', page)
    assert link
    address = link[1].replace("&amp;", "&")
    assert len(f"GET {address} HTTP/1.1\r\n") < Config().limit_request_line
    assert [title[-2:] for title in titles(client.get(address).content.decode())] == ["24", "25"]


@pytest.mark.parametrize("sort", ["", "oldest", "title", "longest", "rating", "cost"])
@pytest.mark.parametrize("target", ["", "pager"])
def test_a_value_in_the_cursor_that_none_can_be_is_answered_with_a_sentence(
    target: str, sort: str, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(alice)
    asked = {"sort": sort, "cursor": f"{row.pk.hex}~AA"}
    answer = client_of(alice).get(LIST, asked, **(htmx(target) if target else {}))
    assert answer.status_code == 400


def test_an_address_of_a_page_that_is_none_is_no_fault(alice: Membership, client_of: Any) -> None:
    headers = {"HX-Request": "true", "HX-Target": "results", "HX-Current-URL": "http://["}
    assert client_of(alice).get(LIST + "?q=rain", headers=headers).status_code == 200


def test_only_reading_is_allowed(alice: Membership, client_of: Any) -> None:
    assert client_of(alice).post(LIST).status_code == 405
