"""The cost beside the button."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations.models import Connection, Generation
from tests.conftest import MODEL
from tests.generations.catalogue.facts import SOUNDS

SPEECH = "rhart-audio--text-to-audio--speech-2.8-hd"


def ask(client: Client, slug: str, **posted: Any) -> str:
    answer = client.post(f"/t/tide/create/{slug}/quote/", posted)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_members_may_ask_and_nobody_else(
    team: Team, vera: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    address = f"/t/tide/create/{MODEL}/quote/"
    assert client_of(vera).post(address).status_code == 200
    assert client_of(vera).get(address).status_code == 405
    assert client_of(zoe).post(address).status_code == 404
    assert client.post(address).status_code == 302
    assert client_of(vera).post("/t/tide/create/nothing/quote/").status_code == 404


def test_it_counts_characters_as_they_are_charged(bob: Membership, client_of: Any) -> None:
    html = ask(client_of(bob), SPEECH, text="é\r\n" * 500)
    assert "999 characters at 0.62 per 1,000" in html
    assert "¥0.62" in html
    assert 'data-field="p-text"' in html


def test_an_empty_text_shows_the_rate_and_what_is_missing(bob: Membership, client_of: Any) -> None:
    html = ask(client_of(bob), SPEECH, text="  ")
    assert "1,000 characters" in html
    assert "¥0.62" in html
    assert "Still to look at: Text" in html


@pytest.mark.thorough
@pytest.mark.parametrize("spec", SOUNDS, ids=lambda spec: spec.slug)
def test_nonsense_is_quoted_without_a_word_of_refusal(bob: Membership, client_of: Any, spec: Any) -> None:
    posted = dict.fromkeys([*(param.key for param in spec.params), "junk"], "\x00<b>")
    html = ask(client_of(bob), spec.slug, **posted)
    assert "<b>" not in html
    assert not Generation.objects.exists()


def test_it_says_what_is_left_afterwards(bob: Membership, client_of: Any) -> None:
    assert "no spending limit" in ask(client_of(bob), MODEL, prompt="Rain")
    put = {"scope": Scope.DEFAULT, "measure": Measure.SPEND, "mode": Mode.LIMITED}
    Allowance.put(bob.team, **put, period=Period.WEEK, limit=Decimal("2"))
    html = ask(client_of(bob), MODEL, prompt="Rain")
    assert "left after" in html
    assert "¥1.20" in html
    Allowance.put(bob.team, **put, period=Period.DAY, limit=Decimal("0.5"))
    html = ask(client_of(bob), MODEL, prompt="Rain")
    assert "over by" in html
    assert "¥0.30" in html


def test_a_price_of_another_currency_is_converted_and_says_so(
    bob: Membership, client_of: Any, settings: Any
) -> None:
    Connection.current()
    Connection.objects.update(currency="USD")
    html = ask(client_of(bob), MODEL, prompt="Rain")
    assert "$0.11" in html
    assert "converted from CNY" in html
    assert "¥" not in html


def test_values_that_cannot_go_together_are_said_before_sending(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    doubao = "bytedance--doubao-seed-audio-1.0"
    alone = ask(client, doubao, text_prompt="Rain", speaker="zh_1")
    assert "Use one of these" not in alone
    assert "Still to look at" not in alone
    both = ask(client, doubao, text_prompt="Rain", speaker="zh_1", image_url="harbour.png")
    assert "Use one of these: a speaker, recordings or a picture." in both
    assert "Still to look at" not in both
    empty = ask(client, doubao, speaker="zh_1", audio_url=["a.wav", "b.wav"])
    assert "Still to look at: What to produce<" in empty
    assert "Use one of these" in empty


def test_what_a_switch_makes_needed_is_said_before_sending(bob: Membership, client_of: Any) -> None:
    client, music = client_of(bob), "minimax--music-2.6"
    assert "Write the lyrics" in ask(client, music, prompt="Folk", isInstrumental="false")
    assert "Describe the music" in ask(client, music, lyrics="La", isInstrumental=["false", "true"])
    assert "from 0.80 for each run" in ask(client, music, prompt="Folk", isInstrumental="true")


def test_the_price_follows_the_number_of_takes(bob: Membership, client_of: Any) -> None:
    song = "mureka-ai--mureka-v7.6--generate-song"
    for n, money in ((1, "¥0.19"), (3, "¥0.57")):
        html = ask(client_of(bob), song, lyrics="La", n=n)
        assert money in html
        assert f"{n} take" in html
