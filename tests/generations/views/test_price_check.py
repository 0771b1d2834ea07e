"""RunningHub's own price of a filled form: asked when wanted, shown beside the estimate, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations import price_checks, tasks, uploads
from generations.models import Generation, PriceCheck, UpstreamCopy
from generations.pipeline import preview
from tests.conftest import MODEL, point_at, tone
from tests.generations.runninghub.wire import Wire, answer, closed

PAGE = f"/t/tide/create/{MODEL}/"
TOLD = {"errorCode": "", "estimatedPrice": "0.95", "currency": "CNY", "priceTextEn": "0.95 a song"}


@pytest.fixture
def upstream(settings: Any) -> Iterator[Wire]:
    wire = Wire()
    point_at(settings, wire.url)
    yield wire
    wire.stop()


def want(client: Client, **posted: Any) -> str:
    filled = {"prompt": "Rain", "_copies": "1", "_title": "", "_extra": ""}
    found = client.post(f"{PAGE}check/", filled | posted, headers={"HX-Request": "true"})
    assert found.status_code == 200
    return " ".join(found.content.decode().split()) + found.headers.get("HX-Trigger", "")


def again(client: Client) -> str:
    found = client.get(f"{PAGE}check/{PriceCheck.objects.get().pk}/")
    return " ".join(found.content.decode().split())


def quote(client: Client, **posted: Any) -> str:
    return " ".join(client.post(f"{PAGE}quote/", {"prompt": "Rain"} | posted).content.decode().split())


def test_who_may(
    bob: Membership, vera: Membership, zoe: Membership, client_of: Any, client: Client, upstream: Wire
) -> None:
    want(client_of(bob))
    check = f"{PAGE}check/{PriceCheck.objects.get().pk}/"
    assert client_of(bob).get(check).status_code == 200
    assert client_of(vera).post(f"{PAGE}check/").status_code == 403
    assert client_of(zoe).post(f"{PAGE}check/").status_code == 404
    assert client_of(zoe).get(check.replace("tide", "zoo")).status_code == 404
    assert client.post(f"{PAGE}check/").status_code == 302


def test_it_is_asked_once_and_stands_beside_the_estimate(
    bob: Membership, client_of: Any, upstream: Wire
) -> None:
    browser = client_of(bob)
    assert "every 1s" in want(browser)
    assert "every 1s" in want(browser), "a second click asks nothing more"
    upstream.script(answer(TOLD))
    row = PriceCheck.objects.get()
    tasks.ask_price(row.pk)
    tasks.ask_price(row.pk)
    assert [seen.path.split("/")[3] for seen in upstream.seen] == ["price-preview"]
    assert upstream.seen[0].json["prompt"] == "Rain"
    said = again(browser)
    assert "¥0.95" in said
    assert "every 1s" not in said
    assert "RunningHub says" in quote(browser)
    assert "RunningHub says" not in quote(browser, prompt="Snow"), "it was asked about another text"
    assert not Generation.objects.exists()
    assert "¥0.95" in want(browser)
    PriceCheck.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    assert "every 1s" in want(browser), "an old answer is asked for anew"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"isFreeThisCall": True, "remainingFreeLimitCount": 1}, "free this time. 1 free call is left."),
        ({"estimatedPrice": None, "priceTextEn": "by <b>length</b>"}, "“by &lt;b&gt;length&lt;/b&gt;”"),
        ({"estimatedPrice": None, "priceTextEn": ""}, "names no price"),
        ({"currency": "USD"}, "$0.95"),
        ({"currency": "", "estimatedPrice": 7}, "¥7.00"),
        ({"errorCode": "1007", "errorMessage": "bad"}, "names no price"),
    ],
)
def test_whatever_it_says_is_shown_as_it_is(
    told: dict[str, Any], words: str, bob: Membership, client_of: Any, upstream: Wire
) -> None:
    browser = client_of(bob)
    want(browser)
    upstream.script(answer(TOLD | told))
    preview.ask(PriceCheck.objects.get().pk)
    assert words in again(browser)
    assert client_of(bob).post(PAGE, {"prompt": "Rain"}).status_code == 303, "it holds nothing up"


def test_silence_is_said_and_may_be_asked_again(bob: Membership, client_of: Any, upstream: Wire) -> None:
    browser = client_of(bob)
    want(browser)
    upstream.script(closed)
    preview.ask(PriceCheck.objects.get().pk)
    assert "gave no answer" in again(browser)


def test_an_account_that_cannot_be_asked_is_not_asked_again(
    bob: Membership, client_of: Any, upstream: Wire
) -> None:
    browser = client_of(bob)
    assert "Ask RunningHub for its price" in browser.get(PAGE).content.decode()
    want(browser)
    upstream.script(answer({"errorCode": "1014", "errorMessage": "enterprise only"}))
    preview.ask(PriceCheck.objects.get().pk)
    assert "Ask RunningHub for its price" not in browser.get(PAGE).content.decode()
    assert "cannot ask" in want(browser, prompt="Snow")
    assert len(upstream.seen) == 1


def test_a_form_that_is_not_ready_is_not_asked_about(bob: Membership, client_of: Any, upstream: Wire) -> None:
    assert "not ready" in want(client_of(bob), prompt="")
    assert not PriceCheck.objects.exists()


def test_without_a_script_the_form_comes_back_filled(bob: Membership, client_of: Any, upstream: Wire) -> None:
    answered = client_of(bob).post(f"{PAGE}check/", {"prompt": "Rain"}, follow=True)
    html = answered.content.decode()
    assert "Its price stands beside the button" in html
    assert "Rain" in html
    assert "every 1s" in html


def test_a_file_goes_there_first_and_is_used_for_the_submit_too(
    bob: Membership, client_of: Any, sandbox: Any
) -> None:
    kept = uploads.store(bob, SimpleUploadedFile("a.wav", tone(10.0), "audio/wav"))
    page = "/t/tide/create/minimax--music-cover-preprocess/"
    found = client_of(bob).post(f"{page}check/", {"audioUrl": kept.reference}, headers={"HX-Request": "true"})
    assert "every 1s" in found.content.decode()
    assert preview.ask(PriceCheck.objects.get().pk)
    assert UpstreamCopy.objects.count() == 1
    assert not PriceCheck.objects.get().is_wanted


def test_a_lost_message_is_made_good_and_old_answers_go(
    bob: Membership, client_of: Any, sandbox: Any
) -> None:
    want(client_of(bob))
    PriceCheck.objects.update(wanted_at=timezone.now() - timedelta(minutes=1))
    preview.tend()
    preview.ask(PriceCheck.objects.get().pk)
    assert PriceCheck.objects.get().amount is not None
    PriceCheck.objects.update(asked_at=timezone.now() - timedelta(days=2))
    preview.tend()
    assert not PriceCheck.objects.exists()


def test_answered_questions_count_too(bob: Membership, client_of: Any, upstream: Wire) -> None:
    client = client_of(bob)
    for number in range(price_checks.MOST):
        want(client, prompt=f"Rain {number}")
        PriceCheck.objects.filter(wanted_at__isnull=False).get().answered()
    assert not PriceCheck.objects.filter(wanted_at__isnull=False).exists()
    assert "Many prices are being asked for" in want(client, prompt="Snow")
    assert PriceCheck.objects.count() == price_checks.MOST
