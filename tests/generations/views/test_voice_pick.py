"""Choosing a voice: favourites of a member, and built-in voices that the team has paid to hear once."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope
from generations.catalogue import load, voices
from generations.catalogue.spec import InvalidParams
from generations.models import FavouriteVoice, Generation, State, VoiceSample
from generations.pipeline import hear
from tests.generations.pipeline.test_door import at_once
from tests.generations.vault.test_making import crowd  # noqa: F401 - a fixture

pytestmark = pytest.mark.thorough

PICK, STAR, HEAR = "/t/tide/voices/pick/", "/t/tide/voices/favourite/", "/t/tide/voices/hear/"
HTMX = {"HX-Request": "true"}
WISE = {"voice_id": "Wise_Woman"}


def picker(client: Client) -> str:
    return client.get(PICK, headers=HTMX).content.decode()


def groups(page: str) -> list[str]:
    return re.findall(r'<h3 class="menu__title">([^<]+)</h3>', page)


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 200), ("vera", 200), ("zoe", 404)])
def test_who_may_mark_favourites(
    who: str, status: int, team: Any, client_of: Any, request: pytest.FixtureRequest
) -> None:
    client = client_of(request.getfixturevalue(who))
    assert client.post(STAR, WISE, headers=HTMX).status_code == status
    assert client.get(PICK, headers=HTMX).status_code == status
    assert FavouriteVoice.objects.count() == (status == 200)


def test_every_name_chooses_its_own_voice(bob: Membership, client_of: Any) -> None:
    page = picker(client_of(bob))
    ids = re.findall(r'type="radio" id="([^"]+)" name="voice-choice"', page)
    assert len(set(ids)) == len(load.voices())
    assert re.findall(r'<label for="([^"]+)"', page) == ids


def test_somebody_who_is_not_signed_in_is_asked_to(team: Any, client: Client) -> None:
    for answer in (client.get(PICK), client.post(STAR, WISE), client.post(HEAR, WISE)):
        assert answer.status_code == 302
    assert not Generation.objects.exists()


def test_a_favourite_stands_first_for_its_member_only(
    bob: Membership, carol: Membership, make_voice: Any, client_of: Any
) -> None:
    voice = make_voice(bob)
    client = client_of(bob)
    assert groups(picker(client))[0] == "Team voices"
    for one in (WISE, WISE, {"voice_id": voice.voice_id}):
        assert 'aria-pressed="true"' in client.post(STAR, one, headers=HTMX).content.decode()
    page = picker(client)
    assert groups(page)[:2] == ["Favourites", "Many languages"]
    assert page.count('value="Wise_Woman" data-name') == 1
    assert groups(picker(client_of(carol)))[0] == "Team voices"
    assert 'aria-pressed="false"' in client.post(STAR + "?to=off", WISE, headers=HTMX).content.decode()
    client.post(STAR + "?to=off", WISE)
    assert FavouriteVoice.objects.count() == 1


@pytest.mark.parametrize("voice_id", ["", "nonsense", "\x00", "x" * 500])
def test_a_voice_that_is_not_there_cannot_be_marked_or_heard(
    voice_id: str, bob: Membership, client_of: Any
) -> None:
    for address in (STAR, HEAR):
        assert client_of(bob).post(address, {"voice_id": voice_id}).status_code == 404


def test_a_colleagues_private_voice_cannot_be_marked(
    bob: Membership, carol: Membership, make_voice: Any, client_of: Any
) -> None:
    private = {"voice_id": make_voice(bob, audience="owner").voice_id}
    assert client_of(carol).post(STAR, private).status_code == 404
    assert client_of(bob).post(STAR, private).status_code == 302
    assert client_of(bob).post(HEAR, private).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 200), ("vera", 403), ("zoe", 404)])
def test_who_may_have_a_voice_heard(
    who: str, status: int, team: Any, client_of: Any, request: pytest.FixtureRequest
) -> None:
    assert client_of(request.getfixturevalue(who)).post(HEAR, WISE, headers=HTMX).status_code == status
    assert Generation.objects.count() == (status == 200)


def test_a_voice_is_heard_once_for_the_team(
    bob: Membership, carol: Membership, vera: Membership, zoe: Membership,
    sandbox: Any, drive: Any, client_of: Any,
) -> None:  # fmt: skip
    answer = client_of(bob).post(HEAR, WISE, headers=HTMX).content.decode()
    assert "Being made" in answer
    assert 'hx-trigger="load delay:1s"' in answer
    assert "Being made" in client_of(carol).post(HEAR, WISE, headers=HTMX).content.decode()
    drive()
    made = Generation.objects.get()
    assert made.title == "Sample of Wise Woman"
    assert made.params["text"] == voices.sentence("English")
    heard = client_of(carol).get(HEAR, WISE, headers=HTMX).content.decode()
    assert f'data-src="/t/tide/g/{made.pk}/outputs/0/content" ' in heard
    assert "data-play-now" in heard
    assert "Hear it" not in heard
    assert f"/g/{made.pk}/outputs/" in picker(client_of(vera))
    assert str(made.pk) not in client_of(zoe).get("/t/zoo/voices/pick/", headers=HTMX).content.decode()
    client_of(carol).post(HEAR, WISE)
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_what_failed_is_replaced_by_the_next(state: State, bob: Membership) -> None:
    first = hear.hear(bob, "Wise_Woman")
    Generation.objects.filter(pk=first.pk).update(status=state)
    second = hear.hear(bob, "Wise_Woman")
    assert second != first
    assert hear.hear(bob, "Wise_Woman") == second
    assert VoiceSample.objects.get().generation == second


def test_a_team_that_asks_at_once_pays_once(crowd: list[Membership]) -> None:  # noqa: F811
    team = crowd[0].team
    for member in crowd:
        Membership.objects.filter(pk=member.pk).update(team=team)
        member.team = team
    calls = [lambda member=member: hear.hear(member, "Wise_Woman") for member in crowd * 3]  # type: ignore[misc]
    assert at_once(calls) == {"accepted": 12}
    assert (Generation.objects.count(), VoiceSample.objects.count()) == (1, 1)


def test_a_limit_refuses_in_place_and_leaves_nothing(bob: Membership, client_of: Any) -> None:
    Allowance.put(
        bob.team, scope=Scope.DEFAULT, measure=Measure.COUNT, period=Period.DAY, mode=Mode.LIMITED,
        limit=Decimal(0), action=Action.BLOCK,
    )  # fmt: skip
    answer = client_of(bob).post(HEAR, WISE, headers=HTMX)
    assert answer.status_code == 402
    assert "Nothing was sent" in answer.content.decode()
    plain = client_of(bob).post(HEAR, WISE, follow=True)
    assert "Nothing was sent" in plain.content.decode()
    assert not VoiceSample.objects.exists()
    assert not Generation.objects.exists()


def test_without_scripts_one_comes_back_to_the_page(bob: Membership, client_of: Any) -> None:
    back = "/t/tide/voices/?show=built-in&q=wise"
    assert client_of(bob).post(STAR, {**WISE, "next": back})["Location"] == back
    assert client_of(bob).post(HEAR, {**WISE, "next": "https://evil.example/"})["Location"] == (
        "/t/tide/voices/?show=built-in"
    )


def test_every_language_has_a_sentence_and_a_cheapest_model_says_it() -> None:
    for voice in load.voices():
        said = hear.sample_of(voice.voice_id)
        cleaned = said.spec.clean(said.params, strict=True)
        assert cleaned["voice_id"] == voice.voice_id
    own = {voices.sentence(language) for language in voices.languages()}
    assert len(own) == len(voices.languages())
    assert said.spec.price is not None
    dearer = [spec.price.amount for spec in load.models() if spec.kind == said.spec.kind and spec.price]
    assert said.spec.price.amount == min(amount for amount in dearer if amount > Decimal("0.1"))
    with pytest.raises(LookupError):
        hear.sample_of("nobody")
    with pytest.raises(InvalidParams):
        said.spec.clean({}, strict=True)
