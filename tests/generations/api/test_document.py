"""The OpenAPI document against the API, and the page made from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.models import ApiToken, Membership
from generations.catalogue import load
from generations.views.api import api
from generations.views.api.problems import KINDS
from tests.effort import THOROUGH, tries
from tests.generations.api.conftest import Program

load_all_checks()
FEW = settings(
    max_examples=tries(8),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
JUDGED = (
    {
        f"POST /api/v1/{path}"
        for path in (
            *(
                "generations",
                "uploads",
                "batches",
                "batches/csv",
                "batches/preview",
                "webhooks",
                "webhooks/{id}",
            ),
            *(
                "members",
                "members/{id}/role",
                "members/{id}/end",
                "invitations",
                "allowances",
                "topups",
                "requests",
            ),
            *(
                "requests/{id}/decide",
                "prices/{slug}",
                "model-rules",
                "presets",
                "voices/{id}",
                "voices/{id}/keep",
            ),
        )
    }
    | {f"GET /api/v1/{path}" for path in ("changes", "reports", "reports/receipts.csv")}
    | {
        "PATCH /api/v1/generations/{id}",
        "POST /api/v1/collections",
    }
)
"""A schema says what a request looks like; whether an upload exists or a file is sound is judged later, by 422."""


portal = get_wsgi_application()


def closing(environ: Any, start_response: Any) -> list[bytes]:
    """The portal, with every answer closed as a server closes it."""
    answer = portal(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()  # type: ignore[attr-defined]


def documented() -> Any:
    """The document as schemathesis reads it, with two models instead of all."""
    document = json.loads(json.dumps(api.get_openapi_schema()))
    orders = document["components"]["schemas"]["NewGeneration"]["oneOf"]
    orders[:] = [order for order in orders if order["title"] in {"Music 2.6 Instrumental", "Speech 2.8 HD"}]
    assert len(orders) == 2
    schema = schemathesis.openapi.from_dict(document)
    schema.app = closing
    return schema


described = documented()
if not THOROUGH:
    described = described.include(
        method="GET", path_regex="generations|usage"
    )  # making cases takes seconds each


@pytest.fixture
def server(settings: Any) -> Iterator[None]:
    """The application under its own handler, which must not close the connection that holds the test's rows."""
    settings.ALLOWED_HOSTS = ["*"]
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def authorization(membership: Membership, make_generation: Any) -> dict[str, str]:
    make_generation(membership, outputs=1)
    return {"Authorization": f"Bearer {ApiToken.issue(membership)}"}


def judge(case: Any, headers: dict[str, str]) -> None:
    """Sends it and checks the answer. A case is its own transaction: it may end the membership that asks."""
    excluded = [positive_data_acceptance] if case.operation.label in JUDGED else []
    with transaction.atomic():
        case.call_and_validate(headers=headers, excluded_checks=excluded)
        transaction.set_rollback(True)


@pytest.mark.thorough
@described.parametrize()
@FEW
def test_every_answer_is_as_documented(
    case: Any, mona: Membership, make_generation: Any, server: None
) -> None:
    """To a manager."""
    judge(case, authorization(mona, make_generation))


@described.parametrize()
@FEW
@pytest.mark.thorough
def test_every_answer_to_a_member_is_as_documented(
    case: Any, bob: Membership, make_generation: Any, server: None
) -> None:
    judge(case, authorization(bob, make_generation))


@pytest.mark.thorough
def test_every_model_has_its_params_in_the_document(anonymous: Program) -> None:
    document = anonymous.get("openapi.json").json()
    schemas = document["components"]["schemas"]
    for spec in load.models():
        name = f"params.{spec.slug.replace('[', '_').replace(']', '_')}"
        assert schemas[name]["properties"] == spec.json_schema()["properties"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in schemas)
    assert len(schemas["NewGeneration"]["oneOf"]) == len(load.models())
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= set(schemas)


@pytest.mark.thorough
def test_refusals_are_documented_as_problems_with_their_challenge(anonymous: Program) -> None:
    document = anonymous.get("openapi.json").json()
    for methods in document["paths"].values():
        for method, operation in methods.items():
            assert operation["security"] == [{"Token": []}]
            assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and method != "head":
                    assert list(answer["content"]) == ["application/problem+json"]
    assert document["components"]["securitySchemes"]["Token"] == {"type": "http", "scheme": "bearer"}


@pytest.mark.thorough
def test_the_page_tells_every_address_and_every_refusal_without_anything_from_elsewhere(
    anonymous: Program,
) -> None:
    document = anonymous.get("openapi.json").json()
    answer = anonymous.get("docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    for code in KINDS:
        assert f'id="{code}"' in page
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links
    assert all(link.startswith(("/", "#")) for link in links)
    assert {link[1:] for link in links if link.startswith("#")} <= set(re.findall(r'id="([^"]+)"', page))
    assert not re.search(r"<style|\sstyle=|<script(?! src=)|\son\w+=", page)
