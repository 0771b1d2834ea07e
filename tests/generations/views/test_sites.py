"""A portal on one site of RunningHub offers what that site has, and says so of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

from accounts.models import Allowance, ApiToken, Measure, Membership, Mode, Period, Scope
from generations.catalogue import load
from generations.models import Connection, Draft, Generation
from generations.models.connection import site_of
from generations.pipeline import several
from generations.pipeline.several import Line
from tests.conftest import point_at
from tests.generations.api.conftest import Program
from tests.generations.catalogue.facts import SOUNDS
from tests.generations.views.reading import seen

CN = "minimax--music-2.6"
AI = "minimax--music-2.6--text-to-music"
BOTH = "rhart-audio--text-to-audio--speech-2.8-hd"
SAYS = "This model is not offered on RunningHub’s .{} site."
ONLY_CN = {
    "minimax--music-2.6",
    "minimax--music-cover",
    "minimax--music-cover-preprocess",
    "mureka-ai--generate-lyrics",
    "mureka-ai--mureka-o2--generate-song",
    *(f"mureka-ai--mureka-{v}--generate-{what}" for v in ("v7.6", "v8", "v9") for what in ("song", "bgm")),
    "mureka-ai--mureka-v7.6--extend-song",
    "mureka-ai--mureka-v8--extend-song",
    "mureka-ai--vocal-clone",
}
ONLY_AI = {AI, "minimax--music-2.6--text-to-instrumental"}


@pytest.fixture(params=["ai", "cn"])
def site(request: pytest.FixtureRequest, settings: Any) -> str:
    point_at(settings, f"https://www.runninghub.{request.param}")
    return str(request.param)


def test_which_models_only_one_site_has() -> None:
    slugs = {spec.slug for spec in SOUNDS}
    assert {spec.slug for spec in load.offered("ai")} & slugs == slugs - ONLY_CN
    assert {spec.slug for spec in load.offered("cn")} & slugs == slugs - ONLY_AI
    assert load.offered("") == load.models()


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://www.runninghub.ai", "ai"),
        ("https://runninghub.ai", "ai"),
        ("https://api.RunningHub.cn:443/x", "cn"),
        ("https://notrunninghub.ai", ""),
        ("https://runninghub.ai.example", ""),
        ("http://127.0.0.1:8188", ""),
        ("sandbox", ""),
        ("", ""),
    ],
)
def test_the_site_follows_from_the_address(address: str, site: str) -> None:
    assert site_of(address) == site
    assert Connection(base_url=address).site == site


def test_the_sandbox_and_an_unknown_address_offer_everything(
    bob: Membership, client_of: Any, settings: Any
) -> None:
    for url in (None, "http://double.example"):
        if url:
            point_at(settings, url)
        assert Connection.current().site == ""
        page = unquote(client_of(bob).get("/t/tide/models/").content.decode())
        assert [spec.slug for spec in load.models() if f"/create/{spec.slug}/" not in page] == []


def test_the_picker_has_what_the_site_has(bob: Membership, client_of: Any, site: str) -> None:
    page = unquote(client_of(bob).get("/t/tide/models/").content.decode())
    offered = {spec.slug for spec in load.offered(site)}
    assert {spec.slug for spec in load.models() if f'/create/{spec.slug}/"' in page} == offered


def test_a_model_of_the_other_site_says_so(bob: Membership, client_of: Any, site: str) -> None:
    other, here = (CN, AI) if site == "ai" else (AI, CN)
    client = client_of(bob)
    assert client.get(f"/t/tide/create/{here}/").status_code == 200
    for answer in (
        client.get(f"/t/tide/create/{other}/"),
        client.post(f"/t/tide/create/{other}/", {"prompt": "Rain", "lyrics": "La"}),
        client.post(f"/t/tide/create/{other}/quote/", {"prompt": "Rain"}),
    ):
        assert answer.status_code == 404
        assert SAYS.format(site) in answer.content.decode()
    assert not Generation.objects.exists()


def test_rest_offers_what_the_site_has(bob: Membership, site: str) -> None:
    bobs = Program(ApiToken.issue(bob))
    other = CN if site == "ai" else AI
    assert [one["slug"] for one in bobs.get("models").json()["items"]] == [
        spec.slug for spec in load.offered(site)
    ]
    detail = bobs.get(f"models/{other}")
    assert (detail.status_code, detail.json()["detail"]) == (404, SAYS.format(site))
    refused = bobs.post("generations", {"model": other, "params": {"prompt": "Rain", "lyrics": "La"}})
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["param"] == "model"
    assert fault["message"].startswith(SAYS.format(site))
    assert not Generation.objects.exists()


def test_what_was_made_before_stays_and_does_not_run_again(
    bob: Membership, client_of: Any, make_generation: Any, site: str
) -> None:
    other = CN if site == "ai" else AI
    made = make_generation(bob, model=other, outputs=1)
    client = client_of(bob)
    library = client.get("/t/tide/library/").content.decode()
    assert str(made.pk) in library
    assert f"/create/{other}/?from=" not in library
    page = client.get(f"/t/tide/g/{made.pk}/")
    assert page.status_code == 200
    assert "/again/" not in page.content.decode()
    answer = client.post(f"/t/tide/g/{made.pk}/again/", {"key": "0" * 32})
    assert answer.status_code == 409
    assert SAYS.format(site) in answer.content.decode()
    assert Generation.objects.count() == 1


def test_create_opens_with_a_model_of_the_site(
    bob: Membership, client_of: Any, make_generation: Any, site: str
) -> None:
    for _ in range(2):
        answer = client_of(bob).get("/t/tide/create/")
        assert answer.status_code == 200
        shown = seen(answer).texts["form-title"]
        assert shown in {spec.title for spec in load.offered(site)}
        make_generation(bob, model=CN if site == "ai" else AI)


def test_an_empty_library_suggests_a_model_of_the_site(bob: Membership, client_of: Any, site: str) -> None:
    assert client_of(bob).get("/t/tide/library/").status_code == 200


def test_the_rest_of_a_batch_says_so_too_and_is_kept(bob: Membership, client_of: Any, settings: Any) -> None:
    Allowance.put(
        bob.team,
        scope=Scope.DEFAULT,
        measure=Measure.COUNT,
        period=Period.WEEK,
        mode=Mode.LIMITED,
        limit=Decimal(1),
    )
    taken = several.accept(bob, "mureka-ai--generate-lyrics", {}, [Line(1, "Rain"), Line(2, "Snow")])
    point_at(settings, "https://www.runninghub.ai")
    client = client_of(bob)
    answer = client.post(f"/t/tide/b/{taken.batch.pk}/rest/", follow=True)
    assert SAYS.format("ai") in answer.content.decode()
    assert taken.rest is not None
    assert Draft.objects.filter(pk=taken.rest.pk).exists()
