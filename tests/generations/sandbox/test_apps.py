"""The sandbox's AI apps and workflows: they can be tried without a key, and refuse what is wrong as API.md says."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Membership
from generations.models import Generation, State
from generations.pipeline.accept import accept
from generations.sandbox import Sandbox
from tests.conftest import point_at, run_pipeline
from tests.generations.sandbox.conftest import Api
from tests.generations.test_own_models_live import brought, settled, uploaded

PICTURES, MUSIC = "1900000000000000001", "1900000000000000002"
OPEN, LOCKED = "1900000000000000101", "1900000000000000102"
RUN, CREATE = "/task/openapi/ai-app/run", "/task/openapi/create"


@pytest.fixture
def pointed(sandbox: Sandbox, settings: Any) -> Sandbox:
    point_at(settings, sandbox.url)
    return sandbox


def made(row: Generation) -> tuple[str, list[str]]:
    run_pipeline()
    row = Generation.objects.get(pk=row.pk)
    assert row.status == State.SUCCEEDED, row.error_detail
    return row.kind, [output.kind for output in row.outputs.all()]


def test_an_app_that_makes_pictures_runs_with_a_file_of_the_member(
    pointed: Sandbox, mona: Membership, bob: Membership
) -> None:
    model = brought(mona, "app", PICTURES)
    assert model.found is not None
    assert model.found["title"] == "Poster press"
    spec = settled(model, mona)
    assert [(p.label, p.type.value) for p in spec.params] == [
        ("A picture to start from", "IMAGE"),
        ("What to see", "STRING"),
        ("Shape", "LIST"),
        ("Paper grain", "BOOLEAN"),
    ]
    given = {"image": uploaded(bob).reference, "text": "A pier", "on": ""}
    assert made(accept(bob, spec.slug, given).generation) == ("picture", ["image"])
    sent = pointed.submits[-1]["body"]["nodeInfoList"]
    assert sent[0]["fieldValue"].startswith("openapi/")
    assert [node["fieldValue"] for node in sent[1:]] == ["A pier", "3:4", "true"]


def test_an_app_that_makes_music_runs(pointed: Sandbox, mona: Membership) -> None:
    spec = settled(brought(mona, "app", MUSIC), mona, kind="music")
    assert made(accept(mona, spec.slug, {"select": "wav"}).generation) == ("music", ["audio"])


def test_a_protected_workflow_runs_with_its_password_only(pointed: Sandbox, mona: Membership) -> None:
    model = brought(mona, "workflow", LOCKED)
    spec = settled(model, mona, {"text": {"use": "ask"}})
    row = accept(mona, spec.slug, {}).generation
    run_pipeline()
    assert Generation.objects.get(pk=row.pk).status == State.FAILED
    spec = settled(model, mona, password="sandbox")
    assert made(accept(mona, spec.slug, {"text": "A pier at night"}).generation) == ("picture", ["image"])
    assert "accessPassword" not in pointed.submits[-1]["body"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (RUN, {"webappId": "1", "nodeInfoList": []}, 901),
        (RUN, {"webappId": PICTURES, "nodeInfoList": []}, 803),
        (RUN, {"webappId": PICTURES, "nodeInfoList": "all"}, 301),
        (CREATE, {"workflowId": "1"}, 380),
        (CREATE, {"workflowId": LOCKED}, 301),
        (CREATE, {"workflowId": OPEN, "nodeInfoList": [{"nodeId": "1", "fieldName": "x"}]}, 803),
        ("/api/openapi/getJsonApiFormat", {"workflowId": "1"}, 380),
    ],
)
def test_what_does_not_fit_is_refused(sandbox: Sandbox, path: str, body: dict[str, Any], code: int) -> None:
    api = Api(sandbox)
    assert api.post(path, {"apiKey": sandbox.key, **body}).json()["code"] == code


def test_a_workflow_starts_as_it_is_and_is_cancelled(sandbox: Sandbox) -> None:
    api = Api(sandbox)
    answer = api.post(CREATE, {"apiKey": sandbox.key, "workflowId": OPEN}).json()
    assert (answer["code"], answer["data"]["netWssUrl"][:5]) == (0, "ws://")
    task = answer["data"]["taskId"]
    assert api.post("/task/openapi/cancel", {"apiKey": sandbox.key, "taskId": task}).json()["code"] == 0
