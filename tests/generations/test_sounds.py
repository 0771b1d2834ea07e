"""The 21 models of sound in RunningHub's documentation, each from its form through the sandbox into the library."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import soundfile
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership
from generations.catalogue import load
from generations.models import Generation, State
from tests.effort import thorough
from tests.generations.catalogue.facts import FACTS, refusals
from tests.generations.media.samples import RATE, film, mp4, recording, webm
from tests.generations.views.reading import seen

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
SHORT = {
    "rhart-audio/suno-v5.5/custom",
    "rhart-audio/suno/lyrics",
    "rhart-audio/source-separation",
}
"""A song, a text and a recording taken apart stand for the rest; speech and music are driven elsewhere."""


def video() -> SimpleUploadedFile:
    return SimpleUploadedFile("film.mov", film((recording().T * 32_767).astype("<i2").tobytes()))


def voice() -> SimpleUploadedFile:
    file = io.BytesIO()
    soundfile.write(file, recording().T, RATE, format="WAV")
    return SimpleUploadedFile("voice.wav", file.getvalue())


def made_by_form(client: Any, endpoint: str, **changes: Any) -> Generation:
    """What a member gets who opens the form, fills in the example and adds the files."""
    spec = load.get(endpoint)
    address = f"/t/tide/create/{spec.slug}/"
    files = {
        param.key: video() if param.type.value == "VIDEO" else voice()
        for param in spec.params
        if param.type.is_media
    }
    example = {
        key: str(value).lower() if isinstance(value, bool) else value for key, value in spec.example.items()
    }
    posted = seen(client.get(address)).sent() | example | changes | files
    answer = client.post(address, posted)
    assert answer.status_code == 303, seen(answer).texts
    return Generation.objects.get()


def test_none_is_missing_and_none_is_there_beside_them() -> None:
    assert {spec.endpoint for spec in load.models()} == set(LEAVES) == set(FACTS)
    assert len(LEAVES) == 21


@pytest.mark.parametrize("endpoint", [e if e in SHORT else thorough(e) for e in LEAVES])
def test_its_form_makes_a_result_in_the_library(
    bob: Membership, client_of: Any, sandbox: Any, drive: Any, endpoint: str
) -> None:
    client = client_of(bob)
    made = made_by_form(client, endpoint)
    drive()
    made.refresh_from_db()
    assert made.status == State.SUCCEEDED, made.error_message
    outputs = list(made.outputs.order_by("index"))
    assert [output.kind for output in outputs] == LEAVES[endpoint]
    assert all(output.duration and output.file for output in outputs if output.kind == "audio")
    assert len({output.sha256 for output in outputs}) == len(outputs)
    (sent,) = [task.body for task in sandbox.ledger.tasks.values()]
    secure = json.loads(json.dumps(sent).replace("http://", "https://"))
    secure.pop("webhookUrl", None)
    assert refusals(endpoint, secure) == []
    assert made.cost_actual is not None
    library = client.get("/t/tide/library/").content.decode()
    assert str(made.pk) in library
    page = client.get(f"/t/tide/g/{made.pk}/").content.decode()
    assert page.count("data-stage data-track") == min(LEAVES[endpoint].count("audio"), 1)
    assert page.count('data-copy="made-') == LEAVES[endpoint].count("text")
    assert page.count("takes__item") >= (2 if LEAVES[endpoint].count("audio") == 2 else 0)


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


@pytest.mark.parametrize("file", [voice(), SimpleUploadedFile("film.webm", webm(track_types=(1, 2)))])
def test_a_file_of_another_type_is_refused_by_its_bytes(
    bob: Membership, client_of: Any, file: SimpleUploadedFile
) -> None:
    renamed = SimpleUploadedFile("film.mp4", file.read(), "video/mp4")
    answer = client_of(bob).post("/t/tide/create/rhart-audio--extract-vocal/", {"videoUrl": renamed})
    assert answer.status_code == 422
    assert seen(answer).error("videoUrl")
