"""An AI app and a workflow of a foreign server that speaks API.md become models of a team and run."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Membership
from generations import own_models, prices
from generations.catalogue import load, own
from generations.catalogue.spec import InvalidParams
from generations.models import Connection, Generation, State, TeamModel, Upload
from generations.pipeline import describe, dispatch, resolve, several, twins
from generations.pipeline.accept import accept
from generations.pipeline.cancel import cancel
from tests.conftest import point_at, run_pipeline
from tests.generations.foreign import APP, LOCKED, WORKFLOW, Foreign, picture, weights


@pytest.fixture
def foreign(settings: Any) -> Iterator[Foreign]:
    with Foreign() as running:
        point_at(settings, running.url)
        yield running


def brought(by: Membership, source: str, pasted: str) -> TeamModel:
    """It was pasted, and the worker fetched its form."""
    model = own_models.add(by.team, by.user, source, pasted)
    describe.describe(model.pk)
    return TeamModel.objects.get(pk=model.pk)


def settled(model: TeamModel, by: Membership, uses: Mapping[str, Any] | None = None, **said: Any) -> Any:
    """The form as it was told, with what is said of each input by its name."""
    model.refresh_from_db()
    before = own_models.latest(model)
    fields = own.begun(
        model.found["facts"] if model.found else before.facts,  # type: ignore[union-attr]
        own.Source(model.source),
        before.data["fields"] if before else (),
    )
    for field in fields:
        field |= (uses or {}).get(field["name"], {})
    password = said.pop("password", None)
    data = {"title": "Boats", "summary": "", "kind": "picture", "fields": fields, **said}
    spec = own_models.settle(model, by.user, data, password)
    today = timezone.localdate()
    prices.put(by.team, by.user, spec.slug, amount=Decimal("0.3"), currency="CNY", since=today)
    return spec


def uploaded(by: Membership) -> Upload:
    data = picture()
    upload = Upload(
        team=by.team, author=by.user, name="me.png", kind="image", content_type="image/png", extension="png"
    )
    upload.bytes, upload.sha256 = len(data), "0" * 64
    upload.file.save(f"uploads/{by.team_id}/{upload.pk}.png", ContentFile(data), save=False)
    upload.save()
    return upload


def test_an_app_becomes_a_model_and_runs(foreign: Foreign, mona: Membership, bob: Membership) -> None:
    model = brought(mona, "app", f"https://www.runninghub.ai/ai-detail/{APP}?inviteCode=abc")
    assert (model.state, model.upstream, model.found and model.found["title"]) == ("found", APP, "Boats")
    spec = settled(model, mona, {"select": {"use": "fix", "start": "1"}}, instance_type="plus")
    assert [(p.key, p.type.value, p.required) for p in spec.params] == [
        ("image", "IMAGE", True),
        ("prompt", "STRING", False),
        ("value", "INT", False),
    ]
    given = {"image": uploaded(bob).reference, "prompt": "a red boat", "value": 31}
    row = accept(bob, spec.slug, given, strict=True).generation
    run_pipeline()
    row = Generation.objects.get(pk=row.pk)
    assert (row.status, row.form, row.kind) == (State.SUCCEEDED, 1, "picture")
    assert row.cost_actual == Decimal("0.35")
    assert [output.kind for output in row.outputs.all()] == ["image"]
    path, body = foreign.started[0]
    assert (len(foreign.started), path) == (1, "/task/openapi/ai-app/run")
    assert body.pop("apiKey") == foreign.key
    assert body == {
        "webappId": APP,
        "instanceType": "plus",
        "nodeInfoList": [
            {"nodeId": "39", "fieldName": "image", "fieldValue": "openapi/0000.png"},
            {"nodeId": "52", "fieldName": "prompt", "fieldValue": "a red boat"},
            {"nodeId": "37", "fieldName": "select", "fieldValue": "1"},
            {"nodeId": "60", "fieldName": "value", "fieldValue": "31"},
        ],
    }


def test_a_workflow_becomes_a_model_and_runs(foreign: Foreign, mona: Membership, bob: Membership) -> None:
    model = brought(mona, "workflow", WORKFLOW)
    uses = {
        "text": {"use": "ask", "label": "What to see"},
        "steps": {"use": "fix", "start": "12"},
        "seed": {"use": "ask"},
    }
    spec = settled(model, mona, uses, personal_queue=True)
    assert [p.key for p in spec.params] == ["seed", "text"]
    row = accept(bob, spec.slug, {"text": "a lighthouse", "seed": "99"}).generation
    run_pipeline()
    row = Generation.objects.get(pk=row.pk)
    assert (row.status, [output.kind for output in row.outputs.all()]) == (State.SUCCEEDED, ["image"])
    path, body = foreign.started[0]
    assert path == "/task/openapi/create"
    assert {key: body[key] for key in body if key != "apiKey"} == {
        "workflowId": WORKFLOW,
        "usePersonalQueue": True,
        "nodeInfoList": [
            {"nodeId": "3", "fieldName": "seed", "fieldValue": 99},
            {"nodeId": "3", "fieldName": "steps", "fieldValue": 12},
            {"nodeId": "6", "fieldName": "text", "fieldValue": "a lighthouse"},
        ],
    }


def test_what_it_came_with_reaches_runninghub_whole(foreign: Foreign, mona: Membership) -> None:
    told = {"52": "Long. " * 3_000, "60": 2**64 - 1, "37": {"b": [1, None], "a": "\x07"}, "39": None}
    for node in foreign.nodes:
        node["fieldValue"] = told[node["nodeId"]]
    spec = settled(brought(mona, "app", APP), mona, {"image": {"use": "leave"}, "value": {"max": 2**64 - 1}})
    accept(mona, spec.slug, {})
    run_pipeline()
    _path, body = foreign.started[0]
    assert {one["nodeId"]: one["fieldValue"] for one in body["nodeInfoList"]} == told


def test_a_seed_of_64_bits_is_asked_for_and_sent(foreign: Foreign, mona: Membership) -> None:
    foreign.graph["3"]["inputs"]["seed"] = 2**64 - 1
    spec = settled(brought(mona, "workflow", WORKFLOW), mona, {"seed": {"use": "ask", "start": ""}})
    for given in ({}, {"seed": 2**64 - 2}):
        accept(mona, spec.slug, given, strict=True)
        run_pipeline()
    assert "nodeInfoList" not in foreign.started[0][1]
    assert [one["fieldValue"] for one in foreign.started[1][1]["nodeInfoList"]] == [2**64 - 2]


def test_an_app_with_too_many_inputs_says_so(foreign: Foreign, mona: Membership) -> None:
    foreign.nodes = [foreign.nodes[1] | {"nodeId": str(number)} for number in range(301)]
    model = brought(mona, "app", APP)
    assert (model.state, model.found) == ("failed", None)
    assert "It has 301 inputs" in model.sentence


def test_a_workflow_that_asks_for_nothing_starts_as_it_is(foreign: Foreign, mona: Membership) -> None:
    spec = settled(brought(mona, "workflow", WORKFLOW), mona)
    accept(mona, spec.slug, {})
    run_pipeline()
    assert set(foreign.started[0][1]) == {"apiKey", "workflowId"}


def test_a_password_is_sealed_and_sent(foreign: Foreign, mona: Membership) -> None:
    spec = settled(brought(mona, "workflow", LOCKED), mona, password="sesame")
    model = TeamModel.objects.get(slug=spec.slug)
    assert "sesame" not in model.sealed_password
    row = accept(mona, spec.slug, {}).generation
    run_pipeline()
    assert Generation.objects.get(pk=row.pk).status == State.SUCCEEDED
    assert foreign.started[0][1]["accessPassword"] == "sesame"


def test_a_password_that_cannot_be_read_stops_it_before_anything_is_sent(
    foreign: Foreign, mona: Membership, settings: Any
) -> None:
    spec = settled(brought(mona, "workflow", LOCKED), mona, password="sesame")
    TeamModel.objects.update(sealed_password="moved here from elsewhere")
    row = accept(mona, spec.slug, {}).generation
    run_pipeline()
    row = Generation.objects.get(pk=row.pk)
    assert (row.status, row.error_code, foreign.started) == (State.FAILED, "password_lost", [])


@pytest.mark.parametrize("source", ["app", "workflow"])
def test_an_answer_that_is_lost_leaves_it_unconfirmed_and_is_not_sent_again(
    foreign: Foreign, mona: Membership, source: str
) -> None:
    pasted = APP if source == "app" else WORKFLOW
    model = brought(mona, source, pasted)
    spec = settled(model, mona, {"image": {"use": "fix"}})
    foreign.faults["start"] = ["cut"]
    row = accept(mona, spec.slug, {}).generation
    run_pipeline()
    assert Generation.objects.get(pk=row.pk).status == State.UNCONFIRMED
    assert len(foreign.started) == 1


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"code": 421, "msg": "TASK_QUEUE_MAXED", "data": None}, State.SUCCEEDED),
        ({"code": 803, "msg": "APIKEY_INVALID_NODE_INFO", "data": None}, State.FAILED),
    ],
)
def test_a_refusal_counts_as_one_of_a_standard_model(
    foreign: Foreign, mona: Membership, answer: Any, status: State
) -> None:
    spec = settled(brought(mona, "app", APP), mona, {"image": {"use": "fix"}})
    foreign.faults["start"] = [answer]
    row = accept(mona, spec.slug, {}).generation
    run_pipeline()
    assert Generation.objects.get(pk=row.pk).status == status


def test_an_older_generation_keeps_its_meaning(foreign: Foreign, mona: Membership) -> None:
    model = brought(mona, "app", APP)
    fixed = {"image": {"use": "fix"}}
    spec = settled(model, mona, fixed | {"prompt": {"label": "Old name"}})
    row = accept(mona, spec.slug, {"prompt": "x"}).generation
    foreign.nodes = foreign.nodes[:2]
    own_models.refresh(model, mona.user)
    describe.describe(model.pk)
    model.refresh_from_db()
    settled(model, mona, fixed | {"prompt": {"label": "New name"}})
    assert [p.label for p in load.get(spec.slug).params] == ["New name"]
    then = load.get(Generation.objects.get(pk=row.pk).made_with)
    assert [p.label for p in then.params] == ["Old name", "风格", "steps"]
    assert then.display({"value": 3}) == [("steps", "3", True)]


def test_a_twin_is_of_the_same_version_of_the_form(foreign: Foreign, mona: Membership) -> None:
    model = brought(mona, "app", APP)
    uses = {"image": {"use": "fix"}, "select": {"use": "fix", "start": "1"}}
    spec = settled(model, mona, uses, repeats=True)
    row = accept(mona, spec.slug, {"prompt": "x"}).generation
    run_pipeline()
    assert twins.twin_of(mona, spec, {"prompt": "x"}) == row
    again = settled(model, mona, uses | {"select": {"use": "fix", "start": "2"}}, repeats=True)
    assert twins.twin_of(mona, again, {"prompt": "x"}) is None


@pytest.mark.parametrize(
    ("source", "pasted", "answer", "words"),
    [
        ("app", "1800000000000000000", None, "has no AI app 1800000000000000000"),
        ("workflow", "1800000000000000000", None, "has no ComfyUI workflow 1800000000000000000"),
        ("workflow", WORKFLOW, {"code": 810, "msg": "", "data": None}, "run once by hand"),
        ("app", APP, "cut", "did not answer"),
        ("app", APP, {"code": 0, "data": {"nodeInfoList": []}}, "no form can be read from"),
        ("app", APP, {"code": 0, "data": {"nodeInfoList": [{"nodeId": 1}]}}, "tells of no input"),
        ("workflow", WORKFLOW, {"code": 0, "data": {"prompt": "{not json"}}, "no form can be read from"),
        ("app", APP, {"code": 802, "msg": "APIKEY_UNAUTHORIZED"}, "key"),
        ("app", APP, {"code": 500, "msg": "UNKNOWN_ERROR"}, "Try again later"),
    ],
)
def test_what_cannot_be_fetched_says_why(
    foreign: Foreign, mona: Membership, source: str, pasted: str, answer: Any, words: str
) -> None:
    foreign.faults["form"] = [answer] if answer else []
    model = brought(mona, source, pasted)
    assert model.state == "failed"
    assert words in model.sentence
    assert foreign.key not in model.sentence


def test_a_workflow_is_cancelled_upstream(foreign: Foreign, mona: Membership) -> None:
    spec = settled(brought(mona, "workflow", WORKFLOW), mona)
    row = accept(mona, spec.slug, {}).generation
    for claimed in dispatch.claim(Connection.current(), 1):
        dispatch.send(claimed)
    assert not cancel(Generation.objects.get(pk=row.pk))
    run_pipeline()
    row = Generation.objects.get(pk=row.pk)
    assert (row.status, foreign.cancelled) == (State.CANCELLED, [row.upstream_id])


def test_a_lost_start_is_settled_by_naming_its_task(foreign: Foreign, mona: Membership) -> None:
    spec = settled(brought(mona, "app", APP), mona, {"image": {"use": "fix"}})
    foreign.faults["start"] = ["cut"]
    row = accept(mona, spec.slug, {}).generation
    run_pipeline()
    assert resolve.attach(Generation.objects.get(pk=row.pk), "1904000000000000077")
    run_pipeline()
    row = Generation.objects.get(pk=row.pk)
    assert (row.status, len(foreign.started)) == (State.SUCCEEDED, 1)


def test_a_lora_is_given_by_a_command(sandbox: Any, settings: Any, mona: Membership, tmp_path: Path) -> None:
    point_at(settings, sandbox.url)
    file = tmp_path / "sea.safetensors"
    file.write_bytes(weights())
    said = io.StringIO()
    call_command("lora", str(file), team="tide", stdout=said)
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    assert said.getvalue().splitlines()[-1] == f"api-lora-cn/{digest}.safetensors"
    other = tmp_path / "sea.zip"
    other.write_bytes(weights())
    with pytest.raises(CommandError, match=r"\.safetensors"):
        call_command("lora", str(other), team="tide")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("lora", "nowhere.safetensors", team="tide")
    with pytest.raises(CommandError, match="There is no team"):
        call_command("lora", str(file), team="nobody")


def test_what_waits_is_not_sent_once_it_was_taken_out_of_use(
    foreign: Foreign, mona: Membership, bob: Membership
) -> None:
    spec = settled(brought(mona, "workflow", WORKFLOW), mona)
    row = accept(bob, spec.slug, {}, idempotency_key="once").generation
    assert own_models.switch(TeamModel.objects.get(slug=spec.slug), mona.user, offered=False)
    again = accept(bob, spec.slug, {}, idempotency_key="once")
    assert (again.generation, again.created) == (row, False), "the key stands for what was taken"
    with pytest.raises(load.UnknownModel):
        accept(bob, spec.slug, {}, idempotency_key="twice")
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.error_code, foreign.started) == (State.FAILED, "model_out_of_use", [])
    assert not row.cost_counted


def test_one_taken_out_of_use_in_this_moment_is_not_taken(
    foreign: Foreign, mona: Membership, bob: Membership
) -> None:
    spec = settled(brought(mona, "workflow", WORKFLOW), mona)
    model = TeamModel.objects.get(slug=spec.slug)

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if '"accounts_team"' in sql and not done and sql.startswith("SELECT"):
            done.append(sql)
            TeamModel.objects.filter(pk=model.pk).update(offered=False)
        return execute(sql, params, many, context)

    done: list[str] = []
    with connection.execute_wrapper(meanwhile), pytest.raises(load.UnknownModel):
        accept(bob, spec.slug, {})
    assert done
    assert not Generation.objects.exists()


@pytest.mark.parametrize("name", ["accessPassword", "workflow", "workflowId", "webappId", "nodeInfoList"])
def test_more_settings_say_neither_what_runs_nor_what_opens_it(
    name: str, foreign: Foreign, mona: Membership
) -> None:
    spec = settled(brought(mona, "workflow", WORKFLOW), mona)
    with pytest.raises(InvalidParams) as refused:
        accept(mona, spec.slug, {"_extra": {name: "sesame"}}, strict=True)
    assert "sesame" not in str(refused.value)
    assert not Generation.objects.exists()


def test_the_same_order_of_several_is_one_also_when_its_model_was_taken_out_of_use(
    foreign: Foreign, mona: Membership
) -> None:
    model = brought(mona, "workflow", WORKFLOW)
    spec = settled(model, mona)
    lines = [several.Line(1, None), several.Line(2, None)]
    first = several.accept(mona, spec.slug, {}, lines, idempotency_key="k")
    own_models.switch(model, mona.user, offered=False)
    again = several.accept(mona, spec.slug, {}, lines, idempotency_key="k")
    assert (again.batch, again.created) == (first.batch, False)
    with pytest.raises(load.UnknownModel):
        several.accept(mona, spec.slug, {}, lines, idempotency_key="other")


@pytest.mark.django_db(transaction=True)
def test_a_model_is_known_to_others_while_its_form_is_looked_up(foreign: Foreign, mona: Membership) -> None:
    spec = settled(brought(mona, "workflow", WORKFLOW), mona)
    missed: list[str] = []
    over = threading.Event()

    def ask() -> None:
        try:
            while not over.is_set():
                missed.extend([] if own_models.find(spec.slug) else [spec.slug])
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        own_models._current[spec.slug] = (1, 0.0)  # the time for which it is believed was over
        own_models.find(spec.slug)
    over.set()
    for thread in threads:
        thread.join()
    assert missed == []
