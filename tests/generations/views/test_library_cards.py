"""The library as cards: what can be seen, by default where only that is asked for, else by its address."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations.models import Favourite, Generation, Output, State

LIST = "/t/tide/library/"
TITLE = r'class="rows__title clip" href="[^"]+">([^<]+)<'


@pytest.fixture
def make_picture(make_generation: Any) -> Any:
    """A generation of one picture or film, with its small picture."""

    def make(by: Membership, *, poster: bool = True, kind: str = "picture", **fields: Any) -> Generation:
        made: Generation = make_generation(by, kind=kind, **fields)
        film = kind == "video"
        output = Output(
            generation=made,
            index=0,
            kind="video" if film else "image",
            content_type="video/mp4" if film else "image/png",
            extension="mp4" if film else "png",
            bytes=3,
            sha256="0" * 64,
            width=1024,
            height=768,
            duration=75.0 if film else None,
        )
        output.file.save(Output.file_name(made, 0, output.extension), ContentFile(b"abc"), save=False)
        if poster:
            output.poster.save(output.poster_name, ContentFile(b"abc"), save=False)
        output.save()
        return made

    return make


def cards(html: str) -> list[str]:
    return re.findall(r'<li class="shot" id="g-.*?</li>', html, re.DOTALL)


def test_pictures_are_cards_with_a_box_a_star_and_room_for_the_picture(
    bob: Membership, client_of: Any, make_picture: Any
) -> None:
    film = make_picture(bob, kind="video", title="Gulls")
    Favourite.objects.create(user=bob.user, generation=film)
    page = client_of(bob).get(LIST, {"kind": "video"}).content.decode()
    (card,) = cards(page)
    (picture,) = re.findall(r"<img [^>]+>", card)
    assert f'src="/t/tide/g/{film.pk}/outputs/0/poster"' in picture
    assert {'loading="lazy"', 'width="512"', 'height="384"', 'alt=""'} <= set(picture.strip("<>").split())
    assert f'name="pick" value="{film.pk}" aria-label="Select Gulls"' in card
    assert 'aria-pressed="true" aria-label="Favourite: Gulls"' in card
    assert re.findall(TITLE, card) == ["Gulls"]
    assert ">1:15<" in card
    assert "<table" not in page.partition('id="results"')[2]


@pytest.mark.parametrize(
    ("query", "is_cards", "other"),
    [
        ("", False, "show=grid"),
        ("kind=picture", True, "kind=picture&amp;show=list"),
        ("kind=object", True, "kind=object&amp;show=list"),
        ("kind=picture&show=list", False, "kind=picture"),
        ("show=grid", True, ""),
        ("show=grid&kind=song", False, None),
        ("kind=song", False, None),
        ("kind=text", False, "kind=text&amp;show=grid"),
        ("show=nonsense", False, "show=grid"),
        ("show=list", False, "show=grid"),
    ],
)
def test_the_address_says_which(
    query: str, is_cards: bool, other: str | None, bob: Membership, client_of: Any, make_picture: Any
) -> None:
    for kind in ("picture", "object", "song", "text"):
        make_picture(bob, kind=kind)
    page = client_of(bob).get(f"{LIST}?{query}").content.decode()
    assert bool(cards(page)) is is_cards
    assert ('<table class="rows"' in page) is not is_cards
    offered = re.findall(r'<a class="chip" href="([^"]*)"><svg[^>]*>.*?</svg>(?:Cards|List)<', page)
    assert offered == ([] if other is None else [LIST + (f"?{other}" if other else "")])


def test_a_search_and_a_saved_one_keep_the_cards(bob: Membership, client_of: Any, make_picture: Any) -> None:
    make_picture(bob)
    client = client_of(bob)
    page = client.get(LIST, {"show": "grid"}).content.decode()
    assert page.count('<input type="hidden" name="show" value="grid">') == 2
    client.post(f"{LIST}searches/", {"name": "Seen", "query": "show=grid"})
    assert f'href="{LIST}?show=grid"' in client.get(LIST).content.decode()


def test_cards_ask_no_more_than_lines_and_no_more_for_many(
    bob: Membership, client_of: Any, make_picture: Any
) -> None:
    client = client_of(bob)

    def asked(**query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST, query).status_code == 200
        return len(queries)

    make_picture(bob)
    few = asked(show="grid")
    for number in range(20):
        make_picture(bob, kind="video" if number % 2 else "picture", poster=number % 3 > 0)
    assert asked(show="grid") == asked() == few


def test_older_cards_are_appended_to_the_cards(bob: Membership, client_of: Any, make_picture: Any) -> None:
    for number in range(26):
        make_picture(bob, title=f"Gull {number}")
    client = client_of(bob)
    (more,) = re.findall(r'href="([^"]+)" data-more', client.get(LIST, {"show": "grid"}).content.decode())
    part = client.get(
        more.replace("&amp;", "&"), headers={"HX-Request": "true", "HX-Target": "pager"}
    ).content.decode()
    assert '<ul hx-swap-oob="beforeend:#rows">' in part
    assert [re.findall(TITLE, card) for card in cards(part)] == [["Gull 1"], ["Gull 0"]]
    assert "<tr" not in part
    assert "gallery__day" not in part, "the day is headed already"


def test_a_card_that_changed_comes_as_a_card(bob: Membership, client_of: Any, make_picture: Any) -> None:
    waits = make_picture(bob, status=State.RUNNING, upstream_id="t1", poster=False, title="Gulls")
    client = client_of(bob)
    page = client.get(LIST, {"kind": "picture"}).content.decode()
    assert f'hx-get="{LIST}?show=grid"' in page
    (live,) = re.findall(r'name="live" value="([^"]+)"', page)
    asks = {"HX-Request": "true", "HX-Target": "live"}
    assert client.get(LIST, {"show": "grid", "live": live}, headers=asks).status_code == 204
    Generation.objects.filter(pk=waits.pk).update(status=State.SUCCEEDED, finished_at=timezone.now())
    changed = client.get(LIST, {"show": "grid", "live": live}, headers=asks).content.decode()
    assert "<tr" not in changed
    assert len(cards(changed)) == 1
    assert f'id="g-{waits.pk}" data-row hx-swap-oob="true"' in changed


def test_sound_among_cards_plays(bob: Membership, client_of: Any, make_generation: Any) -> None:
    song = make_generation(bob, outputs=1, title="Rain <1>")
    (card,) = cards(client_of(bob).get(LIST, {"show": "grid"}).content.decode())
    assert f'data-track data-src="/t/tide/g/{song.pk}/outputs/0/content"' in card
    assert "data-play" in card
    assert "Rain &lt;1&gt;" in card
    assert "<1>" not in card


def test_what_failed_says_so_on_its_card(bob: Membership, client_of: Any, make_generation: Any) -> None:
    make_generation(bob, kind="picture", status=State.FAILED)
    (card,) = cards(client_of(bob).get(LIST, {"kind": "picture"}).content.decode())
    assert re.search(r"</svg>Failed</span>", card)
