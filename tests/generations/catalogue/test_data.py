"""Data files: a new model is data only, and a fault in one is named by file, model and field."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from generations.catalogue.load import BadData, read_models
from generations.catalogue.pricing import estimate
from generations.catalogue.spec import InvalidParams, Kind, ModelSpec
from tests.generations.catalogue.facts import UPLOAD

FILM: dict[str, Any] = {
    "endpoint": "studio/film-1/reference-to-video",
    "aliases": ["film"],
    "title": "Film 1",
    "vendor": "studio",
    "summary": "A short film from pictures.",
    "kind": "video",
    "prompt_param": "28##text",
    "sites": ["cn"],
    "usual_seconds": 120,
    "params": [
        {"key": "28##text", "type": "STRING", "label": "Prompt", "required": True, "max_length": 500},
        {
            "key": "imageUrls",
            "type": "IMAGE",
            "label": "Pictures",
            "required": True,
            "multiple": True,
            "max_count": 3,
            "accept": ["jpg", "png"],
            "max_size_mb": 10,
        },
        {"key": "videoUrl", "type": "VIDEO", "label": "Film"},
        {"use": "duration"},
        {
            "key": "styles",
            "type": "LIST",
            "label": "Styles",
            "multiple": True,
            "options": ["noir", "pop", "ink"],
        },
        {"key": "tags", "type": "STRING", "label": "Tags", "multiple": True, "max_length": 9},
        {"key": "lora", "type": "MODEL", "label": "LoRA", "max_length": 40},
        {"key": "shots", "type": "COMPLEX", "label": "Shots", "multiple": True, "max_count": 2},
        {"key": "camera", "type": "COMPLEX", "label": "Camera"},
        {"key": "seed", "type": "INT", "label": "Seed", "min": 0, "advanced": True},
        {"key": "frames", "type": "INT", "label": "Frames", "min": 1, "max": 81, "step": 8, "default": 17},
    ],
    "price": {
        "currency": "CNY",
        "unit": "second",
        "param": "duration",
        "as_of": "2026-04-29",
        "source": "a list",
        "site": "cn",
        "rules": [
            {"when": {"duration": "5"}, "amount": "0.50"},
            {"when": {"duration": "10"}, "amount": "0.40"},
        ],
    },
    "example": {"28##text": "Rain on a pier"},
}
SHARED = {
    "duration": {
        "type": "LIST",
        "label": "Length",
        "default": "5",
        "options": [["5", "5 s"], ["10", "10 s"], ["-1", "Automatic"]],
    }
}
GIVEN: dict[str, Any] = {"28##text": "Rain", "imageUrls": [UPLOAD]}
OTHER = UPLOAD.replace("0f8", "1f8")


def written(folder: Path, *entries: dict[str, Any], name: str = "film.json", **top: Any) -> Path:
    data = {"category": "video", "output": "video", "shared": SHARED, "models": list(entries)} | top
    (folder / name).write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.fixture
def film(tmp_path: Path) -> ModelSpec:
    (spec,) = read_models(written(tmp_path, FILM))
    return spec


def test_a_model_of_another_kind_needs_data_only(film: ModelSpec) -> None:
    assert (film.kind, film.output, film.category, film.sites) == (Kind.VIDEO, "video", "video", ("cn",))
    assert film.clean(GIVEN, strict=True) == GIVEN | {"duration": "5", "frames": 17}
    json.dumps(film.json_schema())
    hash(film)


def test_several_pictures_are_an_array_of_addresses(film: ModelSpec) -> None:
    params = film.clean(GIVEN | {"imageUrls": f"{UPLOAD}\n{OTHER}", "videoUrl": OTHER})
    assert film.uploads(params) == [UPLOAD, OTHER]
    body = film.body(params, {UPLOAD: "https://a.example/1", OTHER: "https://a.example/2"})
    assert body["imageUrls"] == ["https://a.example/1", "https://a.example/2"]
    assert body["videoUrl"] == "https://a.example/2"
    for wrong in ([], UPLOAD, [UPLOAD] * 4, ["https://a.example/1"], [None]):
        with pytest.raises(InvalidParams) as caught:
            film.clean(GIVEN | {"imageUrls": wrong}, strict=True)
        assert list(caught.value.errors) == ["imageUrls"]


def test_several_values_of_a_list_are_an_array_of_texts(film: ModelSpec) -> None:
    assert film.clean(GIVEN | {"styles": ["ink", "", "pop"]})["styles"] == ["ink", "pop"]
    with pytest.raises(InvalidParams) as caught:
        film.clean(GIVEN | {"styles": ["ink", "oil"]}, strict=True)
    assert caught.value.errors == {"styles": ['Entry 2: Choose "noir", "pop" or "ink".']}


def test_several_texts_are_one_line_each(film: ModelSpec) -> None:
    assert film.clean(GIVEN | {"tags": "rain\r\n\r\npier"})["tags"] == ["rain", "pier"]
    for wrong in (["rain\npier"], ["rain", " "], ["a" * 10]):
        with pytest.raises(InvalidParams) as caught:
            film.clean(GIVEN | {"tags": wrong}, strict=True)
        assert list(caught.value.errors) == ["tags"]


def test_a_structure_is_taken_as_json_or_as_its_text(film: ModelSpec) -> None:
    shots = [{"prompt": "Rain\r\n", "seconds": 2.5, "cut": None}]
    expected = [{"prompt": "Rain", "seconds": 2.5, "cut": None}]
    assert film.clean(GIVEN | {"shots": shots}, strict=True)["shots"] == expected
    assert film.clean(GIVEN | {"shots": json.dumps(shots)})["shots"] == expected
    assert film.clean(GIVEN | {"camera": '{"pan": 1}'})["camera"] == {"pan": 1}
    assert "camera" not in film.clean(GIVEN | {"camera": " ", "shots": "[]"})


@pytest.mark.parametrize(
    "camera",
    [
        "{",
        "5",
        '"x"',
        "[" * 5000,
        "1" * 9000,
        '{"a": NaN}',
        '{"a": 1e999}',
        json.dumps([0] * 2000),
        "[[[[[[[[1]]]]]]]]",
    ],
)
def test_a_structure_that_cannot_be_sent_is_refused(film: ModelSpec, camera: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        film.clean(GIVEN | {"camera": camera})
    assert list(caught.value.errors) == ["camera"]


@pytest.mark.parametrize(
    "camera", ["{}", 5, {"a": 10**400}, {"a": {1, 2}}, {1: 2}, {"a": "\x00"}, {"a": "\ud800"}]
)
def test_a_structure_of_other_things_than_json_is_refused(film: ModelSpec, camera: Any) -> None:
    with pytest.raises(InvalidParams) as caught:
        film.clean(GIVEN | {"camera": camera}, strict=True)
    assert list(caught.value.errors) == ["camera"]


def test_steps_bind_whole_numbers_and_open_bounds_have_an_end(film: ModelSpec) -> None:
    assert film.clean(GIVEN | {"frames": "25", "seed": "9" * 18})["frames"] == 25
    for key, wrong in (("frames", 24), ("seed", 2**63), ("seed", -1)):
        with pytest.raises(InvalidParams) as caught:
            film.clean(GIVEN | {key: wrong}, strict=True)
        assert list(caught.value.errors) == [key]


def test_the_price_of_a_new_model_follows_its_data(film: ModelSpec) -> None:
    assert estimate(film, film.clean(GIVEN | {"duration": "10"})).amount == Decimal(4)
    assert estimate(film, film.clean(GIVEN | {"duration": "-1"})).amount is None
    assert film.price is not None
    assert film.price.amount == Decimal("0.40")


def test_models_stand_in_the_order_of_kinds_and_then_of_files(tmp_path: Path) -> None:
    song = {**FILM, "endpoint": "a/song", "kind": "song", "aliases": []}
    later = {**FILM, "endpoint": "a/later", "aliases": []}
    written(tmp_path, later, name="z.json")
    written(tmp_path, FILM, song, name="a.json")
    assert [spec.endpoint for spec in read_models(tmp_path)] == ["a/song", FILM["endpoint"], "a/later"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """FILM with one place changed; "params.0.min" walks in, and `...` as value takes the place out."""
    entry = copy.deepcopy(FILM)
    *steps, last = path.split(".")
    place: Any = entry
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return entry


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("title", ..., "title: is missing"),
        ("title", " ", "title: has to say something"),
        ("kind", "noise", "kind: 'noise' is not a valid Kind"),
        ("output", "smell", "output: has to be one of"),
        ("colour", "red", "colour: is not a field"),
        ("endpoint", "film?x=1", "endpoint: has to be a path"),
        ("sites", ["mars"], "sites: has to be one of 'ai', 'cn'"),
        ("usual_seconds", 0, "usual_seconds: has to be a whole number from 1"),
        ("prompt_param", "text", "prompt_param: is not the key of a param"),
        ("params", [], "params: is empty"),
        ("params", ["x"], "params: holds something that is not an object"),
        ("params", [{"use": "nothing"}], "params.use: 'nothing' is not a shared param"),
        ("params.1.type", "PICTURE", "params.imageUrls.type: 'PICTURE' is not a valid ParamType"),
        ("params.2.key", "imageUrls", "params: holds a key twice"),
        ("params.3.default", "7", "params.duration.default: Choose"),
        ("params.3.default", 5, "params.duration.default: Choose"),
        ("params.4.options", ["ink", "ink"], "params.styles.options: hold a value twice"),
        ("params.4.options", ..., "params.styles.options: belong to LIST"),
        ("params.9.max", -1, "params.seed.max: is below the minimum"),
        ("params.9.min", "0", "params.seed.min: has to be a number"),
        ("params.9.hidden", True, "params.seed.default: is needed by a hidden param"),
        ("params.10.default", 17.0, "params.frames.default: is not in wire type; write 17"),
        ("params.0.min_length", 501, "params.28##text.max_length: is below the minimum"),
        ("params.0.pattern", "(", "params.28##text.pattern: is not a regular expression"),
        ("params.0.pattern", "a+", "params.28##text.pattern_help: goes with a pattern"),
        ("params.0.widget", "knob", "params.28##text.widget: has to be one of"),
        ("params.0.required", 1, "params.28##text.required: has to be true or false"),
        ("price", {}, "price.currency: is missing"),
        ("price", 5, "price: has to be an object"),
        ("price.unit", "hour", "price.unit: has to be a call, or a count"),
        ("price.param", "", "price.param: names the param that is counted"),
        ("price.rules", [], "price.amount: is missing"),
        ("price.rules", [{"when": {"size": "5"}, "amount": "1"}], "price.rules: name a param"),
        (
            "price.rules",
            [{"when": {"duration": "5"}, "amount": "0.00"}],
            "price.rules: has to be an amount above",
        ),
        ("price.as_of", "yesterday", "price.as_of: Invalid isoformat"),
        ("example", {}, "example: 28##text: Fill this in"),
        ("example", {"28##text": "Rain", "x": 1}, "example: x: Film 1 has no setting"),
    ],
)
def test_a_fault_is_named_by_file_model_and_field(tmp_path: Path, path: str, value: Any, said: str) -> None:
    with pytest.raises(BadData) as caught:
        read_models(written(tmp_path, changed(path, value)))
    name = value if path == "endpoint" else FILM["endpoint"]
    assert str(caught.value).startswith(f"film.json, {name}, {said}")
    assert caught.value.file == "film.json"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "film.json: cannot be read"),
        ("[]", "film.json, models: has to be a list"),
        ('{"models": 5}', "film.json, models: has to be a list"),
        ('{"models": [], "colour": 1}', "film.json, colour: is not a field of a file"),
        ('{"models": [], "shared": []}', "film.json, shared: has to be an object"),
        ('{"models": [5]}', "film.json, models: holds something that is not an object"),
    ],
)
def test_a_file_of_another_shape_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "film.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadData) as caught:
        read_models(tmp_path)
    assert str(caught.value).startswith(said)


def test_two_models_cannot_have_one_name(tmp_path: Path) -> None:
    written(tmp_path, FILM)
    written(tmp_path, {**FILM, "endpoint": "a/b", "aliases": ["film"]}, name="more.json")
    with pytest.raises(BadData) as caught:
        read_models(tmp_path)
    assert str(caught.value) == f"more.json, a/b, endpoint: film is already a name of {FILM['endpoint']}"
