"""Whatever arrives, the answer is clean params the upstream takes, or InvalidParams. Never anything else."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.catalogue.load import get
from generations.catalogue.spec import InvalidParams, ModelSpec, ParamSpec, ParamType
from tests.effort import thorough, tries
from tests.generations.catalogue.facts import ADDRESS, SOUNDS, UPLOAD, refusals

SPECS = {spec.slug: spec for spec in SOUNDS}
MUSIC = "minimax--music-2.6--text-to-music"
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=tries(120))

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.sampled_from(["1e400", "nan", "-inf", "\ud800", "\x00", "9" * 5000, "1" * 41, "0,5", UPLOAD, " "]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def plausible(param: ParamSpec) -> st.SearchStrategy[Any]:
    """Values that often pass, so that the properties of clean params are really tried."""
    if param.options:
        return st.sampled_from([option.value for option in param.options])
    if param.type is ParamType.BOOLEAN:
        return st.booleans() | st.sampled_from(["on", "off", "true", "no", ""])
    if param.type.is_number:
        low, high = float(param.min or 0), float(param.max or 1)
        number = st.floats(low, high) | st.integers(int(low), int(high))
        return number | number.map(str) | st.integers(-12, 12)
    if param.type.is_media:
        return st.just(UPLOAD)
    if param.widget == "pairs":
        pair = st.from_regex(r"\A[a-z ]{1,9}/[a-z ]{1,9}\Z")
        return st.lists(pair, max_size=2) | st.lists(pair, max_size=2).map("\r\n".join)
    if param.key == "custom_voice_id":
        return st.from_regex(r"\A ?[A-Za-z][A-Za-z0-9]{7,20}\n?\Z")
    return st.text(max_size=60) | st.text(
        st.sampled_from("ab \r\n\t\x85\u2028\u00a0\u200b\ufeff🎻"), max_size=60
    )


@st.composite
def requests(draw: st.DrawFn, spec: ModelSpec, *, hostile: bool) -> Any:
    raw: dict[str, Any] = {}
    for param in spec.params:
        if draw(st.integers(0, 9)):
            value = plausible(param)
            raw[param.key] = draw(value | anything if hostile else value)
    if hostile:
        raw |= draw(st.dictionaries(st.text(st.characters(codec=None), max_size=8), anything, max_size=3))
    return raw


def check_sentences(error: InvalidParams) -> None:
    assert error.errors
    for key, sentences in error.errors.items():
        assert sentences
        assert all(s[0].isupper() or s[0].isdigit() for s in sentences), sentences
        assert all(s.endswith(".") and len(s) < 400 for s in sentences), sentences
        json.dumps({key: sentences}, ensure_ascii=False).encode("utf-8")


def check(spec: ModelSpec, raw: Any, *, strict: bool) -> bool:
    """True when the request was taken; the properties of both answers are asserted."""
    try:
        params = spec.clean(raw, strict=strict)
    except InvalidParams as error:
        check_sentences(error)
        return False
    wire = json.dumps(params, allow_nan=False, ensure_ascii=False)
    wire.encode("utf-8")
    for again in (spec.clean(params, strict=True), spec.clean(params, strict=False)):
        assert json.dumps(again, ensure_ascii=False) == wire
    named = {p.key: "Harbour01" for p in spec.params if p.widget == "new_voice"}  # as the door allots one
    body = spec.body(named | params, {UPLOAD: ADDRESS} | dict.fromkeys(spec.uploads(params), ADDRESS))
    assert refusals(spec.endpoint, body) == []
    jsonschema_rs.Draft202012Validator(spec.json_schema()).validate(params)
    spec.display(params)
    assert set(spec.differs(params)) <= set(params)
    return True


@pytest.mark.parametrize("slug", [MUSIC, *map(thorough, sorted(SPECS.keys() - {MUSIC}))])
@pytest.mark.parametrize("strict", [True, False])
@given(data=st.data())
@relaxed
def test_hostile_requests_are_refused_in_words_or_taken_safely(
    slug: str, *, strict: bool, data: st.DataObject
) -> None:
    check(SPECS[slug], data.draw(requests(SPECS[slug], hostile=True)), strict=strict)


@pytest.mark.parametrize("slug", [MUSIC, *map(thorough, sorted(SPECS.keys() - {MUSIC}))])
@given(data=st.data())
@relaxed
def test_clean_params_are_settled_and_make_a_body_the_upstream_takes(slug: str, data: st.DataObject) -> None:
    check(SPECS[slug], data.draw(requests(SPECS[slug], hostile=False)), strict=False)


@given(raw=anything, strict=st.booleans())
@relaxed
def test_a_request_of_any_shape_is_answered(raw: Any, *, strict: bool) -> None:
    assert not check(get("minimax/voice-clone"), raw, strict=strict)


@given(key=st.text(st.characters(codec=None)) | st.integers() | st.none() | st.binary(), strict=st.booleans())
@relaxed
def test_a_key_of_any_shape_is_answered(key: Any, *, strict: bool) -> None:
    spec = get("minimax/speech-2.8-hd")
    if key not in {param.key for param in spec.params}:
        assert not check(spec, {"text": "Hello", key: 1}, strict=strict)
