"""Several at once: one order of many lines, by JSON or as a table, its cost before, and its results together."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.models import ApiToken, Membership
from generations import library, quota, takeout
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.media import safe_filename
from generations.models import Batch, Connection, Generation, Output
from generations.pipeline import accept, several
from generations.vault import Hidden
from generations.views import access, parcel, spreadsheet
from generations.views.api import lines as limit_lines
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.generate import Key, titled
from generations.views.api.generate import referenced as with_references
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import Stand, absolute, say_when, shown
from generations.views.tally import Tally, tallies

router = Router(tags=["Batches"])

PAGE = 50
TABLE_BYTES = 2 * 1024**2
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HEADS = ("place", "id", "status", "title", "model", "cost", "currency", "error", "files", "finished_at")
PLAIN = r"^[^\x00]*$"


class Item(Schema):
    """One line. `params` are its own, beside and in place of those of the order."""

    model_config = ConfigDict(extra="forbid")

    params: dict[str, Any] = {}
    title: str = Field("", max_length=200)


class NewBatch(Schema):
    """An order of several of one model. `params` hold for every line unless the line says otherwise."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=200, pattern=PLAIN)
    params: dict[str, Any] = {}
    items: list[Item] = Field(min_length=1, max_length=several.MOST)
    title: str = Field("", max_length=200)


class Preview(Schema):
    """What it would come to: `fit` of `count` within the limits. A cost is null while a price is unknown."""

    count: int
    fit: int
    cost: schemas.Amount | None
    currency: str
    refusing: list[schemas.Line]


class BatchShown(Schema):
    """How it stands, all of it counted, also what is private or in the trash. `waiting` were stopped by a limit; they
    lie among the drafts of its author, and are none once these are discarded.
    """

    id: UUID
    title: str
    model: str
    author: str
    asked: int
    taken: int
    finished: int
    under_way: int
    ended_badly: int
    waiting: int
    cost: schemas.Amount
    created_at: datetime
    results_zip: str
    results_csv: str


class BatchDetail(BatchShown):
    """With those of its generations that are there for the caller, in the order of its lines."""

    items: list[schemas.Generation]


class Batches(Schema):
    """A page, newest first. `next_cursor` is null on the last."""

    items: list[BatchShown]
    next_cursor: str | None


class Before(Schema):
    cursor: str = Field("", pattern=r"^([0-9a-f]{32})?$", description="`next_cursor` of the page before.")


@router.post(
    "batches",
    response={201: BatchDetail, 200: BatchDetail, **answers(400, 402, 409, 413, 422, 507)},
    operation_id="make_batch",
    auth=generates,
    summary="Order several",
)
def batch_new(
    request: ApiRequest, response: HttpResponse, order: NewBatch, idempotency_key: Key = None
) -> Any:
    """Takes as many lines, in order, as the limits let through; the rest is kept as a draft. 402 when not one fits."""
    lines = [
        several.Line(place, None, titled(one.title), with_references(order.model, one.params))
        for place, one in enumerate(order.items, start=1)
    ]
    return _taken(
        request, response, order.model, order.params, lines, order.title, idempotency_key, strict=True
    )


TABLE = schemas.form_with_file("model", model={"type": "string"}, title={"type": "string"})


@router.post(
    "batches/csv",
    response={201: BatchDetail, 200: BatchDetail, **answers(400, 402, 409, 413, 422, 507)},
    operation_id="make_batch_of_table",
    auth=generates,
    summary="Order several by a table",
    openapi_extra=TABLE,
)
def batch_table(request: ApiRequest, response: HttpResponse, idempotency_key: Key = None) -> Any:
    """A CSV file whose first row names params and, if wanted, `title`; each row after it is one line. Empty cells are
    left out. Cells are separated by commas, semicolons or tabs; the text is UTF-8, or UTF-16 with its mark.
    """
    if not request.auth.membership.may_generate:
        raise accept.MayNotGenerate
    file = request.FILES.get("file")
    if file is None:
        raise InvalidParams({"file": ["Send the table as multipart/form-data in a part called file."]})
    if (file.size or 0) > TABLE_BYTES:
        raise RequestDataTooBig
    model, title = request.POST.get("model", ""), request.POST.get("title", "")
    lines = list(_rows(model, file.read()))
    return _taken(request, response, model, {}, lines, title, idempotency_key, strict=False)


@router.post(
    "batches/preview",
    response={200: Preview, **answers(400, 413, 422)},
    operation_id="preview_batch",
    auth=generates,
    summary="What several would cost",
)
def batch_preview(request: ApiRequest, order: NewBatch) -> Any:
    """Orders nothing."""
    membership = request.auth.membership
    if not membership.may_generate:
        raise accept.MayNotGenerate
    connection = Connection.of(membership.team)
    spec = accept.offered(order.model, connection, membership.team)
    lines = [
        several.Line(place, None, titled(one.title), with_references(order.model, one.params))
        for place, one in enumerate(order.items, start=1)
    ]
    tariff = accept.Tariff(spec, connection, membership.team)
    raw = with_references(order.model, order.params)
    costs = [one.estimate.cost for one in several.orders(spec, raw, lines, tariff, strict=True)]
    room = quota.room(quota.standing(membership, token=request.auth), costs)
    known = [cost for cost in costs if cost is not None]
    return Preview(
        count=len(costs),
        fit=room.fit,
        cost=schemas.amount(sum(known, Decimal(0))) if len(known) == len(costs) else None,
        currency=connection.currency,
        refusing=[limit_lines.shown(line) for line in room.refusing],
    )


@router.get(
    "batches", response={200: Batches, **answers(422)}, operation_id="batches", summary="Orders of several"
)
def batches(request: ApiRequest, before: Query[Before]) -> Any:
    """The team's, newest first."""
    membership = request.auth.membership
    rows = access.batches(membership).order_by("-id")
    if before.cursor:
        rows = rows.filter(id__lt=UUID(before.cursor))
    found = list(rows[: PAGE + 1])
    known = tallies(membership, found[:PAGE], access.hidden(membership))
    items = [BatchShown(**_stands(request, one, known[one.pk])) for one in found[:PAGE]]
    return Batches(items=items, next_cursor=found[PAGE - 1].pk.hex if len(found) > PAGE else None)


@router.get(
    "batches/{uuid:id}",
    response={200: BatchDetail, **answers(404)},
    operation_id="batch",
    summary="One of several",
)
def batch_one(request: ApiRequest, response: HttpResponse, id: UUID) -> Any:
    """How far it is, with its generations. While one is not over, `Retry-After` says in how many seconds to ask."""
    return _detail(request, response, access.batch(request.auth.membership, id))


FILE = {
    "200": {
        "description": "The file.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "batches/{uuid:id}/results.zip",
    response=answers(404, 429),
    operation_id="batch_zip",
    summary="Its results as a zip",
    openapi_extra={"responses": FILE},
)
def batch_zip(request: ApiRequest, id: UUID) -> HttpResponseBase:
    """Every stored file under the number of its line and its title; MISSING.txt names what could not be read."""
    membership = request.auth.membership
    found = access.batch(membership, id)
    hidden = access.hidden(membership)
    rows = _made(membership, found, hidden)
    name = tallies(membership, [found], hidden)[found.pk].title
    try:
        slot = takeout.enter(membership.team_id)
    except takeout.Full:
        detail = "Your team takes out as much at once as it can at present."
        return problem("too_many_downloads", detail, headers={"Retry-After": str(parcel.SECONDS)})
    try:
        return parcel.send(request, name, _entries(rows, membership.team.zone), slot, tells_length=False)
    except BaseException:
        slot.leave()
        raise


@router.get(
    "batches/{uuid:id}/results.csv",
    response=answers(404),
    operation_id="batch_csv",
    summary="Its results as a table",
    openapi_extra={"responses": FILE},
)
def batch_csv(request: ApiRequest, id: UUID) -> HttpResponseBase:
    """A row for each generation, with the names that its files have in the zip."""
    membership = request.auth.membership
    found = access.batch(membership, id)
    made = _made(membership, found, access.hidden(membership))
    rows = ([_cell(row, name) for name in HEADS] for row in made)
    return spreadsheet.download(f"batch-{found.pk}.csv", HEADS, rows)


def _taken(
    request: ApiRequest,
    response: HttpResponse,
    model: str,
    params: Mapping[str, Any],
    lines: list[several.Line],
    title: str,
    key: str | None,
    *,
    strict: bool,
) -> Any:
    token: ApiToken = request.auth
    taken = several.accept(
        token.membership,
        model,
        with_references(model, dict(params)),
        lines,
        title=titled(title),
        idempotency_key=key or "",
        token=token,
        strict=strict,
    )
    found = access.batch(token.membership, taken.batch.pk)
    response["Location"] = absolute(request, "batch_one", id=found.pk)
    return Status(201 if taken.created else 200, _detail(request, response, found))


def _detail(request: ApiRequest, response: HttpResponse, found: Batch) -> BatchDetail:
    membership = request.auth.membership
    hidden = access.hidden(membership)
    rows = _made(membership, found, hidden)
    stand = Stand.of(rows)
    say_when(response, rows, stand)
    items = [shown(request, row, stand) for row in rows]
    tally = tallies(membership, [found], hidden)[found.pk]
    return BatchDetail(**_stands(request, found, tally), items=items)


def _made(membership: Membership, found: Batch, hidden: Hidden) -> list[Generation]:
    rows = library.shelf(membership, hidden.generations).filter(batch=found)
    made = list(
        rows.order_by("batch_place")
        .select_related("author")
        .prefetch_related("outputs")
        .defer(*library.HEAVY)
    )
    access.veil(made, hidden)
    return made


def _stands(request: ApiRequest, found: Batch, tally: Tally) -> dict[str, Any]:
    return {
        "id": found.pk,
        "title": tally.title,
        "model": found.model,
        "author": found.author.email,
        "asked": found.asked,
        "taken": tally.taken,
        "finished": tally.finished,
        "under_way": tally.under_way,
        "ended_badly": tally.ended_badly,
        "waiting": tally.waiting,
        "cost": schemas.amount(tally.cost),
        "created_at": found.created_at,
        "results_zip": absolute(request, "batch_zip", id=found.pk),
        "results_csv": absolute(request, "batch_csv", id=found.pk),
    }


def _rows(model: str, data: bytes) -> Iterator[several.Line]:
    """Raises `InvalidParams`."""
    try:
        written = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
        first = written.partition("\n")[0]
        # Spreadsheets write what their country separates cells by; a name of a param has none of these in it.
        delimiter = next((one for one in ";\t" if one in first and "," not in first), ",")
        table = list(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidParams({"file": ["This is no CSV file in UTF-8."]}) from None
    if len(table) < 2:
        raise InvalidParams({"file": ["The first row names params; write at least one row after it."]})
    heads, rows = [one.strip() for one in table[0]], [row for row in table[1:] if any(row)]
    if len(set(heads)) < len(heads) or "" in heads:
        raise InvalidParams({"file": ["Each column needs a name of its own."]})
    if not 0 < len(rows) <= several.MOST:
        raise InvalidParams({"file": [f"A table has 1 to {several.MOST} rows; this one has {len(rows)}."]})
    for place, row in enumerate(rows, start=1):
        if len(row) > len(heads):
            raise InvalidParams({"file": [f"Row {place} has more cells than there are names."]})
        values = {name: cell for name, cell in zip(heads, row, strict=False) if cell != ""}
        title = values.pop("title", "") if "title" not in _keys(model) else values.get("title", "")
        yield several.Line(place, None, titled(title), with_references(model, values))


def _keys(model: str) -> set[str]:
    spec: ModelSpec = load.get(model)
    return {param.key for param in spec.params}


def _file_name(row: Generation, output: Output) -> str:
    several_ = f" {output.index + 1}" if len(row.outputs.all()) > 1 else ""
    return safe_filename(f"{row.batch_place or 0:03} {row.title}{several_}", output.extension)


def _entries(rows: Iterable[Generation], zone: ZoneInfo) -> list[takeout.Entry]:
    return [
        takeout.Entry(
            _file_name(row, output),
            output.bytes if output.file else len(output.text.encode()),
            partial(takeout.open_output, output),
            row.created_at.astimezone(zone),
        )
        for row in rows
        for output in row.outputs.all()
    ]


def _cell(row: Generation, name: str) -> Any:
    match name:
        case "place":
            return row.batch_place
        case "id":
            return str(row.pk)
        case "cost":
            return row.cost_counted
        case "error":
            return row.error_code
        case "files":
            return "; ".join(_file_name(row, output) for output in row.outputs.all())
    return getattr(row, name)
