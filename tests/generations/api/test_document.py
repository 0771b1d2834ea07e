"""The OpenAPI document against the API, and the page made from it."""

from __future__ import annotations

import gzip
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
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from accounts.models import ApiToken, Membership
from generations.catalogue import load
from generations.models import TeamModel
from generations.views.api import api
from generations.views.api.problems import KINDS
from generations.views.api.reading import resolved
from tests.effort import THOROUGH, tries
from tests.generations.api.conftest import Program

load_all_checks()
FEW = settings(
    max_examples=tries(8),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
JUDGED: dict[str, set[str]] = {
    "POST generations": {"*"},
    "POST generations/{id}/again": {"*"},
    "POST batches": {"*"},
    "POST batches/csv": {"*"},
    "POST batches/preview": {"*"},
    "POST batches/{id}/rest": {"*"},
    "POST uploads": {"file"},
    "POST imports": {"file"},
    "GET models": {"cursor"},
    "GET changes": {"since"},
    "GET reports": {"first", "last", "member"},
    "GET reports/receipts.csv": {"first", "last", "member"},
    "GET usage/report": {"first", "last"},
    "GET usage/receipts.csv": {"first", "last"},
    "POST deeds": {"tag", "rating", "collection"},
    "POST searches": {"name", "query"},
    "POST collections": {"name"},
    "POST webhooks": {"url"},
    "POST webhooks/{id}": {"url"},
    "POST presets": {"model", "name"},
    "POST drafts": {"model", "title"},
    "POST members": {"email", "role"},
    "POST members/{id}/role": {"role"},
    "POST members/{id}/end": {"heir"},
    "POST invitations": {"email", "role"},
    "POST team": {"time_zone", "name"},
    "POST domains": {"domain"},
    "POST notices": {"since", "until", "text"},
    "POST allowances": {"member", "limit"},
    "POST own-models": {"pasted"},
    "POST loras": {"file", "name"},
    "POST price-checks": {"*"},
    "POST own-models/{id}/form": {"title", "kind", "inputs", "instance_type", "usual_seconds", "password"},
    "POST topups": {"until_at", "amount"},
    "POST requests": {"limit_name", "amount"},
    "POST requests/{id}/decide": {"amount"},
    "POST model-rules": {"what", "people", "roles"},
    "POST prices/{slug}": {"sure", "amount"},
}
"""Which fields are judged by what is there, such as whether an upload exists, a file is sound, a day is to come.

A schema says only what a request looks like. Whatever else is refused although it looks right is a fault.
"""


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


@pytest.fixture
def server(settings: Any, mona: Membership, bob: Membership, make_generation: Any) -> Iterator[None]:
    """The application under its own handler, which must not close the connection that holds the test's rows. Whoever
    asks has made something.
    """
    for membership in (mona, bob):
        make_generation(membership, outputs=1)
    settings.ALLOWED_HOSTS = ["*"]
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def judge(case: Any, membership: Membership) -> None:
    """Sends it and checks the answer. A case is its own transaction: it may end the membership that asks."""
    with transaction.atomic():
        headers = {"Authorization": f"Bearer {ApiToken.issue(membership)}"}
        answer = case.call(headers=headers)
        excluded = [positive_data_acceptance] if is_judged(case.operation.label, answer) else []
        if [] in (case.query or {}).values():  # which is not sent at all, so nothing is there to be refused
            excluded.append(negative_data_rejection)
        case.validate_response(
            answer, excluded_checks=excluded, headers=headers, transport_kwargs={"headers": dict(headers)}
        )
        transaction.set_rollback(True)


def is_judged(label: str, answer: Any) -> bool:
    """Whether it was refused for nothing but what a schema cannot say."""
    fields = JUDGED.get(label.replace("/api/v1/", ""), set())
    if answer.status_code in (402, 507):
        return bool(fields)
    if answer.status_code != 422:
        return False
    return "*" in fields or {one["param"].partition(".")[0] for one in answer.json()["errors"]} <= fields


if THOROUGH:  # making the cases takes ten seconds, also where none of them is tried
    described = documented()

    @pytest.mark.thorough
    @described.parametrize()
    @FEW
    def test_every_answer_is_as_documented(case: Any, mona: Membership, server: None) -> None:
        """To a manager."""
        judge(case, mona)

    @described.parametrize()
    @FEW
    @pytest.mark.thorough
    def test_every_answer_to_a_member_is_as_documented(case: Any, bob: Membership, server: None) -> None:
        judge(case, bob)


@pytest.mark.thorough
def test_every_model_has_its_params_in_the_document(anonymous: Program) -> None:
    document = anonymous.get("openapi.json").json()
    schemas = document["components"]["schemas"]
    for spec in load.models():
        name = f"params.{spec.slug.replace('[', '_').replace(']', '_')}"
        properties = {key: resolved(document, one) for key, one in schemas[name]["properties"].items()}
        assert properties == spec.json_schema()["properties"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in schemas)
    *listed, own = schemas["NewGeneration"]["oneOf"]
    assert len(listed) == len(load.models())
    pattern = own["properties"]["model"]["pattern"]
    assert re.fullmatch(pattern, TeamModel.new_slug("app"))
    assert not any(re.fullmatch(pattern, spec.slug) for spec in load.models())
    references = set(re.findall(r'"\$ref": "#/components/(schemas|responses)/([^"]+)"', json.dumps(document)))
    assert references <= {
        (kind, name) for kind in document["components"] for name in document["components"][kind]
    }
    assert len(anonymous.get("openapi.json").content) < 700_000
    assert len({json.dumps(one) for one in schemas.values()}) > 0.9 * len(schemas)


def test_the_document_is_made_once_and_sent_small(anonymous: Program) -> None:
    plain = anonymous.get("openapi.json")
    zipped = anonymous.get("openapi.json", Accept_Encoding="gzip, br")
    assert gzip.decompress(zipped.content) == plain.content
    assert len(zipped.content) < 90_000
    assert "Accept-Encoding" in zipped.headers["Vary"]
    assert api.get_openapi_schema() is api.get_openapi_schema()
    assert anonymous.get("openapi.json", If_None_Match=plain.headers["ETag"]).status_code == 304
    assert len(anonymous.head("openapi.json").content) == 0


@pytest.mark.thorough
def test_refusals_are_documented_as_problems_with_their_challenge(anonymous: Program) -> None:
    document = anonymous.get("openapi.json").json()
    for methods in document["paths"].values():
        for method, operation in methods.items():
            assert operation["security"] == [{"Token": []}]
            refused = {
                status: resolved(document, answer) for status, answer in operation["responses"].items()
            }
            assert "WWW-Authenticate" in refused["401"]["headers"]
            for status, answer in refused.items():
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
