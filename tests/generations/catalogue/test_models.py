from __future__ import annotations

import json
from decimal import Decimal

import pytest

from generations.catalogue.load import UnknownModel, get, models
from generations.catalogue.spec import Kind, MissingAddress, ModelSpec, ParamType
from tests.generations.catalogue.facts import ADDRESS, ENDPOINTS, FACTS, GIVEN, SOUNDS, UPLOAD, refusals


def test_the_models_are_the_documented_ones_in_the_order_of_the_picker() -> None:
    assert sorted(spec.endpoint for spec in SOUNDS) == ENDPOINTS
    kinds = [list(Kind).index(spec.kind) for spec in models()]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_keys_types_defaults_and_bounds_are_the_documented_ones(endpoint: str) -> None:
    spec = get(endpoint)
    assert [param.key for param in spec.params] == [fact["key"] for fact in FACTS[endpoint]["keys"]]
    for param, fact in zip(spec.params, FACTS[endpoint]["keys"], strict=True):
        assert param.type == ParamType(fact["type"])
        allotted = (
            param.widget == "new_voice"
        )  # needed upstream, and given by the portal when a person gives none
        assert param.required is (fact["required"] and not allotted), param.key
        if param.key != "voice_id":
            assert json.dumps(param.default) == json.dumps(fact.get("default")), param.key
        assert [option.value for option in param.options] == fact.get("values", [])
        for bound in ("min", "max", "step"):
            expected = Decimal(str(fact[bound])) if bound in fact else None
            assert getattr(param, bound) == expected, (param.key, bound)
        assert param.multiple is fact.get("multiple", False)
        assert param.max_count == fact.get("max_count")
        assert param.max_size_mb == fact.get("max_size_mb")
        assert list(param.accept) == fact.get("files", [])
        for bound in ("min_length", "max_length"):
            if bound in fact:
                assert getattr(param, bound) == fact[bound]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_prices_are_the_documented_ones(endpoint: str) -> None:
    price = get(endpoint).price
    if FACTS[endpoint]["price"] is None:
        assert price is None
        return
    amount, currency, unit, day, kind = FACTS[endpoint]["price"]
    assert price is not None
    if "times" in FACTS[endpoint]:
        assert (price.unit, price.param) == ("take", FACTS[endpoint]["times"])
        unit = price.unit
    assert (price.amount, price.currency, price.unit) == (Decimal(amount), currency, unit)
    assert price.as_of.isoformat() == day
    assert price.starting is (kind == "starting_price")
    assert price.source
    assert price.site == "cn"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_model_is_found_by_slug_endpoint_and_documented_name(endpoint: str) -> None:
    spec = get(endpoint)
    named = FACTS[endpoint]["named"]
    for name in (spec.slug, endpoint, named, named.replace("/", "--")):
        assert get(name) is spec
    assert spec.slug == endpoint.replace("/", "--")


@pytest.mark.parametrize("name", ["", "minimax", "MINIMAX/VOICE-CLONE", "minimax/voice-clone/", "../etc"])
def test_another_name_is_an_unknown_model(name: str) -> None:
    with pytest.raises(UnknownModel):
        get(name)


def test_a_param_that_is_not_there_raises_key_error() -> None:
    assert get("minimax/voice-clone").param("text").label == "Preview text"
    with pytest.raises(KeyError):
        get("minimax/voice-clone").param("prompt")


def every_word(spec: ModelSpec) -> list[str]:
    words = [spec.title, spec.summary, *spec.notes, *(rule.say for rule in spec.rules)]
    for param in spec.params:
        words += [param.label, param.help, param.pattern_help, *(o.label for o in param.options)]
    return [word for word in words if word]


@pytest.mark.parametrize("spec", SOUNDS, ids=lambda spec: spec.slug)
def test_words_are_calm_and_every_param_says_what_it_does(spec: ModelSpec) -> None:
    assert not [word for word in every_word(spec) if "!" in word]
    assert all(param.help.endswith(".") for param in spec.params)
    assert spec.summary.endswith(".")
    assert all(word[0].isupper() or word[0].isdigit() for word in every_word(spec))


def test_the_first_documented_request_is_reproduced_to_the_letter() -> None:
    spec = get("minimax/music-2.6/text-to-instrumental")
    params = spec.clean({"prompt": "Calm piano"})
    assert json.dumps(spec.body(params, {})) == json.dumps(
        {"prompt": "Calm piano", "sampleRate": "44100", "bitrate": "256000", "format": "mp3"}
    )


def test_the_documented_voice_clone_request_is_reproduced_to_the_letter() -> None:
    spec = get("minimax/voice-clone")
    params = spec.clean(
        {
            "language_boost": "auto",
            "audio": UPLOAD,
            "accuracy": "0.7",
            "custom_voice_id": "Harbour01",
            "text": "Good morning",
        }
    )
    assert json.dumps(spec.body(params, {UPLOAD: ADDRESS})) == json.dumps(
        {
            "audio": ADDRESS,
            "custom_voice_id": "Harbour01",
            "text": "Good morning",
            "accuracy": 0.7,
            "need_noise_reduction": False,
            "need_volume_normalization": False,
            "model": "speech-02-hd",
            "language_boost": "auto",
        }
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_least_a_member_gives_makes_a_body_the_upstream_takes(endpoint: str) -> None:
    spec = get(endpoint)
    body = spec.body(spec.clean(GIVEN[endpoint], strict=True), {UPLOAD: ADDRESS})
    assert refusals(endpoint, body) == []


@pytest.mark.parametrize("spec", SOUNDS, ids=lambda spec: spec.slug)
def test_the_example_is_a_good_first_request(spec: ModelSpec) -> None:
    media = {param.key: UPLOAD for param in spec.params if param.type.is_media and param.required}
    body = spec.body(spec.clean({**media, **spec.example}, strict=True), {UPLOAD: ADDRESS})
    assert refusals(spec.endpoint, body) == []


def test_a_body_without_the_address_of_its_upload_is_not_built() -> None:
    spec = get("minimax/voice-clone")
    params = spec.clean(GIVEN[spec.endpoint])
    assert spec.uploads(params) == [UPLOAD]
    with pytest.raises(MissingAddress):
        spec.body(params, {})


def test_a_body_shares_no_list_with_the_params() -> None:
    spec = get("minimax/speech-2.8-turbo")
    params = spec.clean({"text": "Ask ASAP", "pronunciation_dict": "ASAP/As soon as possible"})
    spec.body(params, {})["pronunciation_dict"].append("x/y")
    assert params["pronunciation_dict"] == ["ASAP/As soon as possible"]
