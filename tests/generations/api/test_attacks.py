"""What somebody tries who means no good: keys of others, bodies without end, tokens of too little reach."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership
from generations.models import Generation, ShareLink
from generations.views.api import api
from tests.conftest import MODEL
from tests.generations.api.conftest import ROOT, Program

ORDER = {"model": MODEL, "params": {"prompt": "Rain"}}


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    found: Program = program_of(bob)
    return found


def test_every_operation_that_changes_something_asks_for_more_than_reading() -> None:
    """Of the operations themselves, so that a new one cannot forget it."""
    loose = [
        f"{method} {path}"
        for _prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
        if method not in ("GET", "HEAD")
        and not any(
            getattr(one, "reach", "read") in ("generate", "manage") for one in operation.auth_callbacks
        )
    ]
    assert loose == []


def test_a_token_that_only_reads_changes_nothing(alice: Membership) -> None:
    reader = Program(ApiToken.issue(alice, scopes=["read"]))
    document = api.get_openapi_schema()
    codes = set()
    for path, methods in document["paths"].items():
        for method in {"post", "patch", "delete"} & set(methods):
            place = path.removeprefix(ROOT)
            for name in ("{id}", "{generation}", "{slug}", "{index}"):
                place = place.replace(
                    name, "00000000-0000-0000-0000-000000000000" if "int" not in name else "1"
                )
            answer = reader.send(method.upper(), place, {})
            codes.add((answer.status_code, answer.json()["code"]))
    assert codes <= {(403, "scope_missing"), (404, "not_found")}
    assert (403, "scope_missing") in codes


def test_a_token_that_makes_does_not_manage(alice: Membership) -> None:
    maker = Program(ApiToken.issue(alice, scopes=["generate"]))
    for path in ("team", "domains", "notices", "retention", "connections", "trash/empty", "doctor/look"):
        answer = maker.post(path, {})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
    for path in ("team", "bill", "audit.csv", "inbox", "doctor", "connections"):
        assert maker.get(path).status_code == 403, path


@pytest.mark.parametrize("state", ["revoked", "expired", "ended", "inactive", "cut", "other"])
def test_a_token_that_opens_nothing_opens_none_of_it(state: str, bob: Membership) -> None:
    text = ApiToken.issue(bob)
    tokens = ApiToken.objects.filter(membership=bob)
    now = timezone.now()
    if state == "revoked":
        tokens.update(revoked_at=now)
    elif state == "expired":
        tokens.update(expires_at=now - timedelta(seconds=1))
    elif state == "ended":
        Membership.objects.filter(pk=bob.pk).update(ended_at=now)
    elif state == "inactive":
        type(bob.user).objects.filter(pk=bob.user_id).update(is_active=False)
    elif state == "cut":
        text = text[:-1]
    else:
        text = f"{text} {text}"
    program = Program(text)
    for answer in (program.get("shares"), program.post("drafts", ORDER), program.post("generations", ORDER)):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert not Generation.objects.exists()


def test_a_key_is_of_one_member_and_one_request(
    bobs: Program, bob: Membership, carol: Membership, program_of: Any
) -> None:
    first = bobs.post("generations", ORDER, Idempotency_Key="k")
    assert first.status_code == 201
    hers = program_of(carol).post("generations", ORDER, Idempotency_Key="k")
    assert (hers.status_code, hers.json()["author"]) == (201, "carol@example.com")
    other = bobs.post("generations", {"model": MODEL, "params": {"prompt": "Snow"}}, Idempotency_Key="k")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    batch = {"model": MODEL, "items": [{"params": {"prompt": "Rain"}}]}
    assert bobs.post("batches", batch, Idempotency_Key="k").status_code == 409
    second_token = Program(ApiToken.issue(bob))
    again = second_token.post("generations", ORDER, Idempotency_Key="k")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert Generation.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "a b", "ключ", "a\tb"])
def test_a_key_that_is_none_is_refused(key: str, bobs: Program) -> None:
    answer = bobs.post("generations", ORDER, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not Generation.objects.exists()


@pytest.mark.parametrize("path", ["generations", "drafts", "deeds", "notices", "shares/0/revoke"])
def test_a_body_without_end_is_refused_before_it_is_read(path: str, bobs: Program) -> None:
    body = b'{"model": "' + b"x" * 6_000_000 + b'"}'
    assert bobs.post(path, body).status_code in (413, 404, 403)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"{'a': 1}", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000,
        b'{"a":' * 500 + b"1" + b"}" * 500, b'{"on": true}' * 2, "\ufeff{}".encode(), b"9" * 5000,
    ],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(body: bytes, bobs: Program) -> None:
    for path in ("drafts", "generations", "searches", "deeds"):
        answer = bobs.post(path, body)
        assert answer.status_code in (400, 422), (path, answer.content)
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_content_type_is_no_way_around(bobs: Program, bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, outputs=1)
    path = f"{ROOT}generations/{row.pk}/shares"
    client = Client()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = client.post(path, data=b"--x--", content_type=kind, headers=bobs.headers)
        assert answer.status_code in (400, 422), (kind, answer.status_code)
    assert not ShareLink.objects.exists()


def test_the_session_of_a_browser_opens_nothing_here(alice: Membership) -> None:
    page = Client()
    page.force_login(alice.user)
    for path in ("shares", "team", "connections", "inbox"):
        assert page.get(f"{ROOT}{path}").status_code == 401
    answer = page.post(f"{ROOT}team", json.dumps({"name": "x"}), content_type="application/json")
    assert answer.status_code == 401
