"""The vault: which voices stand where, for whom, with which words, however many there are."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations.catalogue import load
from generations.models import State, Voice, VoiceUse

PAGE = "/t/tide/voices/"


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


def html(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def names(page: str) -> list[str]:
    return re.findall(r'<h2 class="clip"><a[^>]*>([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("mona", 200), ("bob", 200), ("vera", 200), ("zoe", 404)]
)
@pytest.mark.parametrize(
    "tab", ["", "?show=built-in", "?show=archived", "?show=nonsense", "?q=%00&language=x"]
)
def test_members_see_it_and_strangers_do_not(
    who: str, status: int, tab: str, team: Any, client_of: Any, request: pytest.FixtureRequest
) -> None:
    assert client_of(request.getfixturevalue(who)).get(PAGE + tab).status_code == status


def test_a_visitor_is_asked_to_sign_in(team: Any, client: Client) -> None:
    assert client.get(PAGE).status_code == 302


def test_an_empty_vault_says_what_will_be_there_and_what_the_first_costs(
    bob: Membership, vera: Membership, client_of: Any
) -> None:
    page = html(client_of(bob))
    assert "No voices of your own yet" in page
    assert "¥3.12" in page
    assert "Clone the first voice" in page
    assert "Clone the first voice" not in html(client_of(vera))
    assert "Nothing is archived" in html(client_of(bob), PAGE + "?show=archived")


def test_a_card_says_what_there_is_to_know(
    bob: Membership, make_voice: Any, make_generation: Any, client_of: Any
) -> None:
    voice = make_voice(bob, language="English", finished_at=ago(days=3))
    VoiceUse.objects.create(generation=make_generation(bob, finished_at=ago(days=2)), voice=voice)
    VoiceUse.objects.create(generation=make_generation(bob, status=State.FAILED), voice=voice)
    page = html(client_of(bob))
    for words in (
        "English, cloned",
        "Bob",
        "Noted, ",
        "Everyone in the team",
        "1 time, 2",
        "¥3.12",
        "Kept 4 d 23 h",
    ):
        assert words in page.replace("\xa0", " "), words
    assert f"/t/tide/library/?voice={voice.pk}" in page
    assert re.search(rf'href="/t/tide/create/[^"]*speech[^"]*voice={voice.voice_id}"', page)
    assert "Keep alive, ¥0.00" in page


def test_a_voice_that_disappears_soon_is_warned_of(bob: Membership, make_voice: Any, client_of: Any) -> None:
    make_voice(bob, "Safe", finished_at=ago(days=4))
    assert "disappear" not in html(client_of(bob)).split("<main")[1].split("Kept")[0]
    make_voice(bob, "Near", finished_at=ago(days=6, minutes=-30))
    make_voice(bob, "Gone", finished_at=ago(days=8))
    make_voice(bob, "Put away", finished_at=ago(days=6), archived_at=ago())
    page = html(client_of(bob))
    assert "1 voice disappears in 1 d" in page
    assert "Disappears in 1 d" in page
    assert "Probably deleted by the provider" in page
    assert "not confirmed for RunningHub" in page


def test_what_is_being_made_is_shown_and_what_failed_is_not(
    bob: Membership, make_voice: Any, client_of: Any
) -> None:
    make_voice(bob, "Coming", status=State.RUNNING)
    make_voice(bob, "Broken", status=State.FAILED)
    make_voice(bob, "Stopped", status=State.CANCELLED)
    page = html(client_of(bob))
    assert names(page) == ["Coming"]
    assert "Being made: Running" in page


@pytest.mark.thorough
def test_without_scripts_the_address_narrows(
    bob: Membership, carol: Membership, make_voice: Any, client_of: Any
) -> None:
    make_voice(bob, "Harbour", language="English")
    make_voice(carol, "Hafen", language="German", consent_at=None, audience="everyone")
    client = client_of(bob)
    assert names(html(client, PAGE + "?q=haf")) == ["Hafen"]
    assert names(html(client, PAGE + "?q=CAROL")) == ["Hafen"]
    assert names(html(client, PAGE + "?language=english")) == ["Harbour"]
    assert names(html(client, PAGE + "?consent=no")) == ["Hafen"]
    assert "No voice fits" in html(client, PAGE + "?q=nothing")
    built_in = html(client, PAGE + "?show=built-in&q=wise&gender=female")
    assert "Wise Woman" in built_in
    assert "Deep Voice Man" not in built_in


@pytest.mark.thorough
def test_viewers_listen_and_do_nothing_else(
    bob: Membership, vera: Membership, make_voice: Any, client_of: Any
) -> None:
    make_voice(bob, "Harbour", finished_at=ago(days=6))
    page = html(client_of(vera))
    assert "Harbour" in page
    assert "data-play" in page
    for word in ("Clone a voice", "Keep alive", "Use in speech", "Archive</button>"):
        assert word not in page
    assert "Hear it" not in html(client_of(vera), PAGE + "?show=built-in")


@pytest.mark.thorough
def test_the_library_shows_what_a_voice_said(
    bob: Membership, make_voice: Any, make_generation: Any, client_of: Any
) -> None:
    voice = make_voice(bob)
    VoiceUse.objects.create(generation=make_generation(bob, title="Said by it"), voice=voice)
    make_generation(bob, title="Something else")
    page = html(client_of(bob), f"/t/tide/library/?voice={voice.pk}")
    assert "Said by it" in page
    assert "Something else" not in page
    assert "Voice: Harbour" in page
    for wrong in ("nonsense", "00000000-0000-0000-0000-000000000001"):
        assert "Said by it" not in html(client_of(bob), f"/t/tide/library/?voice={wrong}")


@pytest.mark.thorough
@pytest.mark.parametrize("address", [PAGE, PAGE + "?show=built-in", "/t/tide/voices/pick/"])
def test_many_voices_ask_as_much_as_few(
    address: str, bob: Membership, make_voice: Any, make_generation: Any, client_of: Any
) -> None:
    client: Client = client_of(bob)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address, headers={"HX-Request": "true"}).status_code == 200
        return len(asked)

    def more(number: int) -> None:
        for one in range(number):
            voice: Voice = make_voice(bob, f"V{one}", audience="some")
            voice.grants.create(user=bob.user)
            VoiceUse.objects.create(generation=make_generation(bob), voice=voice)

    more(1)
    questions()
    few = questions()
    more(5)
    assert questions() == few


def test_every_built_in_voice_is_there(bob: Membership, client_of: Any) -> None:
    page = html(client_of(bob), PAGE + "?show=built-in")
    assert page.count("data-filter-item data-") == len(load.voices())
