"""Drafts: forms that their author put aside, and what a limit stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.roles import Deed
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams
from generations.forms.field import as_text
from generations.models import Draft, HeldOrder
from generations.pipeline import hold
from generations.views import access
from generations.views import drafts as page
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.generate import referenced, titled
from generations.views.api.problems import answers, problem

router = Router(tags=["Own"])


class DraftShown(Schema):
    """A form that is not sent. `is_running`: what the page of its model holds open. `batch` and `waiting`: the order of
    several that a limit stopped, and how many of its lines wait here.
    """

    id: UUID
    model: str
    title: str
    params: dict[str, Any]
    is_running: bool
    batch: UUID | None
    waiting: int
    updated_at: datetime


class Drafts(Schema):
    """The last ones, newest first."""

    items: list[DraftShown]
    next_cursor: None = None


class NewDraft(Schema):
    """`params` may be unfinished or wrong; what is no param of the model is left out. `id` names the draft
    of the same model whose place it takes; what a page holds open, or what waits of an order, cannot be replaced.
    """

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=200)
    params: dict[str, Any] = {}
    title: str = Field("", max_length=200)
    id: UUID | None = None


class HeldShown(Schema):
    """An order that a limit refused, sent by itself at `due_at`."""

    id: UUID
    model: str
    title: str
    due_at: datetime


class Held(Schema):
    items: list[HeldShown]
    next_cursor: None = None


@router.get("drafts", response={200: Drafts, **answers()}, operation_id="drafts", summary="Drafts")
def draft_list(request: ApiRequest) -> Any:
    """The caller's own; nobody else sees them."""
    return Drafts(items=[_shown(row) for row in page.newest(may(request, Deed.GENERATE))])


@router.get(
    "drafts/{uuid:id}", response={200: DraftShown, **answers(404)}, operation_id="draft", summary="One draft"
)
def draft_one(request: ApiRequest, id: UUID) -> Any:
    """Send its `params` to POST generations, then discard it."""
    return _shown(access.draft(may(request, Deed.GENERATE), id))


@router.post(
    "drafts",
    response={201: DraftShown, **answers(400, 404, 413, 422)},
    operation_id="keep_draft",
    auth=generates,
    summary="Keep a draft",
)
def draft_new(request: ApiRequest, wanted: NewDraft) -> Any:
    """Costs nothing and checks nothing: it opens as a filled form on the page of the model."""
    me = may(request, Deed.GENERATE)
    spec = access.model(load.get(wanted.model).slug, me)
    keys = {param.key for param in spec.params}
    values = {key: value for key, value in referenced(spec.slug, wanted.params).items() if key in keys}
    if sum(len(as_text(value)) for value in values.values()) > page.LARGEST:
        raise InvalidParams({"params": [f"A draft has at most {page.LARGEST} characters."]})
    title = titled(wanted.title)
    if wanted.id is None:
        return Status(201, _shown(page.put_aside(me, spec, values, title)))
    kept = page.put_in_place(me, spec, values, title, access.draft(me, wanted.id).pk)
    if kept is None:
        raise InvalidParams({"id": ["Only a draft of the same model that was put aside can be replaced."]})
    return Status(201, _shown(kept))


@router.post(
    "drafts/{uuid:id}/discard",
    response={204: None, **answers(404)},
    operation_id="discard_draft",
    auth=generates,
    summary="Throw a draft away",
)
def draft_drop(request: ApiRequest, id: UUID) -> Any:
    """It cannot be had again."""
    access.draft(may(request, Deed.GENERATE), id).delete()
    return Status(204, None)


@router.get(
    "held", response={200: Held, **answers()}, operation_id="held", summary="Orders that wait for a limit"
)
def held_list(request: ApiRequest) -> Any:
    """The caller's own. Nothing is reserved for them: when their time comes they may be refused again."""
    me = may(request, Deed.GENERATE)
    rows = HeldOrder.objects.filter(membership=me, state=HeldOrder.State.WAITING).order_by("due_at", "pk")
    items = [HeldShown(id=row.pk, model=row.model, title=row.title, due_at=row.due_at) for row in rows]
    return Held(items=items)


@router.post(
    "held/{uuid:id}/withdraw",
    response={200: DraftShown, **answers(404, 409)},
    operation_id="withdraw_held",
    auth=generates,
    summary="Take back an order that waits",
)
def held_drop(request: ApiRequest, id: UUID) -> Any:
    """It is not sent by itself any more and is a draft again."""
    draft = hold.withdraw(access.held_order(may(request, Deed.GENERATE), id))
    if draft is None:
        return problem("not_possible", "This was sent or taken back already.")
    return _shown(draft)


def _shown(row: Draft) -> DraftShown:
    return DraftShown(
        id=row.pk,
        model=row.model,
        title=row.title,
        params=row.params if isinstance(row.params, dict) else {},
        is_running=row.is_running,
        batch=row.batch_id,
        waiting=len(row.lines),
        updated_at=row.updated_at,
    )
