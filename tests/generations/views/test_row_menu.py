"""The menu of a row: what it offers to whom, and that nobody opens that of what is not theirs to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from generations.models import Favourite, Generation, State

Make = Callable[..., Generation]


def menu(browser: Client, one: Generation, **options: Any) -> str:
    answer = browser.get(f"/t/tide/g/{one.pk}/menu/", **options)
    assert answer.status_code == 200
    return answer.content.decode()


def test_whoever_made_it_is_led_everywhere(bob: Membership, make_generation: Make, client_of: Any) -> None:
    one = make_generation(bob, outputs=2, rating=4)
    Favourite.objects.create(user=bob.user, generation=one)
    address = "http://testserver/t/tide/library/?q=rain&sort=title"
    text = menu(client_of(bob), one, headers={"HX-Current-URL": address})
    for part in (
        f"?from={one.pk}",
        f"?use={one.pk}/0",
        "content?download=1",
        f"/t/tide/compare/?a={one.pk}",
        f"/t/tide/library/choose/?deed=collect&amp;pick={one.pk}&amp;next=%2Ft%2Ftide%2Flibrary%2F%3Fq%3Drain%26sort%3Dtitle",
        f"/t/tide/g/{one.pk}/share/",
        f"/t/tide/g/{one.pk}/trash/",
        'aria-label="Rating of Rain: 4 of 5"',
        'value="no" aria-pressed="true"',
    ):
        assert part in text, part
    assert "Download Take A" in text


def test_a_colleague_is_not_offered_the_trash_of_somebody_else(
    bob: Membership, carol: Membership, mona: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob, outputs=1)
    assert "/trash/" not in menu(client_of(carol), one)
    assert "/trash/" in menu(client_of(mona), one)


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.FAILED])
def test_what_has_no_file_is_neither_taken_out_nor_shared(
    state: str, bob: Membership, make_generation: Make, client_of: Any
) -> None:
    text = menu(client_of(bob), make_generation(bob, status=state))
    for word in ("download", "/share/", "?use="):
        assert word not in text
    assert ("/trash/" in text) == (state == State.FAILED)


def test_strangers_and_those_who_are_not_signed_in_see_none(
    bob: Membership, zoe: Membership, make_generation: Make, client_of: Any, client: Client
) -> None:
    one = make_generation(bob, outputs=1)
    assert client_of(zoe).get(f"/t/tide/g/{one.pk}/menu/").status_code == 404
    assert client.get(f"/t/tide/g/{one.pk}/menu/").status_code == 302
    assert client_of(bob).post(f"/t/tide/g/{one.pk}/menu/").status_code == 405


@pytest.mark.parametrize("given", ["http://[", "javascript:alert(1)", "http://elsewhere.example/t/tide/", ""])
def test_the_way_back_leads_nowhere_else(
    given: str, bob: Membership, make_generation: Make, client_of: Any
) -> None:
    one, browser = make_generation(bob, outputs=1), client_of(bob)
    text = menu(browser, one, headers={"HX-Current-URL": given})
    assert "elsewhere" not in text
    assert "javascript" not in text
    for bad in ("javascript:alert(1)", "//elsewhere.example/", "https://elsewhere.example/"):
        page = browser.get("/t/tide/library/choose/", {"deed": "tag", "pick": one.pk, "next": bad})
        assert bad not in page.content.decode()
        assert 'href="/t/tide/library/">Leave it' in page.content.decode()
