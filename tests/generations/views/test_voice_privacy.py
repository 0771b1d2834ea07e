"""A colleague without the right does not learn of a voice: not in the picker, by address, by search or by REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiToken, Membership, Role
from generations import uploads, vault
from generations.models import Batch, Draft, Generation, Preset, PresetDefault, State, Upload, Voice, VoiceUse
from generations.pipeline.accept import accept
from generations.views import access, rail
from tests.conftest import join, tone
from tests.effort import thorough

pytestmark = pytest.mark.thorough

SPEECH = "rhart-audio--text-to-audio--speech-2.8-hd"
KNOWING = ["alice", "mona", "bob", "dave"]
"""The owner of the team, a manager, the voice's owner, and whom its owner named."""
IGNORANT = ["carol", "vera"]
STRANGE = ["zoe"]


@pytest.fixture
def dave(team: Any) -> Membership:
    return join(team, "dave", Role.MEMBER)


@pytest.fixture
def secret(bob: Membership, dave: Membership, make_voice: Any) -> Voice:
    """Bob's voice, open to Dave."""
    kept = uploads.store(bob, SimpleUploadedFile("mine.wav", tone(10)))
    voice: Voice = make_voice(bob, "Zorblax", audience="some", sample=kept)
    voice.grants.create(user=dave.user)
    made = voice.made_by
    Generation.objects.filter(pk=made.pk).update(params={**made.params, "audio": kept.reference})
    return voice


@pytest.fixture
def said(bob: Membership, secret: Voice, make_generation: Any) -> Generation:
    """What merely spoke with it, and upstream's words about that: open to the team."""
    made: Generation = make_generation(
        bob,
        title="Hello",
        outputs=1,
        model=SPEECH,
        kind="speech",
        params={"text": "Hello", "voice_id": secret.voice_id},
        error_detail=f"voice_id {secret.voice_id} was a bit slow",
    )
    VoiceUse.objects.create(generation=made, voice=secret)
    return made


@pytest.fixture
def client(request: pytest.FixtureRequest, client_of: Any) -> Callable[[str], Client]:
    return lambda who: client_of(request.getfixturevalue(who))


def api(member: Membership) -> Callable[..., Any]:
    headers = {"Authorization": f"Bearer {ApiToken.issue(member)}"}
    return lambda path: Client().get(f"/api/v1/{path}", headers=headers)


def places(voice: Voice) -> dict[str, str]:
    made = voice.made_by_id
    return {
        "page": f"/t/tide/voices/{voice.pk}/",
        "making": f"/t/tide/g/{made}/",
        "status": f"/t/tide/g/{made}/status/",
        "preview": f"/t/tide/g/{made}/outputs/0/content",
        "recording": f"/t/tide/uploads/{voice.sample_id}/content",
        "edit": f"/t/tide/create/{voice.made_by.model}/?from={made}",
    }


def status_of(client: Client, address: str) -> int:
    answer = client.get(address)
    answer.getvalue()
    return answer.status_code


@pytest.mark.parametrize("who", [*KNOWING, *IGNORANT, *STRANGE])
def test_its_addresses_are_there_for_those_who_may_know(
    who: str, secret: Voice, client: Callable[[str], Client]
) -> None:
    browser = client(who)
    expected = 200 if who in KNOWING else 404
    found = {name: status_of(browser, address) for name, address in places(secret).items()}
    assert found == dict.fromkeys(places(secret), expected)


def test_somebody_who_is_not_signed_in_is_asked_to(secret: Voice) -> None:
    browser = Client()
    assert {status_of(browser, address) for address in places(secret).values()} == {302}


@pytest.mark.parametrize("who", [*map(thorough, KNOWING[:2]), *KNOWING[2:], *IGNORANT])
@pytest.mark.parametrize(
    "address",
    [
        "/t/tide/voices/",
        "/t/tide/library/",
        "/t/tide/library/?q=zorblax",
        "/t/tide/library/?voice={}",
        "/t/tide/voices/pick/",
        "/t/tide/create/rhart-audio--text-to-audio--speech-2.8-hd/",
        "/t/tide/now/",
    ],
)
def test_its_name_is_on_the_pages_of_those_who_may_know_only(
    who: str, address: str, secret: Voice, said: Generation, client: Callable[[str], Client]
) -> None:
    headers = {"HX-Request": "true"} if "pick" in address or "now" in address else {}
    page = client(who).get(address.format(secret.pk), headers=headers).content.decode()
    named = "Zorblax" in page or secret.voice_id in page
    assert named is (who in KNOWING)


def test_a_search_finds_it_for_those_who_may_know(
    bob: Membership, carol: Membership, secret: Voice, said: Generation, client: Callable[[str], Client]
) -> None:
    for query in ("q=zorblax", f"q={secret.voice_id}", "model=rhart-audio--text-to-audio--voice-clone"):
        assert (
            f"/g/{secret.made_by_id}/"
            not in client("carol").get(f"/t/tide/library/?{query}").content.decode()
        )
    assert f"/g/{secret.made_by_id}/" in client("bob").get("/t/tide/library/?q=zorblax").content.decode()
    refreshed = f"/t/tide/library/?live={secret.made_by_id.hex}.x&live={said.pk.hex}.x"
    answer = client("carol").get(refreshed, headers={"HX-Request": "true", "HX-Target": "live"})
    assert str(secret.made_by_id) not in answer.content.decode()
    assert str(said.pk) in answer.content.decode()


@pytest.mark.parametrize("who", [*KNOWING, *IGNORANT])
def test_by_rest_it_is_there_for_those_who_may_know_only(
    who: str, secret: Voice, said: Generation, request: pytest.FixtureRequest
) -> None:
    get, knows = api(request.getfixturevalue(who)), who in KNOWING
    assert (secret.voice_id in [one["voice_id"] for one in get("voices").json()["items"]]) is knows
    listed = {one["id"]: one for one in get("generations").json()["items"]}
    assert (str(secret.made_by_id) in listed) is knows
    assert get(f"generations/{secret.made_by_id}").status_code == (200 if knows else 404)
    heard = get(f"generations/{secret.made_by_id}/outputs/0/content")
    heard.getvalue()
    assert heard.status_code == (200 if knows else 404)
    for one in (listed[str(said.pk)], get(f"generations/{said.pk}").json()):
        assert one["params"] == {"text": "Hello", "voice_id": secret.voice_id if knows else None}


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_what_spoke_with_it_says_that_the_voice_is_private(
    who: str, secret: Voice, said: Generation, client: Callable[[str], Client]
) -> None:
    Generation.objects.filter(pk=said.pk).update(status=State.FAILED)
    page = client(who).get(f"/t/tide/g/{said.pk}/").content.decode()
    assert ("A private voice" in page) is (who == "carol")
    assert ("Zorblax" in page) is (who == "bob")
    assert (secret.voice_id in page) is (who == "bob")
    edit = client(who).get(f"/t/tide/create/{SPEECH}/?from={said.pk}").content.decode()
    assert (secret.voice_id in edit) is (who == "bob")
    assert "Hello" in edit


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_what_upstream_said_about_it_is_veiled_on_the_rail_and_the_page_of_an_order(
    who: str, bob: Membership, secret: Voice, said: Generation, client: Callable[[str], Client]
) -> None:
    order = Batch.objects.create(team=bob.team, author=bob.user, model=SPEECH, title="Two", asked=2)
    words = f"The voice {secret.voice_id} was not found"
    wrong = {"status": State.FAILED, "error_code": "1", "error_message": words}
    Generation.objects.filter(pk=said.pk).update(batch=order, batch_place=1, **wrong)
    for address in ("create/", "now/", f"b/{order.pk}/"):
        page = client(who).get(f"/t/tide/{address}", headers={"HX-Request": "true"}).content.decode()
        assert f"/g/{said.pk}/" in page
        assert (secret.voice_id in page) is (who == "bob"), address


def test_it_cannot_be_run_again_with_it(
    carol: Membership, secret: Voice, said: Generation, client: Callable[[str], Client]
) -> None:
    answer = client("carol").post(f"/t/tide/g/{said.pk}/again/", follow=True)
    assert vault.GONE in answer.content.decode()
    assert Generation.objects.count() == 2
    assert client("bob").post(f"/t/tide/g/{said.pk}/again/").status_code == 302
    assert VoiceUse.objects.filter(voice=secret).count() == 2


def test_its_id_typed_by_hand_is_refused_at_the_field(
    carol: Membership, secret: Voice, client: Callable[[str], Client]
) -> None:
    posted = {"text": "Hello", "voice_id": secret.voice_id}
    answer = client("carol").post(f"/t/tide/create/{SPEECH}/", posted)
    assert answer.status_code == 422
    assert vault.GONE in answer.content.decode()


def test_the_rail_and_the_count_leave_it_out(
    carol: Membership, vera: Membership, bob: Membership, secret: Voice
) -> None:
    Generation.objects.filter(pk=secret.made_by_id).update(status=State.RUNNING, finished_at=None)
    for member, seen in ((bob, 1), (carol, 0), (vera, 0)):
        found = rail.build(member)
        assert (len(found.cards), found.unfinished) == (seen, seen)


def test_a_voice_that_was_narrowed_is_out_of_sight_at_once(
    bob: Membership, carol: Membership, make_voice: Any, client: Callable[[str], Client]
) -> None:
    voice = make_voice(bob)
    assert client("carol").get(f"/t/tide/voices/{voice.pk}/").status_code == 200
    client("bob").post(f"/t/tide/voices/{voice.pk}/change/", {"action": "audience", "audience": "owner"})
    assert client("carol").get(f"/t/tide/voices/{voice.pk}/").status_code == 404
    assert client("carol").get(f"/t/tide/g/{voice.made_by_id}/").status_code == 404


def test_a_recording_that_made_an_open_voice_too_is_not_hidden(
    bob: Membership, carol: Membership, secret: Voice, make_voice: Any
) -> None:
    assert secret.sample_id in access.hidden(carol).uploads
    make_voice(bob, "Open", sample=secret.sample)
    assert access.hidden(carol).uploads == frozenset()
    assert secret.made_by_id in access.hidden(carol).generations


def test_a_veil_changes_nothing_in_the_database(carol: Membership, secret: Voice, said: Generation) -> None:
    seen = access.generation(carol, said.pk)
    assert seen.params["voice_id"] is None
    assert secret.voice_id not in seen.error_detail
    said.refresh_from_db()
    assert said.params["voice_id"] == secret.voice_id
    assert access.generation(carol, said.pk, veiled=False).params["voice_id"] == secret.voice_id


def test_usage_tells_the_cost_and_not_the_name(secret: Voice, client: Callable[[str], Client]) -> None:
    page = client("alice").get("/t/tide/usage/").content.decode()
    assert "Zorblax" not in page


def test_a_voice_kept_alive_is_not_named_in_the_library(
    bob: Membership, secret: Voice, client: Callable[[str], Client]
) -> None:
    client("bob").post(f"/t/tide/voices/{secret.pk}/keep/")
    assert VoiceUse.objects.get().voice == secret
    page = client("carol").get("/t/tide/library/").content.decode()
    assert "A voice kept alive" in page
    assert "Zorblax" not in page


def test_an_upload_of_ones_own_is_never_hidden(bob: Membership, carol: Membership, secret: Voice) -> None:
    Voice.objects.filter(pk=secret.pk).update(owner=carol.user, audience="owner")
    assert access.hidden(bob).generations == {secret.made_by_id}
    assert access.hidden(bob).uploads == frozenset()
    assert accept(bob, "minimax/voice-clone", {"audio": secret.sample.reference, "text": "Hi"}, strict=True)  # type: ignore[union-attr]


def test_a_shared_preset_does_not_name_it(
    bob: Membership, carol: Membership, secret: Voice, client: Callable[[str], Client]
) -> None:
    preset = Preset.objects.create(
        team=bob.team, author=bob.user, model=SPEECH, name="Calm", shared=True,
        params={"voice_id": secret.voice_id, "speed": 0.9},
    )  # fmt: skip
    for who in (carol, bob):
        PresetDefault.objects.create(membership=who, model=SPEECH, preset=preset)
    for who in ("carol", "bob"):
        page = client(who).get(f"/t/tide/create/{SPEECH}/").content.decode()
        assert (secret.voice_id in page) is (who == "bob")
        client(who).post(f"/t/tide/create/{SPEECH}/preset/", {"_preset": str(preset.pk)})
    kept = {draft.author: draft.params.get("voice_id") for draft in Draft.objects.all()}
    assert kept[bob.user] == secret.voice_id
    assert kept[carol.user] != secret.voice_id


def test_what_was_copied_out_of_it_is_hidden_too(
    bob: Membership, carol: Membership, secret: Voice, make_generation: Any, client: Callable[[str], Client]
) -> None:
    preview = secret.made_by.outputs.get()
    copy = uploads.store(bob, SimpleUploadedFile("Zorblax.wav", tone(11)))
    Upload.objects.filter(pk=copy.pk).update(source=preview)
    made = make_generation(bob, title="Apart", params={"audio": copy.reference})
    assert status_of(client("carol"), f"/t/tide/uploads/{copy.pk}/content") == 404
    assert status_of(client("dave"), f"/t/tide/uploads/{copy.pk}/content") == 200
    assert "Zorblax" not in client("carol").get(f"/t/tide/g/{made.pk}/").content.decode()
    clone = f"/t/tide/create/{secret.made_by.model}/"
    for reference in (copy.reference, f"output:{secret.made_by_id}/0"):
        answer = client("carol").post(clone, {"audio": reference, "text": "Hi"})
        assert answer.status_code in {404, 422}
        assert "Zorblax" not in answer.content.decode()


def test_a_voice_for_everyone_does_not_name_the_private_work_it_was_made_from(
    bob: Membership, carol: Membership, make_voice: Any, make_generation: Any, client: Callable[[str], Client]
) -> None:
    work = make_generation(bob, title="Zorblax", outputs=1, is_private=True)
    copy = uploads.store(bob, SimpleUploadedFile("Zorblax.wav", tone(12)))
    Upload.objects.filter(pk=copy.pk).update(source=work.outputs.get())
    voice = make_voice(bob, "Harbour", sample=copy)
    for who, told in (("carol", False), ("bob", True), ("mona", True)):
        page = client(who).get(f"/t/tide/voices/{voice.pk}/").content.decode()
        assert "Harbour" in page
        assert ("Zorblax" in page) is told
        assert (f"/t/tide/uploads/{copy.pk}/content" in page) is told
