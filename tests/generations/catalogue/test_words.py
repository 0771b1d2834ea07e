"""Params as people and programs read them: settings card, changed marks, JSON Schema, voices."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from generations.catalogue.load import BadData, get, voice_name, voices
from generations.catalogue.spec import ModelSpec
from generations.catalogue.voices import read_voices
from tests.generations.catalogue.facts import ENDPOINTS, GIVEN, SOUNDS, UPLOAD

HD = get("minimax/speech-2.8-hd")
CLONE = get("minimax/voice-clone")
TWICE = json.dumps(
    {
        "groups": [
            {"language": "English", "gender": gender, "voices": {"A": "B"}} for gender in ("male", "female")
        ]
    }
)


def test_settings_are_shown_in_words_without_the_main_text() -> None:
    params = HD.clean(
        {
            "text": "Hello",
            "pitch": "-1",
            "emotion": "sad",
            "english_normalization": "on",
            "pronunciation_dict": "Skye/sky",
        }
    )
    assert HD.display(params) == [
        ("Pronunciation", "Skye/sky", True),
        ("Voice", "Wise Woman", False),
        ("Speed", "1", False),
        ("Volume", "1", False),
        ("Pitch", "\N{MINUS SIGN}1 semitones", True),
        ("Emotion", "Sad", True),
        ("Read numbers and units as words", "Yes", True),
    ]
    assert HD.differs(params) == ["pronunciation_dict", "pitch", "emotion", "english_normalization"]


def test_options_are_shown_by_their_labels() -> None:
    spec = get("minimax/music-2.6/text-to-instrumental")
    params = spec.clean({"prompt": "Calm piano", "bitrate": "128000", "format": "wav"})
    assert spec.display(params) == [
        ("Sample rate", "44.1 kHz", False),
        ("Bit rate", "128 kbit/s", True),
        ("Format", "WAV", True),
    ]


def test_the_caller_names_what_only_it_knows() -> None:
    params = CLONE.clean(GIVEN[CLONE.endpoint])
    assert CLONE.display(params)[0] == ("Recording", "Uploaded file", False)
    assert CLONE.display(params, {UPLOAD: "lena.wav"})[0] == ("Recording", "lena.wav", False)
    spoken = HD.clean({"text": "Hello", "voice_id": "Harbour01"})
    assert ("Voice", "Harbour01", True) in HD.display(spoken)
    assert ("Voice", "Harbour", True) in HD.display(spoken, {"Harbour01": "Harbour"})


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_prompt_is_not_a_change(endpoint: str) -> None:
    spec = get(endpoint)
    optional = ["lyrics"] if endpoint == "minimax/music-2.6" else []
    assert spec.differs(spec.clean(GIVEN[endpoint])) == optional


def test_params_of_an_older_catalogue_are_still_shown() -> None:
    assert HD.display({"emotion": "bored", "speed": "fast", "pitch": None, "gone": 1}) == [
        ("Speed", "fast", True),
        ("Pitch", "Set", True),
        ("Emotion", "bored", True),
    ]


def test_what_is_never_shown_is_never_marked_as_changed() -> None:
    older = {"text": "Hello", "enable_base64_output": True}
    assert HD.differs(older) == []
    assert HD.display(older) == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_schema_is_valid_and_takes_the_least_request(endpoint: str) -> None:
    schema = get(endpoint).json_schema()
    json.dumps(schema, allow_nan=False)
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid(GIVEN[endpoint])
    assert validator.is_valid({}) is (GIVEN[endpoint] == {})
    assert not validator.is_valid({**GIVEN[endpoint], "webhookUrl": "https://x.example"})


def test_the_schema_states_bounds_values_and_defaults() -> None:
    properties = HD.json_schema()["properties"]
    assert properties["speed"] == {
        "title": "Speed",
        "description": "1 is the natural pace; 2 is twice as fast.",
        "default": 1,
        "type": "number",
        "minimum": 0.5,
        "maximum": 2,
    }
    assert properties["emotion"]["enum"][0] == "happy"
    assert properties["text"]["maxLength"] == 9999
    assert properties["pronunciation_dict"]["maxItems"] == 1
    assert properties["enable_base64_output"]["const"] is False
    assert HD.json_schema()["required"] == ["text"]
    assert CLONE.json_schema()["properties"]["audio"]["x-accept"] == ["mp3", "wav"]
    assert CLONE.json_schema()["required"] == ["audio", "text"]


@pytest.mark.parametrize("spec", SOUNDS, ids=lambda spec: spec.slug)
def test_the_example_fits_the_schema(spec: ModelSpec) -> None:
    media = {param.key: UPLOAD for param in spec.params if param.type.is_media and param.required}
    example = {**media, **spec.example}
    jsonschema_rs.Draft202012Validator(spec.json_schema()).validate(example)


def test_there_are_388_voices_and_the_listed_17_come_first() -> None:
    assert len(voices()) == 388
    assert len({voice.voice_id for voice in voices()}) == 388
    assert [voice.listed for voice in voices()] == [True] * 17 + [False] * 371
    assert voices()[0].voice_id == "Wise_Woman"


def test_voices_have_names_that_tell_them_apart() -> None:
    assert len({(voice.name, voice.language) for voice in voices()}) == 388
    assert not [voice.name for voice in voices() if "_" in voice.name or voice.name != voice.name.strip()]
    assert {voice.gender for voice in voices()} == {"female", "male", "unknown"}


def test_voice_ids_are_kept_as_they_are() -> None:
    ids = {voice.voice_id: voice for voice in voices()}
    assert ids["lovely_girl"].language == "Chinese (Mandarin)"
    assert ids["Lovely_Girl"].language == "multilingual"
    assert ids["Cantonese_ProfessionalHost（F)"].gender == "female"
    assert voice_name("English_ManWithDeepVoice") == "Man With Deep Voice"
    assert voice_name("MyOwnVoice1") == "MyOwnVoice1"


@pytest.mark.parametrize("spec", SOUNDS, ids=lambda spec: spec.slug)
def test_a_voice_the_form_opens_with_is_a_listed_one(spec: ModelSpec) -> None:
    listed = {voice.voice_id for voice in voices() if voice.listed}
    defaults = {p.default for p in spec.params if p.widget == "voice"}
    assert defaults <= listed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "groups: cannot be read"),
        ('{"groups": [{"language": "English", "gender": "male", "voices": []}]}', "groups: cannot be read"),
        (
            '{"groups": [{"language": "English", "gender": "both", "voices": {"A": "B"}}]}',
            "A, gender: has to be one of female, male, unknown",
        ),
        ('{"groups": [{"language": "English", "gender": "male", "voices": {"A": ""}}]}', "A, name: id, name"),
        (
            TWICE,
            "A, voice_id: is there twice",
        ),
    ],
)
def test_a_bad_file_of_voices_names_the_voice(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "voices.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadData) as caught:
        read_voices(path)
    assert str(caught.value).startswith(f"voices.json, {said}")
