"""The newer models of sound as a client of the sandbox gets them: takes, covers, new voices, ids that pass on."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import soundfile

from generations.catalogue.load import voices
from generations.sandbox import Sandbox
from generations.sandbox.encode import decode, decode_channels
from generations.sandbox.voices import FEMALE, MALE, median_pitch, traits_described
from tests.effort import thorough
from tests.generations.sandbox.conftest import SPEECH, SPOKEN, Api, tone

pytestmark = pytest.mark.thorough

V9 = "mureka-ai/mureka-v9/generate-song"
DESIGN = "minimax/voice-design"
DOUBAO = "bytedance/doubao-seed-audio-1.0"
VOCAL = "mureka-ai/vocal-clone"
COVER, PREPARE = "minimax/music-cover", "minimax/music-cover-preprocess"
WORDS = "[Verse]\nSalt on the window, radio low"


def made(api: Api, endpoint: str, **body: Any) -> list[dict[str, Any]]:
    done = api.finished(api.submit(endpoint, body)["taskId"])
    assert done["status"] == "SUCCESS", done
    return done["results"]


def sound(api: Api, result: dict[str, Any]) -> bytes:
    return api.get(result["url"]).content


def recording(api: Api, seconds: float = 7.0, hz: float = 110.0, name: str = "voice.mp3") -> str:
    return api.upload(tone(hz, seconds), name)["data"]["download_url"]


@pytest.mark.parametrize("n", [thorough(1), 2, thorough(3)])
def test_as_many_takes_as_asked_each_another(api: Api, n: int) -> None:
    takes = made(api, V9, lyrics=WORDS, prompt="folk", n=n)
    assert len({sound(api, take) for take in takes}) == n
    assert len(made(api, "mureka-ai/mureka-v8/generate-bgm", prompt="jazz", n=n)) == n


@pytest.mark.parametrize("n", [0, 4, "2", None])
def test_other_numbers_of_takes_are_refused(api: Api, n: Any) -> None:
    assert api.submit(V9, {"lyrics": WORDS, "n": n})["errorCode"] == "1007"


def test_a_song_goes_on_at_its_end_or_before_its_beginning(api: Api) -> None:
    address = recording(api, 3.0, 440.0)
    given = {"lyrics": WORDS, "fileUrl": address, "extendAt": 8000}
    pieces = []
    for more in ({}, {"extendType": "head"}):
        (result,) = made(api, "mureka-ai/mureka-v8/extend-song", **given, **more)
        pieces.append(decode(sound(api, result), 60))
    (tail, rate), (head, _) = pieces
    second = rate

    def strength(part: np.ndarray[Any, Any]) -> float:
        spectrum = np.abs(np.fft.rfft(part))
        return float(spectrum[round(440 * len(part) / rate)] / spectrum.sum())

    assert strength(tail[:second]) > 5 * strength(tail[-second:])
    assert strength(head[-second:]) > 5 * strength(head[:second])


def test_a_cover_sings_given_words_of_a_prepared_recording(api: Api, sandbox: Sandbox) -> None:
    address = recording(api)
    told = json.loads(made(api, PREPARE, audioUrl=address)[0]["text"])
    assert told["lyrics"].startswith("[Verse]")
    given = {"prompt": "bossa nova", "audioUrl": address, "coverFeatureId": told["coverFeatureId"]}
    assert api.submit(COVER, given)["errorCode"] == "1007"
    (result,) = made(api, COVER, **given, lyrics=told["lyrics"][:900], format="wav", sampleRate="32000")
    assert soundfile.info(io.BytesIO(sound(api, result))).samplerate == 32_000
    refused = api.submit(COVER, {**given, "coverFeatureId": "made-up", "lyrics": WORDS})
    assert "no prepared recording" in refused["errorMessage"]
    for task in sandbox.ledger.tasks.values():
        task.finished_at -= 90_000
    assert api.submit(COVER, {**given, "lyrics": WORDS})["errorCode"] == "1007"


@pytest.mark.parametrize("seconds", [5.0, 400.0])
def test_a_recording_too_short_or_too_long_to_cover_fails(api: Api, seconds: float) -> None:
    address = api.upload(tone(200, seconds, 2_000))["data"]["download_url"]
    for endpoint, more in ((COVER, {"prompt": "jazz"}), (PREPARE, {})):
        done = api.finished(api.submit(endpoint, {"audioUrl": address, **more})["taskId"])
        assert (done["status"], done["errorCode"]) == ("FAILED", "1013")


def test_a_singer_sings_and_does_not_speak(api: Api) -> None:
    (told,) = made(api, VOCAL, fileUrl=recording(api, 2.0, 220.0))
    vocal_id = json.loads(told["text"])["vocalId"]
    sung = made(api, V9, lyrics=WORDS, prompt="folk", vocalId=vocal_id, n=1)
    alone = made(api, V9, lyrics=WORDS, prompt="folk", n=1)
    assert sound(api, sung[0]) != sound(api, alone[0])
    assert api.submit(V9, {"lyrics": WORDS, "n": 1, "vocalId": "made-up"})["errorCode"] == "1007"
    assert api.submit(SPEECH, {**SPOKEN, "voice_id": vocal_id})["errorCode"] == "1007"


def test_a_designed_voice_speaks_afterwards_and_its_id_is_taken(api: Api) -> None:
    given = {"prompt": "an old fisherman, deep and slow", "previewText": "Good morning.", "voiceId": "Fish01"}
    assert api.submit(SPEECH, {**SPOKEN, "voice_id": "Fish01"})["errorCode"] == "1007"
    preview, told = made(api, DESIGN, **given)
    assert (preview["outputType"], json.loads(told["text"])) == ("mp3", {"voiceId": "Fish01"})
    made(api, SPEECH, **{**SPOKEN, "voice_id": "Fish01"})
    assert "voiceId: the voice id Fish01 is already taken" in api.submit(DESIGN, given)["errorMessage"]
    system = voices()[0].voice_id
    assert api.submit(DESIGN, {**given, "voiceId": system})["errorCode"] == "1007"


def test_a_designed_voice_without_an_id_gets_one(api: Api) -> None:
    _, told = made(api, DESIGN, prompt="a bright young woman", previewText="Good morning.")
    made(api, SPEECH, **{**SPOKEN, "voice_id": json.loads(told["text"])["voiceId"]})


@pytest.mark.parametrize(
    ("description", "family"),
    [
        ("a young woman", FEMALE),
        ("a little girl", FEMALE),
        ("an old man", MALE),
        ("a male narrator", MALE),
        ("a deep-voiced fisherman", MALE),
    ],
)
def test_a_voice_follows_its_description(description: str, family: tuple[str, ...]) -> None:
    assert traits_described(description, "x").variant in family
    assert traits_described(description, "x") == traits_described(description, "x")


def test_age_and_pitch_of_a_description_are_heard(api: Api) -> None:
    text = "The boats rocked gently in the harbour."
    pitches = []
    for name, description in {
        "Deep01": "an old man, deep and slow",
        "High01": "a little girl, high and quick",
    }.items():
        # What a description leaves open follows the id, so the ids are given.
        preview, _ = made(api, DESIGN, prompt=description, previewText=text, voiceId=name)
        pitches.append(median_pitch(*decode(sound(api, preview), 10)))
    assert pitches[0] * 1.5 < pitches[1]


def test_a_mark_ends_the_preview_when_asked(api: Api) -> None:
    given = {"prompt": "a calm man", "previewText": "Good morning.", "voiceId": "Calm01"}
    plain = made(api, DESIGN, **given)[0]
    marked = made(api, DESIGN, **{**given, "voiceId": "Calm02"}, aigcWatermark=True)[0]
    lengths = [len(decode(sound(api, one), 20)[0]) for one in (plain, marked)]
    assert lengths[1] > lengths[0]


@pytest.mark.parametrize(
    ("form", "ext", "rate", "heard"),
    [
        ("ogg_opus", "ogg", "24000", 24_000),
        ("ogg_opus", "ogg", "44100", 48_000),
        ("wav", "wav", "8000", 8_000),
        ("mp3", "mp3", "32000", 32_000),
    ],
)
def test_sound_comes_in_the_asked_format_and_rate(
    api: Api, form: str, ext: str, rate: str, heard: int
) -> None:
    given = {"text_prompt": "A calm voice: “Welcome aboard.”", "speech_rate": 0}
    (result,) = made(api, DOUBAO, **given, format=form, sample_rate=rate)
    assert result["outputType"] == ext
    channels, found = decode_channels(sound(api, result), 10)
    assert found == heard
    assert channels.any()
    if form == "ogg_opus":
        assert soundfile.info(io.BytesIO(sound(api, result))).subtype == "OPUS"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample_rate": "48000"},
        {"sample_rate": 24000},
        {"format": "flac"},
        {"pitch_rate": 13},
        {"speaker": 5},
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    assert api.submit(DOUBAO, {"text_prompt": "Rain", "speech_rate": 0, **wrong})["errorCode"] == "1007"


def test_a_description_follows_one_reference_and_refuses_two(api: Api) -> None:
    given = {"text_prompt": "Say “welcome aboard”", "speech_rate": 0}
    address = recording(api, 2.0, 220.0)
    for more in ({"audio_url": [address]}, {"image_url": address}, {"speaker": "zh_female_1"}):
        made(api, DOUBAO, **given, **more)
    refused = api.submit(DOUBAO, {**given, "audio_url": [address], "speaker": "zh_female_1"})
    assert "Use one of these" in refused["errorMessage"]


def test_aac_is_taken_though_it_cannot_be_read_here(api: Api) -> None:
    aac = b"\x00\x00\x00\x20ftypM4A " + bytes(range(256)) * 8
    address = api.upload(aac, "song.m4a")["data"]["download_url"]
    made(api, "mureka-ai/mureka-v7.6/extend-song", lyrics=WORDS, fileUrl=address, extendAt=8000)
    made(api, VOCAL, fileUrl=address)
