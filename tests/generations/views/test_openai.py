"""Speech by the official program of OpenAI, pointed at the portal."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openai
import pytest
import soundfile as sf
from django.db import connection
from django.test import Client

from accounts.models import Allowance, ApiToken, Measure, Membership, Mode, Period, Role, Scope, Team
from generations.models import Generation, State
from tests.conftest import join, run_pipeline

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"model": "tts-1", "voice": "alloy", "input": "The harbour is quiet this morning."}


@pytest.fixture
def bob(db: None) -> Membership:
    return join(Team.objects.create(slug="tide", name="Tide Tables"), "bob", Role.MEMBER)


@pytest.fixture
def client(live_server: Any, bob: Membership) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=ApiToken.issue(bob), base_url=f"{live_server.url}/api/openai/v1") as program:
        yield program


@pytest.fixture
def worker(sandbox: Any, settings: Any) -> Iterator[None]:
    """The pipeline at work beside the test."""
    settings.SPEECH_WAIT = 30.0
    over = threading.Event()

    def work() -> None:
        try:
            while not over.is_set():
                if Generation.objects.filter(status=State.QUEUED).exists():
                    run_pipeline()
                over.wait(0.05)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def test_the_official_program_gets_playable_speech(
    client: openai.OpenAI, worker: None, bob: Membership
) -> None:
    first = client.audio.speech.create(**BODY, extra_headers={"Idempotency-Key": "once"})
    sound, rate = sf.read(io.BytesIO(first.content))
    assert len(sound) / rate > 0.5
    assert abs(sound).max() > 0.01
    row = Generation.objects.get()
    assert (row.team, row.author, row.token) == (bob.team, bob.user, ApiToken.objects.get())
    assert row.params["voice_id"] == "Wise_Woman"
    for kind in ("wav", "flac", "opus"):
        other = client.audio.speech.create(
            **BODY, response_format=kind, extra_headers={"Idempotency-Key": "once"}
        )
        samples, rate = sf.read(io.BytesIO(other.content))
        assert len(samples) / rate > 0.5
    raw = client.audio.speech.create(**BODY, response_format="pcm", extra_headers={"Idempotency-Key": "once"})
    assert len(raw.content) % 2 == 0
    assert len(raw.content) / 48_000 == pytest.approx(
        len(sound) / sf.info(io.BytesIO(first.content)).samplerate, abs=0.2
    )
    assert Generation.objects.count() == 1
    assert {one.id for one in client.models.list()} >= {"tts-1", row.model}


def test_what_is_not_done_in_time_goes_on_and_the_same_key_gets_it(
    client: openai.OpenAI, sandbox: Any, settings: Any
) -> None:
    key = {"Idempotency-Key": "later"}
    with pytest.raises(openai.InternalServerError) as late:
        client.audio.speech.create(**BODY, extra_headers=key)
    assert (late.value.status_code, late.value.code) == (504, "still_running")
    assert Generation.objects.count() == 1
    run_pipeline()
    assert len(client.audio.speech.create(**BODY, extra_headers=key).content) > 1000
    assert Generation.objects.count() == 1
    with pytest.raises(openai.ConflictError):
        client.audio.speech.create(**{**BODY, "input": "Else"}, extra_headers=key)


def test_refusals_are_those_that_the_program_knows(
    client: openai.OpenAI, bob: Membership, live_server: Any
) -> None:
    speak = client.audio.speech.create
    with pytest.raises(openai.NotFoundError):
        speak(**{**BODY, "model": "minimax--music-2.6--text-to-instrumental"})
    for wrong in ({"response_format": "aac"}, {"speed": 4.0}, {"input": ""}, {"voice": ""}):
        with pytest.raises(openai.BadRequestError):
            speak(**{**BODY, **wrong})
    Allowance.put(
        bob.team,
        scope=Scope.DEFAULT,
        measure=Measure.COUNT,
        period=Period.DAY,
        mode=Mode.LIMITED,
        limit=Decimal(0),
    )
    with pytest.raises(openai.RateLimitError) as full:
        speak(**BODY)
    assert full.value.code == "insufficient_quota"
    elsewhere = f"{live_server.url}/api/openai/v1"
    with (
        openai.OpenAI(api_key="sk-wrong", base_url=elsewhere) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.audio.speech.create(**BODY)
    Membership.objects.update(role="viewer")
    with pytest.raises(openai.PermissionDeniedError):
        speak(**BODY)
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b'{"model": 1}', b'{"model": "tts-1", "voice": {"id": 2}, "input": "x"}',
             b'{"model": "tts-1", "voice": "a\\u0000", "input": "x"}', b"[" * 100_000]
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_their_form(body: bytes, bob: Membership) -> None:
    headers = {"Authorization": f"Bearer {ApiToken.issue(bob)}"}
    answer = Client().post(
        "/api/openai/v1/audio/speech", body, content_type="application/json", headers=headers
    )
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert Client().get("/api/openai/v1/audio/speech", headers=headers).status_code == 405
