from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.models import Membership
from generations.catalogue import load
from generations.views import picker

PAGE = "/t/tide/models/"


def offered(html: str) -> list[str]:
    return re.findall(r'class="model" href="[^"]*/create/([^"]+)/"', html)


def test_the_page_has_every_model_and_the_fragment_too(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    slugs = [spec.slug for spec in load.models()]
    assert sorted(
        offered(client.get(PAGE).content.decode().replace("%5B", "[").replace("%5D", "]"))
    ) == sorted(slugs)
    part = client.get(PAGE, headers={"HX-Request": "true", "HX-Target": "models-list"}).content.decode()
    assert "<html" not in part
    assert len(offered(part)) == len(slugs) == 374


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ({"q": "veo"}, "Veo 3.1"),
        ({"q": "v3"}, "Veo 3.1"),
        ({"q": "nb"}, "Nano Banana"),
        ({"kind": "object"}, "Hunyuan3D"),
        ({"kind": "video", "q": "kuaishou"}, ""),
        ({"kind": "nonsense", "q": "mureka"}, "Mureka"),
    ],
)
def test_it_is_narrowed_without_scripts(
    bob: Membership, client_of: Any, asked: dict[str, str], first: str
) -> None:
    html = client_of(bob).get(PAGE, asked).content.decode()
    names = re.findall(r'model__name">([^<]+)<', html)
    assert any(name.startswith(first) for name in names) if first else names == []
    assert ("data-filter-none hidden" in html) is bool(names)


def test_a_page_to_create_on_carries_the_sounds_and_the_model_that_is_open(
    bob: Membership, client_of: Any
) -> None:
    client = client_of(bob)
    at_home = [spec.slug for spec in load.models() if spec.kind in picker.HOME]
    assert offered(client.get("/t/tide/create/").content.decode()) == at_home
    html = client.get("/t/tide/create/pixverse-v6--text-to-video/").content.decode()
    assert offered(html) == [*at_home, "pixverse-v6--text-to-video"]
    assert html.count('aria-current="true"') >= 1


def test_a_stranger_and_nobody_see_no_models(
    zoe: Membership, bob: Membership, client_of: Any, client: Any
) -> None:
    assert client_of(zoe).get(PAGE).status_code == 404
    assert client.get(PAGE).status_code == 302


def test_a_shelf_is_marked_and_leads_back_to_the_sounds(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)

    def marked(html: str) -> list[str]:
        return re.findall(r'id="models-shelf-(\w+)"[^>]* aria-current="true"', html)

    assert marked(client.get("/t/tide/create/").content.decode()) == ["sound"]
    asked = {"HX-Request": "true", "HX-Target": "models-list"}
    part = client.get(PAGE, {"kind": "video"}, headers=asked).content.decode()
    assert marked(part) == ["video"]
    assert 'id="models-shelves"' in part
    assert 'hx-swap-oob="true"' in part
    part = client.get(PAGE, {"kind": "sound"}, headers=asked).content.decode()
    assert marked(part) == ["sound"]
    assert offered(part) == [spec.slug for spec in load.models() if spec.kind in picker.HOME]
