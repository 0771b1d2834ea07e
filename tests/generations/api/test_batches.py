"""Several at once by the API: JSON and tables, the cost before, progress, and the results together."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Allowance, ApiToken, Measure, Membership, Mode, Period, Scope
from generations import takeout
from generations.models import Batch, Draft, Generation, Output
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


def test_the_title_of_an_order_tells_nothing_of_a_private_first(
    bobs: Program, bob: Membership, carol: Membership, program_of: Any, client_of: Any
) -> None:
    untitled = {**ORDER, "title": "", "items": [{"params": {"prompt": f"Secret {n}"}} for n in range(3)]}
    made = program_of(carol).post("batches", untitled).json()
    assert made["title"].startswith("Secret 0")
    rows = Generation.objects.filter(batch=made["id"])
    rows.filter(batch_place=1).update(is_private=True)
    rows.filter(batch_place=2).update(title="Open")

    def told() -> str:
        page = client_of(bob).get(f"/t/tide/b/{made['id']}/").content.decode()
        heading = page.partition("<h1>")[2].partition("</h1>")[0]
        packed = bobs.get(f"batches/{made['id']}/results.zip")
        b"".join(packed)
        assert heading in packed["Content-Disposition"]
        titles = {
            bobs.get("batches").json()["items"][0]["title"],
            bobs.get(f"batches/{made['id']}").json()["title"],
        }
        assert titles == {heading}
        return heading

    assert told() == "Open"
    rows.exclude(batch_place=1).update(trashed_at=timezone.now(), purge_at=timezone.now())
    assert "Secret" not in told()
    assert program_of(carol).get(f"batches/{made['id']}").json()["title"] == made["title"]


def test_the_sums_count_all_and_the_items_are_those_on_the_shelf(
    bobs: Program, carol: Membership, program_of: Any
) -> None:
    made = program_of(carol).post("batches", ORDER).json()
    rows = Generation.objects.filter(batch=made["id"])
    rows.filter(batch_place=1).update(is_private=True)
    rows.filter(batch_place=3).update(trashed_at=timezone.now(), purge_at=timezone.now())
    one, listed = bobs.get(f"batches/{made['id']}").json(), bobs.get("batches").json()["items"][0]
    assert [row["title"] for row in one["items"]] == ["Take 1"]
    for told in (one, listed):
        assert (told["asked"], told["taken"], told["under_way"], told["waiting"]) == (3, 3, 3, 0)
        assert told["cost"] == made["cost"]


def test_a_zip_waits_its_turn_and_leaves_its_place_however_it_ends(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    made = bobs.post("batches", ORDER).json()
    for place in (10, 11):
        make_generation(bob, outputs=1, title=f"Song {place}", batch_id=made["id"], batch_place=place)
    path = f"batches/{made['id']}/results.zip"
    under_way = [bobs.get(path) for _ in range(takeout.gate.OF_A_TEAM)]
    refused = bobs.get(path)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert refused.json()["code"] == "too_many_downloads"
    for one in under_way:  # hung up before the first byte
        for close in one._resource_closers:
            close()
    for _ in range(2 * takeout.gate.OF_THE_HOST):
        whole = bobs.get(path)
        names = zipfile.ZipFile(io.BytesIO(whole.getvalue())).namelist()
        assert names == ["010 Song 10.wav", "011 Song 11.wav"]


def test_a_zip_says_what_is_missing(bobs: Program, bob: Membership, make_generation: Any) -> None:
    made = bobs.post("batches", ORDER).json()
    one, _two = [
        make_generation(bob, outputs=1, title="Song", batch_id=made["id"], batch_place=place)
        for place in (10, 11)
    ]
    lost = one.outputs.get()
    Output.objects.filter(pk=lost.pk).update(file=f"{lost.file.name}/none")  # below what is no folder
    packed = zipfile.ZipFile(io.BytesIO(bobs.get(f"batches/{made['id']}/results.zip").getvalue()))
    assert packed.namelist() == ["011 Song.wav", "MISSING.txt"]
    assert b"010 Song.wav" in packed.read("MISSING.txt")


def test_what_was_discarded_waits_no_more(bob: Membership) -> None:
    program = Program(ApiToken.issue(bob, count_limit=2))
    made = program.post("batches", ORDER).json()
    assert (made["taken"], made["waiting"]) == (2, 1)
    assert program.post(f"drafts/{Draft.objects.get().pk}/discard").status_code == 204
    for told in (program.get(f"batches/{made['id']}").json(), program.get("batches").json()["items"][0]):
        assert (told["asked"], told["taken"], told["waiting"]) == (3, 2, 0)


def test_the_list_asks_the_same_however_many(bobs: Program) -> None:
    counts = []
    for _ in range(2):
        for title in ("a", "b"):
            bobs.post("batches", {**ORDER, "title": title})
        with CaptureQueriesContext(connection) as queries:
            bobs.get("batches")
        counts.append(len(queries))
    assert counts[0] == counts[1]


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
