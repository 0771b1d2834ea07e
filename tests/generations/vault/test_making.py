"""A voice is made through the one door: its row, its id, who may have it, and what cannot happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError

from accounts.models import Membership, Role, Team
from generations import uploads, vault
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Connection, Generation, State, Voice, VoiceUse
from generations.pipeline.accept import KeyReused, MayNotGenerate, accept
from tests.conftest import join, tone
from tests.generations.pipeline.test_door import at_once

CLONE = "minimax/voice-clone"
SPEECH = "minimax/speech-2.8-hd"
WISH = vault.Wish("Harbour", "English", "everyone", (), "Ada Byron", consents=True)


def recording(membership: Membership) -> str:
    return uploads.store(membership, SimpleUploadedFile("voice.wav", tone(10))).reference


def clone(membership: Membership, wish: vault.Wish | None = WISH, **params: Any) -> Generation:
    given = {"audio": recording(membership), "text": "Good morning.", **params}
    return accept(membership, CLONE, given, strict=True, voice=wish).generation


def speak(membership: Membership, voice_id: str, **more: Any) -> Generation:
    return accept(
        membership, SPEECH, {"text": "Hello.", "voice_id": voice_id}, strict=True, **more
    ).generation


def refused(call: Callable[[], Any]) -> dict[str, list[str]]:
    before = (Generation.objects.count(), Voice.objects.count(), VoiceUse.objects.count())
    with pytest.raises(InvalidParams) as caught:
        call()
    assert (Generation.objects.count(), Voice.objects.count(), VoiceUse.objects.count()) == before
    return caught.value.errors


def test_a_clone_is_a_voice_with_all_that_was_said_about_it(bob: Membership, carol: Membership) -> None:
    made = clone(
        bob, vault.Wish(" Harbour  master ", "English", "some", [carol.user_id], " Ada ", consents=True)
    )
    voice = Voice.objects.get()
    assert (voice.name, voice.language, voice.origin, voice.speaker) == (
        "Harbour master",
        "English",
        "cloned",
        "Ada",
    )
    assert (voice.team, voice.owner, voice.made_by, voice.consent_by) == (bob.team, bob.user, made, bob.user)
    assert voice.voice_id == made.params["custom_voice_id"]
    assert voice.voice_id.startswith("HarbourMaster")
    assert voice.consent_at is not None
    assert voice.sample is not None
    assert voice.sample.reference == made.params["audio"]
    assert [grant.user for grant in voice.grants.all()] == [carol.user]
    assert made.title == "Harbour master"
    assert load.get(CLONE).body(made.params, {made.params["audio"]: "https://x/a"})["custom_voice_id"]


def test_an_order_that_says_nothing_is_taken_as_ever_and_belongs_to_its_author(bob: Membership) -> None:
    clone(bob, None, custom_voice_id="Harbour01")
    voice = Voice.objects.get()
    assert (voice.name, voice.voice_id, voice.audience, voice.consent_at) == (
        "Harbour01",
        "Harbour01",
        "owner",
        None,
    )


def test_an_id_is_given_once(bob: Membership, zoe: Membership) -> None:
    clone(bob, custom_voice_id="Harbour01")
    for somebody in (bob, zoe):
        for same in ("Harbour01", "harbour01"):
            found = refused(lambda who=somebody, voice_id=same: clone(who, custom_voice_id=voice_id))  # type: ignore[misc]
            assert list(found) == ["custom_voice_id"]


def test_the_id_of_a_clone_that_failed_is_not_given_again(bob: Membership) -> None:
    made = clone(bob, custom_voice_id="Harbour01")
    Generation.objects.filter(pk=made.pk).update(status=State.FAILED)
    assert refused(lambda: clone(bob, custom_voice_id="Harbour01"))
    assert list(Voice.objects.usable(bob)) == []


@pytest.fixture
def crowd(transactional_db: None) -> list[Membership]:
    teams = [Team.objects.create(slug=f"crowd{n}", name="Crowd") for n in range(4)]
    Connection.current()
    return [join(team, f"member{team.slug}", Role.MEMBER) for team in teams]


@pytest.mark.thorough
def test_twenty_who_want_one_id_at_once_are_one(crowd: list[Membership]) -> None:
    references = {member: recording(member) for member in crowd}

    def want(member: Membership) -> None:
        params = {"audio": references[member], "text": "Hi", "custom_voice_id": "Harbour01"}
        try:
            accept(member, CLONE, params, strict=True, voice=WISH)
        except InvalidParams as invalid:
            raise ValueError(list(invalid.errors)) from None

    ends = at_once([lambda member=member: want(member) for member in crowd * 5])  # type: ignore[misc]
    assert ends == {"accepted": 1, repr(ValueError(["custom_voice_id"])): 19}
    assert (Voice.objects.count(), Generation.objects.count()) == (1, 1)


@pytest.mark.thorough
def test_twenty_of_one_name_at_once_have_twenty_ids(crowd: list[Membership]) -> None:
    references = {member: recording(member) for member in crowd}

    def want(member: Membership) -> None:
        accept(member, CLONE, {"audio": references[member], "text": "Hi"}, strict=True, voice=WISH)

    assert at_once([lambda member=member: want(member) for member in crowd * 5]) == {"accepted": 20}  # type: ignore[misc]
    assert len(set(Voice.objects.values_list("voice_id", flat=True))) == 20


def test_the_database_itself_gives_an_id_once(bob: Membership, make_voice: Any) -> None:
    make_voice(bob, voice_id="Harbour01")
    with pytest.raises(IntegrityError):
        make_voice(bob, voice_id="Harbour01")


def test_a_viewer_cannot_clone(vera: Membership) -> None:
    with pytest.raises(MayNotGenerate):
        clone(vera)
    assert not Voice.objects.exists()


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        (vault.Wish("N", audience="everyone"), "voice.consent"),
        (vault.Wish("N", audience="everyone", consents=True), "voice.speaker"),
        (vault.Wish("N" * 81), "voice.name"),
        (vault.Wish("two\nlines"), "voice.name"),
        (vault.Wish("\x00"), "voice.name"),
        (vault.Wish("N", "x" * 41), "voice.language"),
        (vault.Wish("N", audience="the world"), "voice.audience"),
        (vault.Wish("N", "", "some", (), "Ada", consents=True), "voice.members"),
        (vault.Wish("N", "", "some", (-1,), "Ada", consents=True), "voice.members"),
        (vault.Wish("N", speaker="x" * 121), "voice.speaker"),
    ],
)
def test_what_cannot_be_said_of_a_voice_is_refused(wish: vault.Wish, key: str, bob: Membership) -> None:
    assert list(refused(lambda: clone(bob, wish))) == [key]


def test_a_stranger_cannot_be_among_those_who_may_use_it(bob: Membership, zoe: Membership) -> None:
    wish = vault.Wish("N", "", "some", [zoe.user_id], "Ada", consents=True)
    assert list(refused(lambda: clone(bob, wish))) == ["voice.members"]


def test_one_key_with_another_wish_is_another_request(bob: Membership) -> None:
    params = {"audio": recording(bob), "text": "Hi"}
    first = accept(bob, CLONE, params, idempotency_key="k", voice=WISH)
    assert accept(bob, CLONE, params, idempotency_key="k", voice=WISH).generation == first.generation
    with pytest.raises(KeyReused):
        accept(bob, CLONE, params, idempotency_key="k", voice=vault.Wish("Other"))
    assert Voice.objects.count() == 1


def designing() -> ModelSpec:
    """A model that makes a voice from words, as `minimax/voice-design` does."""
    clone_spec = load.get(CLONE)
    return replace(clone_spec, params=tuple(p for p in clone_spec.params if not p.type.is_media))


def test_a_voice_of_nobody_needs_no_consent() -> None:
    assert vault.needs_consent(load.get(CLONE))
    assert vault.maker(designing())
    assert not vault.needs_consent(designing())
    assert not vault.needs_consent(load.get(SPEECH))


def test_a_designed_voice_is_open_to_all_at_once(bob: Membership, make_generation: Any) -> None:
    made = make_generation(bob, params={"custom_voice_id": "Keeper0001", "text": "Hi"}, kind="voice")
    wish = vault.Wish("Keeper", audience="everyone")
    wish.check(bob, needs_consent=False)
    voice = vault.make(made, designing(), bob, wish)
    assert voice is not None
    assert (voice.origin, voice.consent_at, voice.is_agreed, voice.sample) == ("designed", None, True, None)


@pytest.mark.parametrize("who", ["alice", "mona", "bob", "carol", "zoe"])
def test_who_may_speak_with_a_voice_of_one(
    who: str, bob: Membership, make_voice: Any, request: pytest.FixtureRequest
) -> None:
    voice = make_voice(bob, audience="owner")
    member = request.getfixturevalue(who)
    if who in {"carol", "zoe"}:
        assert refused(lambda: speak(member, voice.voice_id)) == {"voice_id": [vault.GONE]}
    else:
        assert VoiceUse.objects.get(generation=speak(member, voice.voice_id)).voice == voice


def test_who_was_named_may_and_others_may_not(
    bob: Membership, carol: Membership, make_voice: Any, team: Team
) -> None:
    voice = make_voice(bob, audience="some")
    voice.grants.create(user=carol.user)
    speak(carol, voice.voice_id)
    dave = join(team, "dave", Role.MEMBER)
    assert refused(lambda: speak(dave, voice.voice_id)) == {"voice_id": [vault.GONE]}


def test_one_sentence_for_all_that_cannot_be_had(
    bob: Membership, carol: Membership, zoe: Membership, make_voice: Any
) -> None:
    voices = [
        make_voice(bob, "Put away", archived_at=bob.joined_at),
        make_voice(bob, "Broken", status=State.FAILED),
        make_voice(bob, "Coming", status=State.RUNNING),
        make_voice(zoe, "Abroad"),
        make_voice(bob, "Unasked", consent_at=None),
        make_voice(bob, "Private", audience="owner"),
    ]
    said = [refused(lambda v=voice: speak(carol, v.voice_id)) for voice in voices]  # type: ignore[misc]
    assert said == [{"voice_id": [vault.GONE]}] * len(voices)


def test_a_voice_from_elsewhere_speaks_as_ever(bob: Membership) -> None:
    speak(bob, "from-another-account")
    speak(bob, "Wise_Woman")
    assert not VoiceUse.objects.exists()


def test_a_recording_of_a_private_voice_is_nobody_elses(bob: Membership, carol: Membership) -> None:
    made = clone(bob, vault.Wish("Harbour", audience="owner", speaker="Ada", consents=True))
    stolen = {"audio": made.params["audio"], "text": "Mine now"}
    assert list(refused(lambda: accept(carol, CLONE, stolen, strict=True))) == ["audio"]
    clone(bob, audio=made.params["audio"])


def test_what_is_found_by_words_does_not_name_the_voice(bob: Membership, make_voice: Any) -> None:
    voice = make_voice(bob, "Harbour")
    assert voice.voice_id.casefold() not in speak(bob, voice.voice_id).search_text


def test_cloned_spoken_with_and_kept(sandbox: Any, drive: Any, bob: Membership) -> None:
    """From the recording to a voice that spoke, through the sandbox; its clock starts anew with each use."""
    made = clone(bob)
    assert not Voice.objects.usable(bob).exists()
    drive()
    voice = Voice.objects.usable(bob).with_use().get()
    made.refresh_from_db()
    assert (voice.times_used, voice.last_use) == (0, made.finished_at)
    said = speak(bob, voice.voice_id)
    drive()
    said.refresh_from_db()
    assert said.status == State.SUCCEEDED
    voice = Voice.objects.usable(bob).with_use().get()
    assert (voice.times_used, voice.last_use) == (1, said.finished_at)
    assert said.finished_at > made.finished_at
