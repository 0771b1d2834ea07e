"""Values that nobody sends in good faith: each is refused with a sentence or taken, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from ninja.operation import Operation
from ninja.params.models import BodyModel

from accounts.models import ApiToken, Membership
from generations.views.api import api
from tests.project.matrix import CALLS, Line, Scene
from tests.project.test_matrix import REST, address, data_of

TEXTS = ["\ud800", "\x00", "a\u202eb", "中文🎵", "x" * 300_000, "'\"<script>", "\u00a0", "../../etc", "%00"]
RAW = [
    "1e400",
    "-1e400",
    "9" * 400,
    "1e-400",
    "-0.0",
    "true",
    "null",
    "[]",
    "{}",
    '[{"a":[null]}]',
    '"\\ud83d"',
]


def bodies(schema: dict[str, Any], components: dict[str, Any], base: dict[str, Any]) -> Iterator[bytes]:
    """The base with one field at a time made nasty."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    for name in schema.get("properties", {"model": {}, "params": {}, "title": {}, "voice": {}}):
        rest = {key: value for key, value in base.items() if key != name}
        for text in TEXTS:
            yield json.dumps({**rest, name: text}).encode()
            yield json.dumps({**rest, name: [text]}).encode()
            yield json.dumps({**rest, name: {text: text}}).encode()
        for raw in RAW:
            inner = json.dumps(rest)[1:-1]
            yield f'{{"{name}": {raw}{", " if inner else ""}{inner}}}'.encode()
            if name == "params":
                yield f'{{"params": {{"prompt": {raw}}}{", " if inner else ""}{inner}}}'.encode()
        for text in TEXTS if name == "params" else ():
            yield json.dumps({**rest, name: {"prompt": text}}).encode()


def with_body() -> dict[str, Operation]:
    """The operations that take a JSON body, by method and name of their address."""
    return {
        f"{method} {getattr(operation, 'url_name', '') or view.url_name or operation.view_func.__name__}": operation
        for _prefix, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
        if any(issubclass(model, BodyModel) for model in operation.models)
        for method in operation.methods
    }


OPERATIONS = with_body()


def schema_of(method: str, operation: Operation) -> dict[str, Any]:
    """The schema of its body, as the document has it."""
    document = api.get_openapi_schema()
    (place,) = (
        methods[method.lower()]
        for methods in document["paths"].values()
        if methods.get(method.lower(), {}).get("operationId") == operation.operation_id
    )
    schema: dict[str, Any] = place["requestBody"]["content"]["application/json"]["schema"]
    return schema


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_value_breaks_anything(
    name: str, alice: Membership, carol: Membership, make_generation: Any, make_voice: Any
) -> None:
    method, call = name.split()
    scene = Scene(carol, make_generation, make_voice)
    line = CALLS[call] if call in CALLS else Line()
    if method != "POST":
        line = Line(things={"id": "generation" if call == "generation" else "collection"})
    path = address(REST + call, line, scene, alice, alice.team.slug)
    base = json.loads(json.dumps(data_of(line, scene, alice), default=str))
    headers = {"Authorization": f"Bearer {ApiToken.issue(alice)}"}
    client = Client(raise_request_exception=False)
    components = api.get_openapi_schema()["components"]["schemas"]
    broken = []
    for body in bodies(schema_of(method, OPERATIONS[name]), components, base):
        code = sent(client, method, path, body, headers)
        if code >= 500:
            broken.append(f"{code}: {body[:160]!r}")
    assert not broken, "\n".join(broken)


def sent(client: Client, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """The status; what it did is undone."""
    with transaction.atomic():
        answer = client.generic(method, path, body, content_type="application/json", headers=headers)
        transaction.set_rollback(True)
    return int(answer.status_code)
