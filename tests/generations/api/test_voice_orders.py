"""A voice made by a program: with what is said about it, or with nothing, as ever."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership
from generations.models import Generation, Voice
from tests.conftest import MODEL, tone
from tests.generations.api.conftest import Program

CLONE = "minimax/voice-clone"


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    found: Program = program_of(bob)
    return found


def order(program: Program, voice: Any = ..., **params: Any) -> Any:
    kept = program.upload(SimpleUploadedFile("voice.wav", tone(10), "audio/wav")).json()
    body = {"model": CLONE, "params": {"audio": kept["reference"], "text": "Good morning.", **params}}
    return program.post("generations", body if voice is ... else {**body, "voice": voice})


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    assert not Generation.objects.exists()
    return [one["param"] for one in answer.json()["errors"]]


def test_a_clone_with_all_that_is_said_about_it(bobs: Program, carol: Membership) -> None:
    said = {
        "name": "Harbour", "language": "English", "audience": "some", "members": ["Carol@example.com"],
        "speaker": "Ada", "consent": True,
    }  # fmt: skip
    answer = order(bobs, said)
    assert answer.status_code == 201, answer.content
    voice = Voice.objects.get()
    assert answer.json()["params"]["custom_voice_id"] == voice.voice_id
    assert answer.json()["title"] == "Harbour"
    assert (voice.name, voice.speaker, voice.audience) == ("Harbour", "Ada", "some")
    assert [grant.user for grant in voice.grants.all()] == [carol.user]


def test_a_clone_without_a_word_is_its_authors(bobs: Program) -> None:
    assert order(bobs, custom_voice_id="Harbour01").status_code == 201
    assert order(bobs, None).status_code == 201
    named, allotted = Voice.objects.order_by("id")
    assert (named.name, named.audience, named.consent_at) == ("Harbour01", "owner", None)
    assert (allotted.name, allotted.audience) == (allotted.voice_id, "owner")


@pytest.mark.parametrize(
    ("voice", "param"),
    [
        ({"audience": "everyone"}, "voice.consent"),
        ({"consent": True}, "voice.speaker"),
        ({"audience": "some", "consent": True, "speaker": "A"}, "voice.members"),
        (
            {"audience": "some", "consent": True, "speaker": "A", "members": ["zoe@example.com"]},
            "voice.members",
        ),
        ({"audience": "some", "consent": True, "speaker": "A", "members": ["\ud800"]}, "voice.members"),
        ({"name": "x" * 81}, "voice.name"),
        ({"name": "a\x00"}, "voice.name"),
        ({"audience": "all"}, "voice.audience"),
        ({"nmae": "typo"}, "voice.nmae"),
        ([], "voice"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(
    voice: Any, param: str, bobs: Program, zoe: Membership
) -> None:
    assert faults(order(bobs, voice)) == [param]


def test_a_model_that_makes_no_voice_takes_none(bobs: Program) -> None:
    answer = bobs.post("generations", {"model": MODEL, "params": {"prompt": "x"}, "voice": {"name": "N"}})
    assert faults(answer) == ["voice"]


def test_a_taken_id_is_refused_at_its_param(bobs: Program, zoe: Membership, make_voice: Any) -> None:
    make_voice(zoe, voice_id="Harbour01")
    before = Generation.objects.count()
    answer = order(bobs, custom_voice_id="Harbour01")
    assert [one["param"] for one in answer.json()["errors"]] == ["custom_voice_id"]
    assert Generation.objects.count() == before


def test_one_key_gives_one_voice(bobs: Program) -> None:
    kept = bobs.upload(SimpleUploadedFile("voice.wav", tone(10), "audio/wav")).json()
    body = {"model": CLONE, "params": {"audio": kept["reference"], "text": "Hi"}, "voice": {"name": "Pier"}}
    first = bobs.post("generations", body, Idempotency_Key="k")
    again = bobs.post("generations", body, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["params"] == again.json()["params"]
    other = bobs.post("generations", {**body, "voice": {"name": "Quay"}}, Idempotency_Key="k")
    assert other.status_code == 409
    assert Voice.objects.count() == 1


def test_the_document_says_where_a_voice_goes(anonymous: Program) -> None:
    schemas = anonymous.get("openapi.json").json()["components"]["schemas"]
    with_voice = [one["title"] for one in schemas["NewGeneration"]["oneOf"] if "voice" in one["properties"]]
    assert "Voice clone" in with_voice
    assert set(schemas["NewVoice"]["properties"]) == {
        "name", "language", "audience", "members", "speaker", "consent",
    }  # fmt: skip
    assert "NewVoice" in anonymous.get("docs").content.decode()
