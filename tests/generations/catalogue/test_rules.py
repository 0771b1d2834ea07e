"""Params that need or exclude one another: said at each field concerned, by form, REST and schema alike."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from generations.catalogue.load import BadData, get, read_models
from generations.catalogue.results import id_in
from generations.catalogue.spec import InvalidParams, ModelSpec
from tests.generations.catalogue.facts import APART, GIVEN, NEEDED, SOUNDS, UPLOAD, refusals

CN = get("minimax/music-2.6")
COVER = get("minimax/music-cover")
DOUBAO = get("bytedance/doubao-seed-audio-1.0")
SONG = get("mureka-ai/mureka-v9/generate-song")
WORDS = "[Verse]\nSalt on the window"
ONE_OF_THESE = "Use one of these: a speaker, recordings or a picture."


def faults(spec: ModelSpec, changed: dict[str, Any], *, strict: bool = True) -> dict[str, list[str]]:
    try:
        spec.clean({**GIVEN[spec.endpoint], **changed}, strict=strict)
    except InvalidParams as invalid:
        return invalid.errors
    return {}


@pytest.mark.parametrize("strict", [True, False])
def test_what_excludes_one_another_is_said_at_each(strict: bool) -> None:
    given = {"speaker": "zh_female_1", "audio_url": [UPLOAD], "image_url": UPLOAD}
    assert faults(DOUBAO, given, strict=strict) == {key: [ONE_OF_THESE] for key in given}
    for key, value in given.items():
        assert faults(DOUBAO, {key: value}, strict=strict) == {}
    for left_out in given:
        two = {key: value for key, value in given.items() if key != left_out}
        assert faults(DOUBAO, two, strict=strict) == {key: [ONE_OF_THESE] for key in two}


def test_an_empty_value_excludes_nothing() -> None:
    assert faults(DOUBAO, {"speaker": "  ", "audio_url": [UPLOAD], "image_url": ""}, strict=False) == {}
    assert faults(SONG, {"melodyId": "", "prompt": "folk", "vocalId": "ab12"}, strict=False) == {}


def test_a_melody_stands_alone() -> None:
    assert set(faults(SONG, {"melodyId": "m1", "prompt": "folk"})) == {"melodyId", "prompt"}
    assert set(faults(SONG, {"melodyId": "m1", "referenceId": "r", "vocalId": "v"})) == {
        "melodyId", "referenceId", "vocalId",
    }  # fmt: skip
    assert faults(SONG, {"melodyId": "m1"}) == {}
    assert faults(SONG, {"prompt": "folk", "vocalId": "v"}) == {}


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({}, ["lyrics"]),
        ({"prompt": "folk"}, ["lyrics"]),
        ({"lyrics": WORDS}, []),
        ({"isInstrumental": True}, ["prompt"]),
        ({"isInstrumental": True, "lyrics": WORDS}, ["prompt"]),
        ({"isInstrumental": True, "prompt": "folk"}, []),
        ({"lyricsOptimizer": True}, ["lyrics", "prompt"]),
        ({"lyricsOptimizer": True, "prompt": "folk"}, []),
        ({"lyricsOptimizer": True, "lyrics": WORDS}, []),
        ({"isInstrumental": True, "lyricsOptimizer": True, "prompt": "folk"}, []),
    ],
)
def test_what_music_needs_follows_its_switches(given: dict[str, Any], at: list[str]) -> None:
    form = {key: "true" if value is True else value for key, value in given.items()}
    for raw, strict in ((given, True), (form, False)):
        if not at:
            CN.clean(raw, strict=strict)
            continue
        with pytest.raises(InvalidParams) as caught:
            CN.clean(raw, strict=strict)
        assert list(caught.value.errors) == at
        assert len(caught.value.conflicts) == 1


def test_a_prepared_recording_needs_its_lyrics() -> None:
    assert list(faults(COVER, {"coverFeatureId": "f-1"})) == ["lyrics"]
    assert faults(COVER, {"coverFeatureId": "f-1", "lyrics": WORDS}) == {}


def test_a_rule_waits_until_its_params_can_be_read() -> None:
    (said,) = faults(COVER, {"coverFeatureId": "f-1", "lyrics": "short"})["lyrics"]
    assert said.startswith("At least 10 characters")
    wrong = faults(CN, {"isInstrumental": "perhaps", "lyrics": ""}, strict=False)
    assert list(wrong) == ["isInstrumental"]


@pytest.mark.parametrize("spec", [s for s in SOUNDS if s.rules], ids=lambda spec: spec.slug)
def test_schema_rules_and_documented_facts_say_the_same(spec: ModelSpec) -> None:
    """Every choice of optional values, judged three times."""
    validator = jsonschema_rs.Draft202012Validator(spec.json_schema())
    keys = sorted(set().union(*(rule.keys for rule in spec.rules)))
    required = {k: v for k, v in GIVEN[spec.endpoint].items() if k not in keys}
    values = {key: _values(spec, key) for key in keys}
    seen = set()
    for chosen in itertools.product(*values.values()):
        params = required | {k: v for k, v in zip(keys, chosen, strict=True) if v is not None}
        try:
            cleaned = spec.clean(params, strict=True)
        except InvalidParams:
            accepted = False
        else:
            accepted = True
            address = {UPLOAD: "https://files.example/voice.wav"}
            assert refusals(spec.endpoint, spec.body(cleaned, address)) == []
        assert validator.is_valid(params) is accepted, params
        body = {k: v for k, v in params.items() if v not in ("", " ", [])}
        known = [pair for pair in APART.get(spec.endpoint, []) if set(pair) <= set(body)]
        missing = NEEDED.get(spec.endpoint, lambda _: set())(body) - set(body)
        assert accepted is not bool(known or missing), params
        seen.add(accepted)
    assert seen == {True, False}


def _values(spec: ModelSpec, key: str) -> list[Any]:
    param = spec.param(key)
    if param.type.value == "BOOLEAN":
        return [None, True, False]
    if param.type.is_media:
        return [None, [UPLOAD] if param.multiple else UPLOAD]
    empty = [] if param.min_length else [""]
    return [None, *empty, "some words, long enough"]


PLAIN: dict[str, Any] = {
    "endpoint": "studio/song",
    "title": "Song",
    "vendor": "studio",
    "summary": "A song.",
    "kind": "song",
    "output": "audio",
    "params": [
        {"key": "words", "type": "STRING", "label": "Words"},
        {"key": "style", "type": "STRING", "label": "Style"},
        {"key": "sung", "type": "BOOLEAN", "label": "Sung", "default": True},
        {"key": "id", "type": "STRING", "label": "Id", "widget": "result",
         "result_of": ["studio--song"], "result_keys": ["songId"]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (5, "holds something that is not an object"),
        ({"given": ["words"], "needs": ["style"]}, "say: is missing"),
        ({"say": "No.", "given": ["words"], "colour": "red"}, "colour: is not a field"),
        ({"say": "No.", "given": ["words"]}, "need either needs or excludes"),
        ({"say": "No.", "given": ["words"], "needs": ["style"], "excludes": ["id"]}, "need either needs or"),
        ({"say": "No.", "excludes": ["style"]}, "need a given, a when or a needs"),
        ({"say": "No.", "given": ["tune"], "needs": ["style"]}, "name tune, which is not the key"),
        ({"say": "No.", "given": ["sung"], "needs": ["style"]}, "ask whether sung is given, which it always"),
        ({"say": "No.", "when": {"sung": "loud"}, "needs": ["style"]}, "name a value of sung that it cannot"),
        ({"say": "No.", "when": {"sung": "yes"}, "needs": ["style"]}, "in another way than it is sent"),
        ({"say": "No.", "when": {"sung": True}, "needs": ["style"]}, "when: has to be text"),
    ],
)
def test_a_rule_that_cannot_work_is_named(tmp_path: Path, rule: Any, said: str) -> None:
    with pytest.raises(BadData) as caught:
        read_models(written(tmp_path, {**PLAIN, "rules": [rule]}))
    assert caught.value.field == "rules"
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"result_of": ["studio--film"]}, "studio--film is not the slug of a model"),
        ({"result_of": ["studio/song"]}, 'has to hold slugs, which have "--" for "/"'),
        ({"result_of": []}, 'and result_keys go with the widget "result"'),
        ({"result_keys": []}, 'and result_keys go with the widget "result"'),
        ({"widget": ""}, 'and result_keys go with the widget "result"'),
        ({"type": "INT"}, "belongs to one STRING"),
    ],
)
def test_a_param_of_earlier_results_says_whose(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    model = copy.deepcopy(PLAIN)
    model["params"][3] |= changes
    with pytest.raises(BadData) as caught:
        read_models(written(tmp_path, model))
    assert caught.value.field == "params.id.result_of"
    assert said in str(caught.value)


def written(folder: Path, model: dict[str, Any]) -> Path:
    (folder / "song.json").write_text(json.dumps({"models": [model]}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v-12_a.b", "v-12_a.b"),
        ("  v-12 \n", "v-12"),
        ('{"vocalId": "v-12"}', "v-12"),
        ('{"data": [{"vocal_id": 12}], "id": "other"}', "12"),
        ('{"id": "v-12"}', "v-12"),
        ('"v-12"', "v-12"),
        ("Vocal id: v-12\nDone.", "v-12"),
        ("vocalId=v-12", "v-12"),
        ("The voice is ready.", ""),
        ('{"vocalId": null, "text": "none"}', ""),
        ("[" * 100_000, ""),
        ("", ""),
    ],
)
def test_an_id_is_read_out_of_whatever_a_result_says(text: str, found: str) -> None:
    assert id_in(SONG.param("vocalId"), text) == found


def test_a_result_pasted_as_a_whole_gives_its_id_to_a_form_and_not_to_a_program() -> None:
    pasted = '{"cover_feature_id": "f-1", "formatted_lyrics": "[Verse]\\nSalt"}'
    given = GIVEN[COVER.endpoint] | {"lyrics": WORDS, "coverFeatureId": pasted}
    assert COVER.clean(given)["coverFeatureId"] == "f-1"
    assert COVER.clean(given, strict=True)["coverFeatureId"] == pasted
