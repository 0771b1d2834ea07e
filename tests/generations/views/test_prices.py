"""The price list and the page of one price."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Team
from generations.catalogue import load
from generations.models import PriceDecision, TeamPrice
from generations.views import price_list
from tests.conftest import MODEL

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/prices/"
ONE = f"{PAGE}{MODEL}/"
UNKNOWN = "bytedance--doubao-seed-audio-1.0"


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def row_of(html: str, title: str) -> str:
    return next(
        text(row) for row in re.findall(r"<tr>.*?</tr>", html, re.S) if f"<span>{title}</span>" in row
    )


def said(**more: Any) -> dict[str, Any]:
    return {"amount": "1.25", "unit": "call", "since": f"{timezone.now():%Y-%m-%d}", "note": "", **more}


@pytest.mark.thorough
def test_everybody_sees_the_list_and_managers_change_it(
    client: Client, client_of: Clients, alice: Membership, mona: Membership, bob: Membership, vera: Membership,
    zoe: Membership,
) -> None:  # fmt: skip
    for who in (alice, mona, bob, vera):
        html = client_of(who).get(PAGE).content.decode()
        assert "Price list" in html
        assert (f'href="{ONE}"' in html) == (who in (alice, mona))
    assert client_of(zoe).get(PAGE).status_code == 404
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"
    for path in (ONE, f"{ONE}end/", f"{ONE}decide/"):
        for who, status in ((bob, 403), (vera, 403), (zoe, 404)):
            assert client_of(who).post(path, said()).status_code == status
        assert client.post(path, said())["Location"].startswith("/accounts/login/")
    for who, status in ((alice, 200), (mona, 200), (bob, 403), (vera, 403), (zoe, 404)):
        assert client_of(who).get(ONE).status_code == status
    assert client_of(mona).get(f"{PAGE}no-such-model/").status_code == 404
    assert not TeamPrice.objects.exists()


def test_a_row_tells_what_is_expected_and_what_was_paid(
    client_of: Clients, bob: Membership, zoe: Membership, make_generation: Any
) -> None:
    make_generation(zoe, cost_actual=Decimal("55"), finished_at=timezone.now() - timedelta(days=9))
    make_generation(bob, cost_actual=Decimal("0.90"))
    row = row_of(client_of(bob).get(PAGE).content.decode(), load.get(MODEL).title)
    assert "from ¥0.80 per run catalogue, 18 June 2026 ¥0.80 ¥0.90 of 1 run ¥0.90" in row
    assert "55" not in row


def test_a_price_that_nobody_knows_is_marked(client_of: Clients, bob: Membership) -> None:
    unknown = sum(spec.price is None for spec in load.models())
    html = client_of(bob).get(PAGE).content.decode()
    assert f"The price of {unknown} models is unknown. The team refuses such models" in text(html)
    assert "Price unknown refused – – –" in row_of(html, load.get(UNKNOWN).title)


def test_changes_of_more_than_a_tenth_are_marked(
    client_of: Clients, bob: Membership, make_generation: Any
) -> None:
    title = load.get(MODEL).title
    for amount in ("0.80", "0.82", "0.80"):
        make_generation(bob, cost_actual=Decimal(amount))
    assert "charges" not in row_of(client_of(bob).get(PAGE).content.decode(), title)
    for _ in range(3):
        make_generation(bob, cost_actual=Decimal("1.00"))
    row = row_of(client_of(bob).get(PAGE).content.decode(), title)
    assert "charges differ by 14 %" in row
    assert "the latest charges changed by 25 %" in row


def test_a_long_text_is_no_change_of_price(bob: Membership, make_generation: Any) -> None:
    spec = load.get("rhart-audio--text-to-audio--speech-2.8-hd")
    for length in (100, 100, 100, 9000, 9000, 9000):
        make_generation(
            bob, model=spec.slug, params={"text": "x" * length}, cost_actual=Decimal("0.62") * length / 1000
        )
    entry = price_list.entry(spec, bob.team)
    assert not entry.moved
    assert not entry.departs


@pytest.mark.thorough
def test_a_manager_sets_a_price_and_takes_it_back(client_of: Clients, mona: Membership, team: Team) -> None:
    client = client_of(mona)
    assert client.post(ONE, said(note="=Their list"))["Location"] == PAGE
    html = client.get(PAGE).content.decode()
    assert "¥1.25 per run set by Mona" in row_of(html, load.get(MODEL).title)
    assert "=Their list" in html
    assert "Use the catalogue’s price" in client.get(ONE).content.decode()
    assert client.post(f"{ONE}end/")["Location"] == PAGE
    assert "¥0.80 per run" in row_of(client.get(PAGE).content.decode(), load.get(MODEL).title)
    client.post(f"{ONE}end/")
    assert TeamPrice.objects.count() == 2
    assert [entry.action for entry in AuditEntry.objects.all()] == ["price.changed"] * 2


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "0"}, "past every limit"),
        ({"amount": "-3"}, "past every limit"),
        ({"amount": "200000"}, "Nobody could run it"),
        ({"amount": "1e3000"}, "Ensure that there are no more than"),
        ({"amount": "nan"}, "Enter a number"),
        ({"amount": ""}, "required"),
        ({"unit": "second"}, "Select a valid choice"),
        ({"since": "2020-01-01"}, "Choose today or a day of the coming year"),
        ({"since": "9999-12-31"}, "Choose today or a day of the coming year"),
        ({"note": "x" * 201}, "at most 200"),
    ],
)
def test_a_price_that_cannot_be_comes_back_filled(
    change: dict[str, str], sentence: str, client_of: Clients, mona: Membership
) -> None:
    answer = client_of(mona).post(ONE, said(**{"note": "from the page", **change}))
    assert answer.status_code == 422
    html = answer.content.decode()
    assert sentence in html
    assert ("from the page" in html) == ("note" not in change)
    assert not TeamPrice.objects.exists()


def test_an_odd_price_needs_a_second_word(client_of: Clients, mona: Membership) -> None:
    client = client_of(mona)
    answer = client.post(ONE, said(amount="40"))
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "estimated at ¥40.00 instead of ¥0.80" in html
    assert 'name="sure"' in html
    assert not TeamPrice.objects.exists()
    assert client.post(ONE, said(amount="40", sure="on")).status_code == 302
    assert TeamPrice.objects.get().amount == 40
    assert client.post(ONE, said(amount="0.01")).status_code == 422
    assert client.post(f"{PAGE}{UNKNOWN}/", said(amount="101")).status_code == 422
    assert client.post(f"{PAGE}{UNKNOWN}/", said(amount="2")).status_code == 302


def test_a_manager_decides_about_one_model(client_of: Clients, mona: Membership) -> None:
    client = client_of(mona)
    path = f"{PAGE}{UNKNOWN}/"
    assert "While its price is unknown" in client.get(path).content.decode()
    assert client.post(f"{path}decide/", {"verdict": "allow"})["Location"] == PAGE
    assert "may run" in row_of(client.get(PAGE).content.decode(), load.get(UNKNOWN).title)
    client.post(f"{path}decide/", {"verdict": "nonsense"})
    assert not PriceDecision.objects.exists()


def test_the_form_and_the_picker_quote_what_the_team_says(
    client_of: Clients, mona: Membership, bob: Membership
) -> None:
    client_of(mona).post(ONE, said(amount="2.22"))
    client = client_of(bob)
    assert "2.22" in client.post(f"/t/tide/create/{MODEL}/quote/", {"prompt": "x"}).content.decode()
    assert "¥2.22 each" in client.get(f"/t/tide/create/{MODEL}/").content.decode()


@pytest.mark.thorough
def test_the_list_asks_the_same_whatever_there_is(
    client_of: Clients, mona: Membership, make_generation: Any
) -> None:
    client = client_of(mona)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        return len(captured)

    make_generation(mona, cost_actual=Decimal("0.9"))
    few = queries()
    for spec in load.models():
        make_generation(mona, model=spec.slug, cost_actual=Decimal("0.9"))
        TeamPrice.objects.create(
            team=mona.team,
            model=spec.slug,
            amount=1,
            currency="CNY",
            since=timezone.now().date(),
            set_by=mona.user,
        )
    assert queries() == few
