from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from accounts.models import Action, Allowance, ApiToken, Measure, Membership, Mode, Period, Role, Scope, Team
from generations.catalogue import load
from generations.models import Generation, State
from tests.conftest import MODEL, join, tone
from tests.generations.api.conftest import Program
from tests.generations.catalogue.facts import SOUNDS
from tests.generations.media.samples import film, mp3_bytes

PARAMS = {"prompt": "Slow piano over rain"}
ORDER = {"model": MODEL, "params": PARAMS}
FIELDS = {
    "id", "status", "model", "params", "title", "author", "cost_estimated", "cost_actual", "currency",
    "upstream_id", "error", "outputs",
    "queue", "created_at", "dispatched_at", "finished_at",
    "expected_end_at",
}  # fmt: skip


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    return program_of(bob)


def limit(membership: Membership, amount: str, measure: Measure = Measure.COUNT, **fields: Any) -> None:
    period = fields.pop("period", Period.WEEK)
    Allowance.put(
        membership.team, scope=Scope.DEFAULT, measure=measure, period=period, mode=Mode.LIMITED,
        limit=Decimal(amount), **fields,
    )  # fmt: skip


def faults(answer: Any) -> dict[str, str]:
    """What a 422 says, by param."""
    assert answer.status_code == 422, answer.content
    body = answer.json()
    assert body["code"] == "invalid"
    assert body["status"] == 422
    assert all(set(one) == {"param", "message"} and one["message"] for one in body["errors"])
    return {one["param"]: one["message"] for one in body["errors"]}


def test_an_order_is_taken_and_can_be_asked_for(bobs: Program, bob: Membership) -> None:
    answer = bobs.post("generations", {**ORDER, "title": "Harbour at night"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == FIELDS
    assert (body["status"], body["model"], body["title"]) == ("queued", MODEL, "Harbour at night")
    assert body["author"] == "bob@example.com"
    assert body["params"]["prompt"] == PARAMS["prompt"]
    assert body["outputs"] == []
    assert body["error"] is None
    assert body["upstream_id"] is None
    assert Decimal(body["cost_estimated"]) > 0
    assert answer.headers["Location"] == f"http://testserver/api/v1/generations/{body['id']}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert bobs.get(f"generations/{body['id']}").json() | {"expected_end_at": None} == body | {
        "expected_end_at": None
    }
    row = Generation.objects.get()
    assert (row.team_id, row.author_id, row.status) == (bob.team_id, bob.user_id, State.QUEUED)


@pytest.mark.parametrize("name", [MODEL, MODEL.replace("--", "/")])
def test_a_model_is_named_by_slug_or_endpoint(name: str, bobs: Program) -> None:
    answer = bobs.post("generations", {"model": name, "params": PARAMS})
    assert (answer.status_code, answer.json()["model"]) == (201, MODEL)


def test_a_model_is_named_by_its_alias(bobs: Program) -> None:
    spec = load.get("minimax/speech-2.8-hd")
    for name in ("minimax/speech-2.8-hd", "minimax--speech-2.8-hd"):
        answer = bobs.post("generations", {"model": name, "params": {"text": "Good morning."}})
        assert (answer.status_code, answer.json()["model"]) == (201, spec.slug)


@pytest.mark.thorough
def test_the_example_of_every_model_is_taken(bobs: Program) -> None:
    Team.objects.update(unknown_price=Team.UnknownPrice.ALLOW)
    kept = {
        "mp3": bobs.upload(SimpleUploadedFile("a.mp3", mp3_bytes(11), "audio/mpeg")).json()["reference"],
        "mp4": bobs.upload(SimpleUploadedFile("a.mov", film(bytes(4000)), "video/mp4")).json()["reference"],
    }
    for one in bobs.get("models").json()["items"]:
        if load.get(one["slug"]) not in SOUNDS:
            continue
        detail = bobs.get(f"models/{one['slug']}").json()
        media = {
            key: kept[detail["params_schema"]["properties"][key]["x-accept"][0]]
            for key in detail["params_schema"]["required"]
            if "upload:" in detail["params_schema"]["properties"][key].get("pattern", "")
        }
        given = (
            {"custom_voice_id": "Harbour01"}
            if "custom_voice_id" in detail["params_schema"]["required"]
            else {}
        )
        answer = bobs.post("generations", {"model": one["slug"], "params": detail["example"] | given | media})
        assert answer.status_code == 201, answer.content


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"params": PARAMS}, "model"),
        ({"model": MODEL}, "params"),
        ({"model": 5, "params": PARAMS}, "model"),
        ({"model": MODEL, "params": [1]}, "params"),
        ({"model": MODEL, "params": None}, "params"),
        ({"model": "no/such-model", "params": PARAMS}, "model"),
        ({"model": "\ud800", "params": PARAMS}, "model"),
        ({**ORDER, "prompt": "x"}, "prompt"),
        ({**ORDER, "title": "x" * 201}, "title"),
        ({**ORDER, "title": "nul\x00"}, "title"),
        ({**ORDER, "title": "half \ud800"}, "title"),
        ({**ORDER, "title": 7}, "title"),
        ({"model": MODEL, "params": {}}, "prompt"),
        ({"model": MODEL, "params": {"prompt": ""}}, "prompt"),
        ({"model": MODEL, "params": {"prompt": 7}}, "prompt"),
        ({"model": MODEL, "params": {"prompt": None}}, "prompt"),
        ({"model": MODEL, "params": {"prompt": "nul\x00"}}, "prompt"),
        ({"model": MODEL, "params": {"prompt": "half \ud800"}}, "prompt"),
        ({"model": MODEL, "params": {"prompt": "x" * 100_000}}, "prompt"),
        ({"model": MODEL, "params": {**PARAMS, "sampleRate": 44100}}, "sampleRate"),
        ({"model": MODEL, "params": {**PARAMS, "sampleRate": "1"}}, "sampleRate"),
        ({"model": MODEL, "params": {**PARAMS, "tempo": 120}}, "tempo"),
        ([], "body"),
        ("text", "body"),
    ],
)
def test_a_value_that_cannot_be_taken_is_named_with_a_sentence(body: Any, param: str, bobs: Program) -> None:
    assert param in faults(bobs.post("generations", body))
    assert not Generation.objects.exists()


def test_every_fault_of_the_params_is_named_at_once(bobs: Program) -> None:
    found = faults(
        bobs.post("generations", {"model": MODEL, "params": {"prompt": "", "format": "wma", "x": 1}})
    )
    assert set(found) == {"prompt", "format", "x"}


def test_a_body_that_is_missing_is_said_so(bobs: Program) -> None:
    assert bobs.post("generations").status_code == 422


@pytest.mark.thorough
@pytest.mark.parametrize("form", ["upload:{}", "{}", "UPPER {}"])
def test_an_upload_is_named_by_its_reference_or_its_id(form: str, bobs: Program) -> None:
    kept = bobs.upload(SimpleUploadedFile("voice.wav", tone(10), "audio/wav")).json()
    named = form.removeprefix("UPPER ").format(kept["id"].upper() if "UPPER" in form else kept["id"])
    params = {"audio": named, "custom_voice_id": "Harbour01", "text": "Good morning."}
    answer = bobs.post("generations", {"model": "minimax/voice-clone", "params": params})
    assert answer.status_code == 201, answer.content
    assert answer.json()["params"]["audio"] == kept["reference"]


def test_an_upload_of_another_team_does_not_exist(bobs: Program, zoe: Membership, program_of: Any) -> None:
    theirs = program_of(zoe).upload(SimpleUploadedFile("voice.wav", tone(), "audio/wav")).json()
    for named in (theirs["reference"], theirs["id"], str(uuid.uuid4()), "https://example.com/a.wav", 7):
        params = {"audio": named, "custom_voice_id": "Harbour01", "text": "Good morning."}
        assert "audio" in faults(bobs.post("generations", {"model": "minimax/voice-clone", "params": params}))


def test_the_same_key_gives_the_same_generation_back(bobs: Program) -> None:
    first = bobs.post("generations", ORDER, Idempotency_Key="order-1")
    again = bobs.post("generations", ORDER, Idempotency_Key="order-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert bobs.post("generations", ORDER, Idempotency_Key="order-2").status_code == 201
    assert bobs.post("generations", ORDER).status_code == 201
    assert Generation.objects.count() == 3


@pytest.mark.thorough
@pytest.mark.parametrize(
    "other",
    [{**ORDER, "title": "Else"}, {"model": MODEL, "params": {"prompt": "Else"}}, {**ORDER, "params": {}}],
)
def test_another_order_under_the_same_key_is_a_conflict(other: Any, bobs: Program) -> None:
    bobs.post("generations", ORDER, Idempotency_Key="order-1")
    answer = bobs.post("generations", other, Idempotency_Key="order-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert Generation.objects.count() == 1


def test_a_key_belongs_to_its_member(bobs: Program, carol: Membership, program_of: Any) -> None:
    bobs.post("generations", ORDER, Idempotency_Key="order-1")
    assert program_of(carol).post("generations", ORDER, Idempotency_Key="order-1").status_code == 201


def test_a_key_lives_a_day(bobs: Program) -> None:
    bobs.post("generations", ORDER, Idempotency_Key="order-1")
    Generation.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    assert bobs.post("generations", ORDER, Idempotency_Key="order-1").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "tab\there", "ümlaut", "a b"])
def test_a_key_that_is_none_is_refused(key: str, bobs: Program) -> None:
    assert "Idempotency-Key" in faults(bobs.post("generations", ORDER, Idempotency_Key=key))


def test_a_key_still_answers_after_the_limit_is_reached(bobs: Program, bob: Membership) -> None:
    limit(bob, "1")
    first = bobs.post("generations", ORDER, Idempotency_Key="order-1")
    assert bobs.post("generations", ORDER).status_code == 402
    again = bobs.post("generations", ORDER, Idempotency_Key="order-1")
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_refusal_names_the_limit_and_what_is_left(bobs: Program, bob: Membership) -> None:
    limit(bob, "1", Measure.SPEND, period=Period.MONTH)
    cost = Decimal(bobs.post("generations", ORDER).json()["cost_estimated"])
    answer = bobs.post("generations", ORDER)
    assert answer.status_code == 402
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["limit_name"], body["scope"]) == (
        "quota_exceeded",
        "member_spend_month",
        "default",
    )
    assert Decimal(body["limit"]) == 1
    assert Decimal(body["left"]) == 1 - cost
    assert Decimal(body["cost"]) == cost
    assert datetime.fromisoformat(body["resets_at"]) == Period.MONTH.bounds(timezone.now(), bob.team.zone)[1]
    assert [line["name"] for line in body["lines"]] == ["member_spend_month"]
    assert body["lines"][0]["used"] == str(cost.quantize(Decimal("0.01")))
    assert "this costs" in body["detail"]
    assert Generation.objects.count() == 1


def test_a_count_is_a_whole_number_and_the_tightest_limit_is_named(bobs: Program, bob: Membership) -> None:
    limit(bob, "1")
    cost = bobs.post("generations", ORDER).json()["cost_estimated"]
    limit(bob, cost, Measure.SPEND, period=Period.NONE)
    body = bobs.post("generations", ORDER).json()
    assert (body["limit_name"], body["limit"], body["left"], body["resets_at"]) == (
        "member_spend",
        cost,
        "0.00",
        None,
    )
    lines = {line["name"]: line for line in body["lines"]}
    assert set(lines) == {"member_spend", "member_count_week"}
    assert (lines["member_count_week"]["limit"], lines["member_count_week"]["left"]) == (1, 0)


def test_a_limit_on_what_runs_at_once_counts_what_waits(bobs: Program, bob: Membership) -> None:
    limit(bob, "1", Measure.CONCURRENT, period=Period.NONE)
    assert bobs.post("generations", ORDER).status_code == 201
    body = bobs.post("generations", ORDER).json()
    assert (body["limit_name"], body["limit"], body["left"], body["resets_at"]) == (
        "member_concurrent",
        1,
        0,
        None,
    )


def test_a_limit_that_only_warns_refuses_nothing(bobs: Program, bob: Membership) -> None:
    limit(bob, "0", action=Action.WARN)
    assert bobs.post("generations", ORDER).status_code == 201


def test_an_unknown_price_is_a_refusal_of_its_own(bobs: Program, bob: Membership, no_prices: None) -> None:
    answer = bobs.post("generations", ORDER)
    assert (answer.status_code, answer.json()["code"]) == (402, "price_unknown")
    assert bobs.get(f"models/{MODEL}").json()["price"] is None
    Team.objects.update(unknown_price=Team.UnknownPrice.ALLOW)
    answer = bobs.post("generations", ORDER)
    assert (answer.status_code, answer.json()["cost_estimated"]) == (201, None)


@pytest.fixture
def no_prices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A catalogue whose data has no prices."""
    for file in load.DATA.glob("*.json"):
        data = json.loads(file.read_text())
        for model in data.get("models", []):
            model.pop("price", None)
        (tmp_path / file.name).write_text(json.dumps(data))
    monkeypatch.setattr(load, "DATA", tmp_path)
    load._read.cache_clear()
    yield
    load._read.cache_clear()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_twenty_equal_posts_at_once_are_one_generation_and_twenty_equal_answers() -> None:
    bob = join(Team.objects.create(slug="tide", name="Tide"), "bob", Role.MEMBER)
    answers = at_once(bob, 20, Idempotency_Key="order-1")
    assert sorted(status for status, _ in answers) == [200] * 19 + [201]
    assert len({body for _, body in answers}) == 1
    assert Generation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_at_once_against_a_limit_of_five_are_five() -> None:
    bob = join(Team.objects.create(slug="tide", name="Tide"), "bob", Role.MEMBER)
    limit(bob, "5")
    statuses = [status for status, _ in at_once(bob, 20)]
    assert (statuses.count(201), statuses.count(402)) == (5, 15)
    assert Generation.objects.count() == 5


def at_once(membership: Membership, times: int, **headers: str) -> list[tuple[int, bytes]]:
    """What this many threads that post the same order at the same moment are told."""
    token = ApiToken.issue(membership)
    start = threading.Barrier(times)
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        try:
            program = Program(token)
            start.wait()
            answer = program.post("generations", ORDER, **headers)
            answers.append((answer.status_code, answer.content))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
