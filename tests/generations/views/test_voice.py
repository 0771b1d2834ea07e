"""One voice: who may do what with it, what comes back when it cannot be done, and what two at once get."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Role, Scope, Team
from generations.models import Generation, Voice, VoiceUse
from generations.vault import changes
from tests.conftest import join

pytestmark = pytest.mark.thorough

AUDIENCE = {"action": "audience", "audience": "everyone"}
VERBS: dict[str, dict[str, str]] = {
    "rename": {"action": "rename", "name": "Pier"},
    "audience": AUDIENCE,
    "archive": {"action": "archive"},
    "restore": {"action": "restore"},
}


@pytest.fixture
def voice(bob: Membership, make_voice: Any) -> Voice:
    """Bob's, open to everyone."""
    made: Voice = make_voice(bob, "Harbour", language="English")
    return made


@pytest.fixture
def browser(request: pytest.FixtureRequest, client_of: Any) -> Callable[[str], Client]:
    return lambda who: Client() if who == "nobody" else client_of(request.getfixturevalue(who))


def change(client: Client, voice: Voice, **data: Any) -> Any:
    return client.post(f"/t/tide/voices/{voice.pk}/change/", data)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("alice", 302),
        ("mona", 302),
        ("bob", 302),
        ("carol", 403),
        ("vera", 403),
        ("zoe", 404),
        ("nobody", 302),
    ],
)
def test_who_may_change_it(
    who: str, status: int, verb: str, voice: Voice, browser: Callable[[str], Client]
) -> None:
    before = Voice.objects.values().get()
    answer = change(browser(who), voice, **VERBS[verb])
    assert answer.status_code == status
    if who == "nobody":
        assert "/accounts/login/" in answer["Location"]
    if who in {"carol", "vera", "zoe", "nobody"}:
        assert Voice.objects.values().get() == before


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 302), ("bob", 302), ("carol", 302), ("vera", 403), ("zoe", 404), ("nobody", 302)],
)
def test_who_may_keep_it_alive(who: str, status: int, voice: Voice, browser: Callable[[str], Client]) -> None:
    answer = browser(who).post(f"/t/tide/voices/{voice.pk}/keep/")
    assert answer.status_code == status
    assert VoiceUse.objects.count() == (1 if who in {"alice", "bob", "carol"} else 0)


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "vera"])
def test_the_page_shows_what_the_member_may_do(
    who: str, voice: Voice, browser: Callable[[str], Client]
) -> None:
    page = browser(who).get(f"/t/tide/voices/{voice.pk}/").content.decode()
    assert "Harbour" in page
    assert ("Hand over" in page) is (who in {"alice", "bob"})
    assert ("Keep alive, ¥" in page) is (who != "vera")
    assert "not confirmed for RunningHub" in page
    assert "¥3.12" in page


def test_a_name_is_changed_and_a_bad_one_comes_back(voice: Voice, browser: Callable[[str], Client]) -> None:
    change(browser("bob"), voice, action="rename", name="  Far   pier ")
    assert Voice.objects.get().name == "Far pier"
    for name in ("", " ", "x" * 81, "a\x00b"):
        answer = change(browser("bob"), voice, action="rename", name=name)
        assert answer.status_code == 422
        assert 'id="name-error"' in answer.content.decode()
    assert "x" * 81 in change(browser("bob"), voice, action="rename", name="x" * 81).content.decode()
    assert Voice.objects.get().name == "Far pier"


@pytest.mark.parametrize("action", ["", "burn", "\x00"])
def test_an_unknown_action_changes_nothing(
    action: str, voice: Voice, browser: Callable[[str], Client]
) -> None:
    assert change(browser("bob"), voice, action=action).status_code == 400


def test_it_is_opened_to_some_and_closed_again(
    bob: Membership, carol: Membership, voice: Voice, browser: Callable[[str], Client]
) -> None:
    change(browser("bob"), voice, action="audience", audience="some", members=[carol.user_id])
    assert list(Voice.objects.get().grants.values_list("user", flat=True)) == [carol.user_id]
    change(browser("bob"), voice, action="audience", audience="some", members=[carol.user_id])
    assert Voice.objects.get().grants.count() == 1
    change(browser("bob"), voice, action="audience", audience="owner")
    assert (Voice.objects.get().audience, Voice.objects.get().grants.count()) == ("owner", 0)


@pytest.mark.parametrize(
    "data", [{"audience": "some"}, {"audience": "the world"}, {}, {"audience": "some", "members": "x"}]
)
def test_an_audience_of_nobody_is_refused(
    data: dict[str, str], voice: Voice, browser: Callable[[str], Client]
) -> None:
    answer = change(browser("bob"), voice, action="audience", **data)
    assert answer.status_code == 422
    assert 'id="audience-error"' in answer.content.decode()
    assert Voice.objects.get().audience == "everyone"


def test_without_consent_it_stays_with_its_owner_until_that_is_noted(
    bob: Membership, carol: Membership, make_voice: Any, browser: Callable[[str], Client]
) -> None:
    voice = make_voice(bob, consent_at=None, audience="owner")
    assert (
        "consent of the speaker is missing"
        in browser("bob").get(f"/t/tide/voices/{voice.pk}/").content.decode()
    )
    assert change(browser("bob"), voice, **AUDIENCE).status_code == 422
    for missing in ({"speaker": "Ada"}, {"consent": "1"}, {"consent": "1", "speaker": "x" * 121}):
        assert change(browser("bob"), voice, action="consent", **missing).status_code == 422
    assert Voice.objects.get().consent_at is None
    change(browser("bob"), voice, action="consent", consent="1", speaker=" Ada ")
    noted = Voice.objects.get()
    assert (noted.speaker, noted.consent_by) == ("Ada", bob.user)
    assert noted.consent_at is not None
    change(browser("bob"), voice, action="consent", consent="1", speaker="Eve")
    assert Voice.objects.get().speaker == "Ada"
    assert change(browser("bob"), voice, **AUDIENCE).status_code == 302
    assert Voice.objects.usable(carol).exists()


def test_a_voice_of_before_is_seen_by_all_and_used_by_its_owner(
    bob: Membership, carol: Membership, make_voice: Any, browser: Callable[[str], Client]
) -> None:
    voice = make_voice(bob, consent_at=None, audience="everyone")
    page = browser("carol").get(f"/t/tide/voices/{voice.pk}/")
    assert page.status_code == 200
    assert "Use in speech" not in page.content.decode()
    assert browser("carol").post(f"/t/tide/voices/{voice.pk}/keep/").status_code == 403
    assert not Voice.objects.usable(carol).exists()


def test_it_is_handed_over_to_somebody_who_may_generate(
    bob: Membership, carol: Membership, vera: Membership, zoe: Membership, voice: Voice,
    browser: Callable[[str], Client],
) -> None:  # fmt: skip
    for wrong in (vera.pk, zoe.pk, bob.pk, "", "x"):
        answer = change(browser("bob"), voice, action="hand", owner=wrong)
        assert answer.status_code == 422
        assert 'id="owner-error"' in answer.content.decode()
    assert change(browser("bob"), voice, action="hand", owner=carol.pk).status_code == 302
    assert Voice.objects.get().owner == carol.user
    assert change(browser("bob"), voice, action="rename", name="Mine").status_code == 403


def test_a_private_voice_is_out_of_sight_for_who_handed_it_over(
    bob: Membership, carol: Membership, make_voice: Any, browser: Callable[[str], Client]
) -> None:
    voice = make_voice(bob, audience="owner")
    answer = change(browser("bob"), voice, action="hand", owner=carol.pk)
    assert answer["Location"] == "/t/tide/voices/"
    assert browser("bob").get(f"/t/tide/voices/{voice.pk}/").status_code == 404


def test_two_who_hand_it_over_at_once_hand_it_over_once(
    bob: Membership, carol: Membership, mona: Membership, voice: Voice
) -> None:
    first, second = Voice.objects.get(), Voice.objects.get()
    assert changes.hand_over(first, carol)
    assert not changes.hand_over(second, mona)
    assert Voice.objects.get().owner == carol.user


def test_who_lost_the_right_meanwhile_inherits_nothing(
    bob: Membership, carol: Membership, voice: Voice
) -> None:
    Membership.objects.filter(pk=carol.pk).update(role=Role.VIEWER)
    with pytest.raises(changes.NotPossible):
        changes.hand_over(voice, carol)  # the object in hand still says member; the row decides
    assert Voice.objects.get().owner == bob.user


def test_two_who_put_it_away_at_once_put_it_away_once(voice: Voice) -> None:
    first, second = Voice.objects.get(), Voice.objects.get()
    assert changes.archive(first)
    when = Voice.objects.get().archived_at
    assert not changes.archive(second)
    assert Voice.objects.get().archived_at == when
    assert changes.restore(second)
    assert not changes.restore(first)


def test_an_archived_voice_speaks_no_more_until_it_is_restored(
    carol: Membership, voice: Voice, browser: Callable[[str], Client]
) -> None:
    change(browser("bob"), voice, action="archive")
    assert not Voice.objects.usable(carol).exists()
    assert browser("carol").post(f"/t/tide/voices/{voice.pk}/keep/").status_code == 403
    assert "Harbour" in browser("carol").get("/t/tide/voices/?show=archived").content.decode()
    assert "Harbour" not in browser("carol").get("/t/tide/voices/").content.decode()
    change(browser("bob"), voice, action="restore")
    assert Voice.objects.usable(carol).exists()


def test_two_clicks_keep_it_alive_once(
    bob: Membership, voice: Voice, browser: Callable[[str], Client]
) -> None:
    data = {"key": "0190a0e0-0000-7000-8000-000000000001"}
    for _ in range(2):
        assert browser("bob").post(f"/t/tide/voices/{voice.pk}/keep/", data).status_code == 302
    said = Generation.objects.get(kind="speech")
    assert said.params["voice_id"] == voice.voice_id
    assert said.cost_estimated is not None
    assert said.cost_estimated < Decimal("0.01")
    browser("bob").post(f"/t/tide/voices/{voice.pk}/keep/", {"key": "nonsense"})
    assert Generation.objects.filter(kind="speech").count() == 2


def test_a_limit_refuses_to_keep_it_alive_and_says_so(
    bob: Membership, voice: Voice, browser: Callable[[str], Client]
) -> None:
    Allowance.put(
        bob.team, scope=Scope.DEFAULT, measure=Measure.COUNT, period=Period.DAY, mode=Mode.LIMITED,
        limit=Decimal(0), action=Action.BLOCK,
    )  # fmt: skip
    answer = browser("carol").post(f"/t/tide/voices/{voice.pk}/keep/")
    assert answer.status_code == 402
    assert "Not sent, nothing charged" in answer.content.decode()
    assert not VoiceUse.objects.exists()


def test_the_page_asks_as_much_for_many_uses_as_for_few(
    bob: Membership, team: Team, voice: Voice, make_generation: Any, browser: Callable[[str], Client]
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/t/tide/voices/{voice.pk}/").status_code == 200
        return len(asked)

    client = browser("bob")
    VoiceUse.objects.create(generation=make_generation(bob), voice=voice)
    voice.grants.create(user=bob.user)
    questions()
    few = questions()
    for number in range(6):
        VoiceUse.objects.create(generation=make_generation(bob), voice=voice)
        voice.grants.create(user=join(team, f"m{number}", Role.MEMBER).user)
    assert questions() == few


def test_a_voice_that_never_came_to_be_has_no_page(
    bob: Membership, make_voice: Any, browser: Callable[[str], Client]
) -> None:
    voice = make_voice(bob, status="failed")
    assert browser("bob").get(f"/t/tide/voices/{voice.pk}/").status_code == 404
    assert browser("bob").get(f"/t/tide/g/{voice.made_by_id}/").status_code == 200


def test_what_made_it_leads_to_it(voice: Voice, browser: Callable[[str], Client]) -> None:
    page = browser("vera").get(f"/t/tide/g/{voice.made_by_id}/").content.decode()
    assert f'href="/t/tide/voices/{voice.pk}/"' in page


@pytest.mark.parametrize("back", ["x", "a\x00b"])
def test_a_way_back_that_is_no_page_breaks_nothing(
    back: str, voice: Voice, browser: Callable[[str], Client], make_generation: Any, bob: Membership
) -> None:
    waiting = make_generation(bob, status="queued")
    verbs = {
        f"voices/{voice.pk}/keep/": {"next": back},
        "voices/favourite/": {"voice_id": voice.voice_id, "next": back},
        f"g/{waiting.pk}/cancel/": {"next": back},
    }
    answers = {address: browser("bob").post(f"/t/tide/{address}", data) for address, data in verbs.items()}
    assert {address: answer.status_code for address, answer in answers.items()} == dict.fromkeys(verbs, 302)
