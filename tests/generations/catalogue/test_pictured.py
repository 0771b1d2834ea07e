from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest

from generations.catalogue.load import get, models
from generations.catalogue.spec import EXTRA, InvalidParams, Kind, ModelSpec
from tests.effort import thorough
from tests.generations.catalogue.facts import FACTS
from tests.generations.catalogue.pictured import PICTURED, refused

UPLOAD = "upload:0f8fad5b-d9cb-469f-a165-70867728950e"
ADDRESS = "https://files.example/harbour.png"
QUICK = {
    "kling-v3-4k/image-to-video",
    "rhart-image/f-2-dev/edit-lora",
    "kling-elements-advanced",
    "meshy6/text-to-3d",
}
EACH = [endpoint if endpoint in QUICK else thorough(endpoint) for endpoint in PICTURED]


def least(spec: ModelSpec) -> dict[str, Any]:
    """The example, with a file wherever one is needed."""
    media = {p.key: [UPLOAD] if p.multiple else UPLOAD for p in spec.params if p.type.is_media and p.required}
    return media | dict(spec.example)


def test_the_catalogue_has_every_documented_model_and_no_other() -> None:
    assert {spec.endpoint for spec in models()} == set(PICTURED) | set(FACTS)
    assert len({spec.title for spec in models()}) == len(models()) == 374
    assert sorted(fact["row"] for fact in PICTURED.values() if "row" in fact) == list(range(25, 268))


@pytest.mark.parametrize("endpoint", EACH)
def test_keys_types_defaults_and_bounds_are_the_documented_ones(endpoint: str) -> None:
    spec = get(endpoint)
    assert [param.sent_as for param in spec.params] == [fact["key"] for fact in PICTURED[endpoint]["keys"]]
    for param, fact in zip(spec.params, PICTURED[endpoint]["keys"], strict=True):
        assert param.type.value == fact["type"]
        assert param.key == fact.get("alias", fact["key"])
        assert param.required is fact.get("required", False), param.key
        assert [option.value for option in param.options] == fact.get("values", [])
        if param.type.value not in ("BOOLEAN", "LIST"):
            assert json.dumps(param.default) == json.dumps(fact.get("default")), param.key
        for bound in ("min", "max", "step"):
            expected = Decimal(str(fact[bound])) if bound in fact else None
            assert getattr(param, bound) == expected, (param.key, bound)
        assert param.multiple is fact.get("multiple", False)
        if param.type.is_media and param.multiple:
            assert param.max_count == fact["max_count"]
        assert param.max_size_mb == fact.get("max_size_mb")
        assert list(param.accept) == fact.get("files", [])
        for bound in ("min_length", "max_length"):
            assert getattr(param, bound) == fact.get(bound)


@pytest.mark.parametrize("endpoint", EACH)
@pytest.mark.parametrize("site", ["ai", "cn"])
def test_the_example_makes_a_body_that_each_site_takes(endpoint: str, site: str) -> None:
    spec = get(endpoint)
    if spec.facts == "name":
        with pytest.raises(InvalidParams):
            spec.clean({}, strict=True)
        return
    params = spec.clean(least(spec), strict=True)
    body = spec.body(params, {UPLOAD: ADDRESS}, site)
    assert spec.received(body) == spec.resolved(params, {UPLOAD: ADDRESS})
    if not any(param.wire_values for param in spec.params) or site == "cn":
        assert refused(endpoint, body) == []
    assert jsonschema_rs.validator_for(spec.json_schema()).is_valid(params)


def test_a_shape_goes_to_ai_as_its_place_and_to_cn_as_it_is() -> None:
    spec = get("rhart-image/z-image/turbo")
    params = spec.clean({"prompt": "Rain", "aspectRatio": "16:9"}, strict=True)
    assert spec.body(params, {}, "ai")["28##select"] == "5"
    assert spec.body(params, {}, "cn")["28##select"] == "16:9"
    assert spec.body(params, {})["28##select"] == "16:9"


def test_a_setting_may_be_named_as_upstream_calls_it_but_not_twice() -> None:
    spec = get("rhart-image/z-image/turbo")
    wire = spec.param("prompt").wire_key
    assert spec.clean({wire: "Rain"}, strict=True)["prompt"] == "Rain"
    with pytest.raises(InvalidParams) as caught:
        spec.clean({wire: "Rain", "prompt": "Sun"}, strict=True)
    assert list(caught.value.errors) == [wire]


def test_settings_that_nobody_described_go_beside_the_known_ones() -> None:
    spec = get("kling-v3.0-4k/motion-control")
    params = spec.clean({EXTRA: '{"prompt": "Dance", "imageUrl": "https://x.example/a.png"}'})
    assert spec.body(params, {}) == {"prompt": "Dance", "imageUrl": "https://x.example/a.png"}
    assert spec.clean(params, strict=True) == params


@pytest.mark.parametrize(
    "extra",
    [
        "{",
        "[]",
        '"x"',
        {"prompt": "x"},
        {"webhookUrl": "https://x.example"},
        {"_extra": {}},
        {"a": "\x00"},
        5,
    ],
)
def test_what_cannot_be_sent_beside_them_is_refused_at_its_place(extra: Any) -> None:
    with pytest.raises(InvalidParams) as caught:
        get("rhart-image/z-image/turbo").clean({"prompt": "Rain", EXTRA: extra})
    assert list(caught.value.errors) == [EXTRA]


def test_a_video_or_its_id_is_needed_and_never_both() -> None:
    spec = get("kling-lip-sync/identify-face")
    for given, faulty in (
        ({}, True),
        ({"videoId": "1"}, False),
        ({"videoId": "1", "videoUrl": UPLOAD}, True),
    ):
        schema = jsonschema_rs.validator_for(spec.json_schema())
        assert schema.is_valid(given) is not faulty
        if faulty:
            with pytest.raises(InvalidParams) as caught:
                spec.clean(given, strict=True)
            assert sorted(caught.value.errors) == ["videoId", "videoUrl"]
        else:
            assert spec.clean(given, strict=True) == given


def test_shots_are_read_entry_by_entry() -> None:
    spec = get("kling-video-o3-pro/text-to-video")
    base = dict(spec.example)
    shots = [{"prompt": "Waves", "duration": "4"}, {"prompt": "Gulls", "duration": 5, "index": 2}]
    read = spec.clean(base | {"multiPrompt": json.dumps(shots)})["multiPrompt"]
    assert read == [{"prompt": "Waves", "duration": 4}, {"prompt": "Gulls", "duration": 5, "index": 2}]
    assert spec.clean(base | {"multiPrompt": read}, strict=True)["multiPrompt"] == read
    for wrong in ([{"prompt": "x", "duration": "99"}], ["x"], [{"prompt": "x"}] * 7):
        with pytest.raises(InvalidParams) as caught:
            spec.clean(base | {"multiPrompt": json.dumps(wrong)})
        assert list(caught.value.errors) == ["multiPrompt"]


@pytest.mark.parametrize("kind", [Kind.PICTURE, Kind.VIDEO, Kind.OBJECT, Kind.TEXT])
def test_words_are_calm_and_end_in_a_full_stop(kind: Kind) -> None:
    for spec in models():
        if spec.kind != kind:
            continue
        assert spec.summary.endswith(".")
        said = [spec.title, spec.summary, *spec.notes, *(rule.say for rule in spec.rules)]
        said += [word for param in spec.params for word in (param.label, param.help) if word]
        assert not [
            word
            for word in said
            if "!" in word or not (word[0].isupper() or word[0].isdigit() or word[0] == "“")
        ]
        assert all(param.help.endswith(".") for param in spec.params if param.help), spec.slug
