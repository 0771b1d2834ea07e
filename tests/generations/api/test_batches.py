"""Several at once by the API: JSON and tables, the cost before, progress, and the results together."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Allowance, ApiToken, Measure, Membership, Mode, Period, Scope
from generations.models import Batch, Draft, Generation
from tests.conftest import MODEL
from tests.generations.api.conftest import Program

ITEMS = [{"params": {"prompt": f"Rain {n}"}, "title": f"Take {n}"} for n in range(3)]
ORDER = {"model": MODEL, "params": {"format": "mp3"}, "items": ITEMS, "title": "Weather"}


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    program: Program = program_of(bob)
    return program


def table(program: Program, text: str | bytes, **headers: str) -> Any:
    sent = text.encode() if isinstance(text, str) else text
    data = {"file": SimpleUploadedFile("lines.csv", sent), "model": MODEL, "title": "Weather"}
    return program.client.post("/api/v1/batches/csv", data, headers=program.headers | headers)


@pytest.mark.thorough
def test_a_list_is_priced_ordered_once_and_followed(bobs: Program) -> None:
    before = bobs.post("batches/preview", ORDER).json()
    assert (before["count"], before["fit"], before["refusing"]) == (3, 3, [])
    assert not Generation.objects.exists()
    made = bobs.post("batches", ORDER, Idempotency_Key="one")
    body = made.json()
    assert made.status_code == 201
    assert [one["title"] for one in body["items"]] == ["Take 0", "Take 1", "Take 2"]
    assert Decimal(body["cost"]) == Decimal(before["cost"])
    assert (body["asked"], body["taken"], body["under_way"], body["waiting"]) == (3, 3, 3, 0)
    again = bobs.post("batches", ORDER, Idempotency_Key="one")
    assert (again.status_code, again.json()["id"]) == (200, body["id"])
    assert bobs.post("batches", {**ORDER, "title": "Else"}, Idempotency_Key="one").status_code == 409
    assert Generation.objects.count() == 3
    one = bobs.get(f"batches/{body['id']}")
    assert "Retry-After" in one.headers
    assert [row["id"] for row in bobs.get("batches").json()["items"]] == [body["id"]]
    assert set(Generation.objects.values_list("token", flat=True)) == {ApiToken.objects.get().pk}


def test_what_does_not_fit_names_its_line(bobs: Program) -> None:
    wrong = {**ORDER, "items": [*ITEMS, {"params": {"prompt": "", "tempo": 3}}]}
    answer = bobs.post("batches", wrong)
    assert answer.status_code == 422
    assert "Line 4" in str(answer.json()["errors"])
    assert not Batch.objects.exists()


@pytest.mark.thorough
def test_a_limit_of_the_token_takes_some_and_keeps_the_rest(bob: Membership) -> None:
    program = Program(ApiToken.issue(bob, count_limit=2))
    assert program.post("batches/preview", ORDER).json()["fit"] == 2
    body = program.post("batches", ORDER).json()
    assert (body["taken"], body["waiting"]) == (2, 1)
    assert len(Draft.objects.get().lines) == 1
    Allowance.put(
        bob.team,
        scope=Scope.POOL,
        measure=Measure.COUNT,
        period=Period.DAY,
        mode=Mode.LIMITED,
        limit=Decimal(0),
    )
    assert program.post("batches", ORDER).status_code == 402


@pytest.mark.thorough
def test_a_table_is_an_order_too(bobs: Program) -> None:
    text = 'title,prompt,format\r\nFirst,Slow rain,mp3\r\nSecond,"Wind, and sea",wav\r\n\r\n'
    body = table(bobs, text, **{"Idempotency-Key": "t"}).json()
    assert [(one["title"], one["params"]["prompt"], one["params"]["format"]) for one in body["items"]] == [
        ("First", "Slow rain", "mp3"), ("Second", "Wind, and sea", "wav"),
    ]  # fmt: skip
    assert table(bobs, text, **{"Idempotency-Key": "t"}).status_code == 200


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        ("title,prompt\n雨,慢雨。\n", "utf-8"),
        ("title,prompt\r\n雨,慢雨。\r\n", "utf-8-sig"),
        ("title;prompt\r\n雨;慢雨。\r\n", "utf-8-sig"),
        ("title\tprompt\r\n雨\t慢雨。\r\n", "utf-16"),
        ('"title";"prompt"\n"雨";"慢雨。"\n', "utf-8"),
    ],
)
def test_a_table_as_spreadsheets_of_the_world_write_it(written: str, encoding: str, bobs: Program) -> None:
    body = table(bobs, written.encode(encoding)).json()
    assert [(one["title"], one["params"]["prompt"]) for one in body["items"]] == [("雨", "慢雨。")]


@pytest.mark.parametrize(
    "data", ["提示\n雨".encode("gb18030"), b"\xff\xfe\x00", b"prompt\n\xff", b"\xfe\xff\xd8\x00"]
)
def test_a_table_that_nobody_can_read_is_refused_with_a_sentence(data: bytes, bobs: Program) -> None:
    refused = table(bobs, data)
    assert refused.status_code == 422
    assert [one["param"] for one in refused.json()["errors"]] == ["file"]


def test_an_order_that_is_private_is_on_nobodys_list(
    bobs: Program, carol: Membership, mona: Membership, program_of: Any
) -> None:
    made = program_of(carol).post("batches", ORDER).json()
    assert [one["id"] for one in bobs.get("batches").json()["items"]] == [made["id"]]
    Generation.objects.filter(batch=made["id"]).update(is_private=True)
    assert bobs.get("batches").json()["items"] == []
    assert bobs.get(f"batches/{made['id']}").status_code == 404
    for who in (carol, mona):
        assert [one["id"] for one in program_of(who).get("batches").json()["items"]] == [made["id"]]


@pytest.mark.parametrize(
    "text", ["", "prompt", "prompt,prompt\na,b", "prompt,\na,b", "prompt\na,b,c", "nothing\nx", "\x00\n\x00",
             "prompt\n" + "x\n" * 201, 'prompt\n"']
)  # fmt: skip
def test_a_table_that_is_none_is_refused(text: str, bobs: Program) -> None:
    assert table(bobs, text).status_code == 422
    assert not Generation.objects.exists()


@pytest.mark.thorough
def test_the_results_come_as_a_zip_and_a_table_with_the_same_names(
    bobs: Program, sandbox: Any, drive: Any
) -> None:
    made = bobs.post("batches", ORDER).json()
    drive()
    done = bobs.get(f"batches/{made['id']}").json()
    assert (done["finished"], done["under_way"]) == (3, 0)
    packed = b"".join(bobs.client.get(done["results_zip"], headers=bobs.headers))
    archive = zipfile.ZipFile(io.BytesIO(packed))
    assert archive.testzip() is None
    assert archive.namelist() == [f"00{n + 1} Take {n}.mp3" for n in range(3)]
    assert len(archive.read("001 Take 0.mp3")) == done["items"][0]["outputs"][0]["bytes"]
    text = b"".join(bobs.client.get(done["results_csv"], headers=bobs.headers)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["files"] for row in rows] == archive.namelist()
    assert {row["status"] for row in rows} == {"succeeded"}
    assert [row["id"] for row in rows] == [one["id"] for one in done["items"]]
