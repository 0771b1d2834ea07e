"""Whatever comes in, a problem goes out: never a page, never a redirect, never a broken server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import ApiToken, Membership
from generations.models import Generation
from tests.conftest import MODEL
from tests.effort import tries
from tests.generations.api.conftest import Program


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    return program_of(bob)


def is_problem(answer: Any, status: int) -> bool:
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["type"] == f"/api/v1/docs#{body['code']}"
    return answer.status_code == body["status"] == status


@pytest.mark.parametrize(
    "path", ["", "v1", "v1/", "v1/nope", "v1/me/", "v1/models/a/b", "v2/me", "v1/docs/", "%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_an_unknown_address_is_a_problem_for_whoever_asks(path: str, method: str, bobs: Program) -> None:
    for headers in ({}, bobs.headers):
        assert is_problem(Client().generic(method, f"/api/{path}", headers=headers), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "me", "GET"),
        ("DELETE", "generations", "GET, POST"),
        ("PUT", "generations/018f0000-0000-7000-8000-000000000000", "GET, PATCH"),
        ("GET", "generations/018f0000-0000-7000-8000-000000000000/cancel", "POST"),
        ("GET", "uploads", "POST"),
        ("POST", "generations/018f0000-0000-7000-8000-000000000000/outputs/0/content", "GET, HEAD"),
        ("POST", "openapi.json", "GET, HEAD"),
        ("DELETE", "docs", "GET, HEAD"),
        ("TRACE", "models", "GET"),
        ("BREW", "models", "GET"),
    ],
)
def test_another_method_is_a_problem_that_names_the_right_one(
    method: str, path: str, allowed: str, bobs: Program
) -> None:
    answer = Client().generic(method, f"/api/v1/{path}", headers=bobs.headers)
    assert is_problem(answer, 405)
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe\xfa",
        b'{"model": NaN}',
        b'{"model": -Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 900 + b"]" * 900,
        b"[" * 30 + b"]" * 30,
        b'{"model": "a", "params": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
        b"\x00",
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(body: bytes, bobs: Program) -> None:
    assert is_problem(bobs.post("generations", body), 400)


def test_numbers_beyond_all_numbers_are_a_fault_of_the_param(bobs: Program) -> None:
    for number in ("1e999", "-1e999", "9" * 4000):
        body = f'{{"model": "minimax/speech-2.8-hd", "params": {{"text": "a", "speed": {number}}}}}'
        answer = bobs.post("generations", body.encode())
        assert is_problem(answer, 422)
        assert [one["param"] for one in answer.json()["errors"]] == ["speed"]


def test_a_body_that_is_too_large_is_a_problem(bobs: Program, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"model": MODEL, "params": {"prompt": "x" * 1000}}).encode()
    assert is_problem(bobs.post("generations", body), 413)


def test_another_host_is_a_problem_too(bobs: Program) -> None:
    assert is_problem(bobs.get("me", Host="evil.example"), 400)


def test_a_fault_of_the_portal_is_a_problem_too(bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob)
    Generation.objects.update(status="odd")
    program = Program(ApiToken.issue(bob), raises=False)
    answer = program.get(f"generations/{row.pk}")
    assert is_problem(answer, 500)
    assert b"odd" not in answer.content


def test_no_other_site_is_told_anything(bobs: Program) -> None:
    answer = bobs.get("me", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([MODEL, "minimax/speech-2.8-hd", "minimax/voice-clone"])
KEYS = (
    st.sampled_from(["prompt", "text", "speed", "format", "audio", "voice_id", "custom_voice_id", "title"])
    | st.text()
)
ORDERS = st.fixed_dictionaries(
    {"model": NAMES | JSON, "params": st.dictionaries(KEYS, JSON, max_size=5) | JSON},
    optional={"title": JSON},
)


@settings(max_examples=tries(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=ORDERS | JSON)
def test_no_json_at_all_breaks_the_door(body: Any, bobs: Program) -> None:
    answer = bobs.post("generations", json.dumps(body).encode())
    assert answer.status_code in {201, 400, 422}
    assert answer.status_code == 201 or is_problem(answer, answer.status_code)


@settings(max_examples=tries(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_no_bytes_at_all_break_the_door(body: bytes, bobs: Program) -> None:
    assert bobs.post("generations", body).status_code in {400, 422}


@settings(max_examples=tries(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.dictionaries(
        st.sampled_from(["status", "model", "author", "q", "cursor"]),
        st.text(st.characters(codec="utf-8"), max_size=40),
    )
)
def test_no_filter_breaks_the_list(asked: dict[str, str], bobs: Program) -> None:
    assert bobs.get("generations", asked).status_code in {200, 422}


@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30))
def test_no_key_breaks_the_door(key: str, bobs: Program) -> None:
    answer = bobs.post("generations", {"model": MODEL, "params": {"prompt": "Rain"}}, Idempotency_Key=key)
    assert answer.status_code in {200, 201, 422}
    Generation.objects.all().delete()
