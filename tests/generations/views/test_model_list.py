from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest

from accounts.models import Membership
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.views import picker

PAGE = "/t/tide/models/"


def offered(html: str) -> list[str]:
    found = re.findall(r'class="model" href="[^"]*/create/([^"]+)/"', html)
    return [unquote(slug) for slug in found]


def test_the_page_has_every_model_and_the_fragment_too(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    slugs = [spec.slug for spec in load.models()]
    assert sorted(offered(client.get(PAGE).content.decode())) == sorted(slugs)
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


@pytest.mark.parametrize(
    ("model", "shelf"),
    [
        ("", "sound"),
        ("mureka-ai--generate-lyrics/", "sound"),
        ("pixverse-v6--text-to-video/", "video"),
        ("alibaba--qwen-image-2.0-pro--image-edit/", "picture"),
    ],
)
def test_a_page_to_create_on_opens_on_the_shelf_of_its_model(
    model: str, shelf: str, bob: Membership, client_of: Any
) -> None:
    html = client_of(bob).get(f"/t/tide/create/{model}").content.decode()
    kinds = picker.kinds_of(shelf) or ()
    shown = offered(html)
    assert shown == [spec.slug for spec in load.models() if spec.kind in kinds and spec.slug in shown]
    assert re.findall(r'id="models-shelf-(\w+)"[^>]* aria-current="true"', html) == [shelf]
    assert re.findall(r'class="model" href="[^"]*/create/([^"]+)/" aria-current="true"', html)


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


def test_a_page_to_create_on_carries_the_models_around_its_own(bob: Membership, client_of: Any) -> None:
    """Whichever of hundreds is open: it is among them, and the way to all of its kind stands below."""
    videos = [spec.slug for spec in load.models() if spec.kind is Kind.VIDEO and spec.is_on("cn")]
    browser = client_of(bob)
    sizes = {}
    for slug in (videos[0], videos[len(videos) // 2], videos[-1]):
        page = browser.get(f"/t/{bob.team.slug}/create/{slug}/").content.decode()
        assert page.count("data-filter-item") == picker.NEAR
        assert f'href="/t/{bob.team.slug}/create/{slug}/" aria-current="true" data-filter-item' in page
        assert f"models/?kind=video&amp;model={slug}" in page
        assert f">All {len(videos)}<" in page
        sizes[slug] = len(page)
    sound = browser.get(f"/t/{bob.team.slug}/create/").content.decode()
    assert max(sizes.values()) < 1.5 * len(sound)  # some forms are long
    assert not re.search(r">All \d+<", sound)
