"""Voices: known ones are spoken, unknown ones refused, cloned ones remembered."""

from __future__ import annotations

import base64

import pytest

from generations.catalogue.load import voices
from generations.sandbox import Sandbox
from generations.sandbox.encode import decode
from generations.sandbox.voices import median_pitch, traits_of, traits_of_sample
from tests.generations.sandbox.conftest import CLONE, SPEECH, SPOKEN, Api, tone


def clone_body(address: str, voice_id: str = "Harbour2026") -> dict:
    return {
        "audio": address,
        "custom_voice_id": voice_id,
        "text": "Good morning.",
        "need_noise_reduction": False,
        "need_volume_normalization": False,
        "model": "speech-2.8-hd",
    }


def test_a_cloned_voice_speaks_and_its_id_is_taken(api: Api) -> None:
    address = api.upload(tone(110))["data"]["download_url"]
    assert api.submit(SPEECH, {**SPOKEN, "voice_id": "Harbour2026"})["errorCode"] == "1007"
    done = api.finished(api.submit(CLONE, clone_body(address))["taskId"])
    assert (done["status"], done["results"][0]["outputType"]) == ("SUCCESS", "mp3")
    assert (
        api.finished(api.submit(SPEECH, {**SPOKEN, "voice_id": "Harbour2026"})["taskId"])["status"]
        == "SUCCESS"
    )
    again = api.submit(CLONE, clone_body(address))
    assert again["errorCode"] == "1007"
    assert "already taken" in again["errorMessage"]


def test_an_id_is_taken_as_soon_as_its_clone_is_in_work(api: Api, sandbox: Sandbox) -> None:
    address = api.upload(tone())["data"]["download_url"]
    sandbox.script("submit", {"hang": True})
    assert api.submit(CLONE, clone_body(address))["taskId"]
    assert api.submit(CLONE, clone_body(address))["errorCode"] == "1007"


def test_a_system_voice_cannot_be_cloned_over(api: Api) -> None:
    system = next(v.voice_id for v in voices() if len(v.voice_id) >= 8 and v.voice_id.isascii())
    address = api.upload(tone())["data"]["download_url"]
    assert api.submit(CLONE, clone_body(address, system))["errorCode"] == "1007"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/uploads/abc.wav", "https://example.com/voice.mp3"])
def test_a_sample_that_cannot_be_fetched_fails_the_task_with_1013(api: Api, address: str) -> None:
    done = api.finished(api.submit(CLONE, clone_body(address))["taskId"])
    assert (done["status"], done["errorCode"]) == ("FAILED", "1013")


def test_a_sample_that_is_no_sound_or_has_expired_fails_with_1013(api: Api, sandbox: Sandbox) -> None:
    text = api.upload(b"not sound at all" * 100)["data"]["download_url"]
    assert api.finished(api.submit(CLONE, clone_body(text))["taskId"])["errorCode"] == "1013"
    sound = api.upload(tone())["data"]["download_url"]
    sandbox.ledger.upload_seconds = 0
    assert api.finished(api.submit(CLONE, clone_body(sound))["taskId"])["errorCode"] == "1013"


def test_a_sample_can_be_a_data_uri(api: Api) -> None:
    uri = "data:audio/wav;base64," + base64.b64encode(tone()).decode()
    assert api.finished(api.submit(CLONE, clone_body(uri))["taskId"])["status"] == "SUCCESS"


def test_an_address_that_is_none_is_refused_at_once(api: Api) -> None:
    assert api.submit(CLONE, clone_body("upload:123"))["errorCode"] == "1007"


@pytest.mark.parametrize(("hz", "family"), [(95.0, "m"), (120.0, "m"), (215.0, "f"), (260.0, "f")])
def test_a_clone_follows_the_pitch_of_its_sample(hz: float, family: str) -> None:
    sound, rate = decode(tone(hz), 10)
    assert median_pitch(sound, rate) == pytest.approx(hz, rel=0.04)
    assert traits_of_sample(sound, rate, "x").variant.startswith(family)


def test_every_system_voice_has_traits_that_fit_its_gender() -> None:
    for voice in voices():
        traits = traits_of(voice.voice_id)
        assert traits == traits_of(voice.voice_id)
        if voice.gender != "unknown":
            assert traits.variant[0] == voice.gender[0]
    english = {traits_of(v.voice_id) for v in voices() if v.language == "English"}
    assert len(english) > 0.9 * sum(v.language == "English" for v in voices())
