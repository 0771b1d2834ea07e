"""The 37 models of sound, each from its form through the sandbox into the library.

21 of them are leaves of RunningHub's documentation, 16 are newer or of its Chinese site.
"""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
import soundfile
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership, Team
from generations.catalogue import load
from generations.catalogue.spec import ParamSpec
from generations.models import Generation, State
from tests.effort import thorough
from tests.generations.catalogue.facts import FACTS, SOUNDS, refusals
from tests.generations.media.samples import RATE, film, mp3_bytes, mp4, recording, webm
from tests.generations.views.reading import seen

pytestmark = pytest.mark.thorough

SPOKEN, TAKES, TEXT = ["audio"], ["audio", "audio"], ["text"]
LEAVES = {
    "rhart-audio/text-to-audio/speech-2.8-turbo": SPOKEN,
    "rhart-audio/text-to-audio/music-2.5": ["audio"],
    "kling-lip-sync/tts": ["audio", "text"],
    "rhart-audio/text-to-audio/speech-2.6-turbo": SPOKEN,
    "rhart-audio/text-to-audio/speech-2.6-hd": SPOKEN,
    "rhart-audio/text-to-audio/speech-02-turbo": SPOKEN,
    "rhart-audio/text-to-audio/speech-02-hd": SPOKEN,
    "rhart-audio/text-to-audio/speech-2.8-hd": SPOKEN,
    "rhart-audio/text-to-audio/voice-clone": SPOKEN,
    "minimax/music-2.6/text-to-instrumental": ["audio"],
    "minimax/music-2.6/text-to-music": ["audio"],
    "rhart-audio/suno-v5.5/single": TAKES,
    "rhart-audio/suno-v5.5/custom": TAKES,
    "rhart-audio/suno-v5/single": TAKES,
    "rhart-audio/suno-v5/custom": TAKES,
    "rhart-audio/suno-v4.5/single": TAKES,
    "rhart-audio/suno-v4.5/custom": TAKES,
    "rhart-audio/suno/lyrics": TEXT,
    "rhart-audio/extract-background": ["audio"],
    "rhart-audio/extract-vocal": ["audio"],
    "rhart-audio/source-separation": ["audio", "audio"],
}
"""Endpoint -> the kinds of its results."""
NEWER = {
    "bytedance/doubao-seed-audio-1.0": SPOKEN,
    "minimax/music-2.6": ["audio"],
    "minimax/music-cover": ["audio"],
    "minimax/music-cover-preprocess": TEXT,
    "minimax/voice-design": ["audio", "text"],
    "mureka-ai/generate-lyrics": TEXT,
    "mureka-ai/mureka-o2/generate-song": TAKES,
    "mureka-ai/mureka-v7.6/extend-song": ["audio"],
    "mureka-ai/mureka-v7.6/generate-bgm": TAKES,
    "mureka-ai/mureka-v7.6/generate-song": TAKES,
    "mureka-ai/mureka-v8/extend-song": ["audio"],
    "mureka-ai/mureka-v8/generate-bgm": TAKES,
    "mureka-ai/mureka-v8/generate-song": TAKES,
    "mureka-ai/mureka-v9/generate-bgm": TAKES,
    "mureka-ai/mureka-v9/generate-song": TAKES,
    "mureka-ai/vocal-clone": TEXT,
}
"""The same of the models that the documentation does not list."""
ALL = LEAVES | NEWER
SHORT = {
    "rhart-audio/suno/lyrics",
    "rhart-audio/source-separation",
    "minimax/voice-design",
}
"""Texts, voices and a recording taken apart stand for the rest; speech and music are driven elsewhere."""


def video() -> SimpleUploadedFile:
    return SimpleUploadedFile("film.mov", film((recording().T * 32_767).astype("<i2").tobytes()))


def voice() -> SimpleUploadedFile:
    file = io.BytesIO()
    soundfile.write(file, recording().T, RATE, format="WAV")
    return SimpleUploadedFile("voice.wav", file.getvalue())


def song() -> SimpleUploadedFile:
    """Long enough to be covered, in a format that every model of recordings takes."""
    return SimpleUploadedFile("song.mp3", mp3_bytes(7.0))


def file_for(param: ParamSpec) -> SimpleUploadedFile:
    if param.type.value == "VIDEO":
        return video()
    return voice() if param.key == "audio" else song()


ABOUT_A_VOICE = {"_voice_name": "Harbour", "_voice_speaker": "Ada Byron", "_voice_consent": "1"}
"""What a form that makes a voice asks besides."""


def made_by_form(client: Any, endpoint: str, **changes: Any) -> Generation:
    """What a member gets who opens the form, fills in the example and adds the files."""
    spec = load.get(endpoint)
    address = f"/t/tide/create/{spec.slug}/"
    files = {param.key: file_for(param) for param in spec.params if param.type.is_media and param.required}
    example = {
        key: str(value).lower() if isinstance(value, bool) else value for key, value in spec.example.items()
    }
    about = ABOUT_A_VOICE if any(param.widget == "new_voice" for param in spec.params) else {}
    answer = client.post(address, seen(client.get(address)).sent() | example | about | changes | files)
    assert answer.status_code == 303, seen(answer).texts
    return Generation.objects.latest("id")


@pytest.fixture(autouse=True)
def unknown_prices_allowed(team: Team) -> None:
    """One model has no known price, which a team refuses unless a manager allowed it."""
    team.unknown_price = Team.UnknownPrice.ALLOW
    team.save()


def test_none_is_missing_and_none_is_there_beside_them() -> None:
    assert {spec.endpoint for spec in SOUNDS} == set(ALL) == set(FACTS)
    assert (len(LEAVES), len(NEWER), len(ALL)) == (21, 16, 37)


@pytest.mark.parametrize("endpoint", [e if e in SHORT else thorough(e) for e in ALL])
def test_its_form_makes_a_result_in_the_library(
    bob: Membership, client_of: Any, sandbox: Any, drive: Any, endpoint: str
) -> None:
    client = client_of(bob)
    made = made_by_form(client, endpoint)
    drive()
    made.refresh_from_db()
    assert made.status == State.SUCCEEDED, made.error_message
    outputs = list(made.outputs.order_by("index"))
    assert [output.kind for output in outputs] == ALL[endpoint]
    assert all(output.duration and output.file for output in outputs if output.kind == "audio")
    assert len({output.sha256 for output in outputs}) == len(outputs)
    (sent,) = [task.body for task in sandbox.ledger.tasks.values()]
    secure = json.loads(json.dumps(sent).replace("http://", "https://"))
    secure.pop("webhookUrl", None)
    assert refusals(endpoint, secure) == []
    assert (made.cost_actual is None) is (FACTS[endpoint]["price"] is None)
    if "times" in FACTS[endpoint]:
        assert made.cost_actual == Decimal(FACTS[endpoint]["price"][0]) * 2
    library = client.get("/t/tide/library/").content.decode()
    assert str(made.pk) in library
    page = client.get(f"/t/tide/g/{made.pk}/").content.decode()
    assert page.count("data-stage data-track") == min(ALL[endpoint].count("audio"), 1)
    assert page.count('data-copy="made-') == ALL[endpoint].count("text")
    assert page.count("takes__item") >= (2 if ALL[endpoint].count("audio") == 2 else 0)


def test_a_song_is_called_by_its_own_title(bob: Membership, client_of: Any) -> None:
    assert made_by_form(client_of(bob), "rhart-audio/suno-v5/custom").title == "Paper Boats"


def test_a_job_without_words_is_called_by_its_file(bob: Membership, client_of: Any) -> None:
    assert made_by_form(client_of(bob), "rhart-audio/extract-vocal").title == "film.mov"


def test_a_video_whose_sound_cannot_be_read_fails_and_nothing_is_charged(
    bob: Membership, client_of: Any, sandbox: Any, drive: Any
) -> None:
    silent = SimpleUploadedFile("film.mp4", mp4(handlers=(b"vide", b"soun")))
    address = "/t/tide/create/rhart-audio--extract-vocal/"
    client_of(bob).post(address, {"videoUrl": silent})
    drive()
    made = Generation.objects.get()
    assert made.status == State.FAILED
    assert not made.cost_counted
    assert "file processing failed" in made.error_detail + made.error_message


def test_a_file_of_another_type_is_refused_by_its_bytes(bob: Membership, client_of: Any) -> None:
    renamed = SimpleUploadedFile("film.mp4", webm(track_types=(1, 2)), "video/mp4")
    answer = client_of(bob).post("/t/tide/create/rhart-audio--extract-vocal/", {"videoUrl": renamed})
    assert answer.status_code == 422
    assert seen(answer).error("videoUrl")


def test_an_id_goes_from_one_result_into_the_next_form_as_it_was_copied(
    bob: Membership, client_of: Any, sandbox: Any, drive: Any
) -> None:
    client = client_of(bob)
    prepared = made_by_form(client, "minimax/music-cover-preprocess")
    drive()
    copied = prepared.outputs.get().text
    cover = made_by_form(
        client, "minimax/music-cover", coverFeatureId=copied, lyrics=json.loads(copied)["lyrics"][:900]
    )
    assert cover.params["coverFeatureId"] == json.loads(copied)["coverFeatureId"]
    drive()
    cover.refresh_from_db()
    assert cover.status == State.SUCCEEDED, cover.error_message


def test_a_designed_voice_speaks(bob: Membership, client_of: Any, sandbox: Any, drive: Any) -> None:
    client = client_of(bob)
    design = made_by_form(client, "minimax/voice-design", voiceId="")
    drive()
    told = json.loads(design.outputs.get(kind="text").text)
    speech = made_by_form(client, "rhart-audio/text-to-audio/speech-02-turbo", voice_id=told["voiceId"])
    drive()
    speech.refresh_from_db()
    assert speech.status == State.SUCCEEDED, speech.error_message


@pytest.mark.parametrize("form", ["wav", "mp3", "ogg_opus", "pcm"])
def test_described_sound_is_stored_in_each_format_with_its_length(
    bob: Membership, client_of: Any, sandbox: Any, drive: Any, form: str
) -> None:
    made_by_form(client_of(bob), "bytedance/doubao-seed-audio-1.0", format=form, sample_rate="16000")
    drive()
    output = Generation.objects.get().outputs.get()
    assert output.extension == {"ogg_opus": "opus"}.get(form, form)
    assert 1.0 < output.duration < 5.0
    assert (output.sample_rate, output.channels) == (16_000, 1)
