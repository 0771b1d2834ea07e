"""Many at once and taking it back; one more of the same; the rest of an order; which take is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.roles import Deed
from generations import keeping
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams
from generations.models import Draft, Output
from generations.models.tag import LONGEST
from generations.pipeline import several
from generations.views import access, deeds
from generations.views import bulk as page
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.generate import Key
from generations.views.api.posted import NUMBER
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import Stand, absolute, say_when, shown
from generations.views.generation_verbs import ConsentNeeded, anew

router = Router(tags=["Keeping order"])
DeedName = Literal[
    "star", "unstar", "rate", "tag", "untag", "collect", "uncollect", "approve", "unapprove", "private", "team",
    "trash",
]  # fmt: skip


class Order(Schema):
    """What to do with all of `generations`: `rate` takes a `rating`, `tag` and `untag` a `tag`, `collect` and
    `uncollect` a `collection`.
    """

    model_config = ConfigDict(extra="forbid")

    deed: DeedName
    generations: list[UUID] = Field(min_length=1, max_length=keeping.MOST)
    rating: Annotated[int, Field(ge=0, le=5), NUMBER] | None = None
    tag: str = Field("", max_length=LONGEST, pattern=r"^[^\x00-\x1f,]*$")
    collection: UUID | None = None


class DeedDone(Schema):
    """`changed` of them are different now, `left` are not the caller's to change or cannot be. POST undo takes `undo`
    back; null when nothing was changed.
    """

    changed: int
    left: int
    message: str
    undo: UUID | None


class Undo(Schema):
    model_config = ConfigDict(extra="forbid")

    undo: UUID


class Undone(Schema):
    """`left` were changed by somebody since and stay as they are."""

    changed: int
    left: int


class Take(Schema):
    """The index of the output to keep; null: none is marked."""

    model_config = ConfigDict(extra="forbid")

    output: Annotated[int, Field(ge=0, le=1000), NUMBER] | None


class Rest(Schema):
    """How many of the order were sent now, and how many still wait."""

    sent: int
    waiting: int


@router.post(
    "deeds",
    response={200: DeedDone, **answers(400, 404, 413, 422)},
    operation_id="do_with_several",
    auth=generates,
    summary="Do something with several",
)
def deed_done(request: ApiRequest, wanted: Order) -> Any:
    """By the same roles as with one: `approve` is for managers; `private`, `team` and `trash` for authors too."""
    me = request.auth.membership
    needed = {
        "tag": wanted.tag,
        "untag": wanted.tag,
        "collect": wanted.collection,
        "uncollect": wanted.collection,
    }
    said = {"rating": "" if wanted.rating is None else str(wanted.rating), "tag": wanted.tag}
    access.allowed(me, deeds.KINDS[wanted.deed].deed)
    if not needed.get(wanted.deed, True):
        param = "tag" if "tag" in wanted.deed else "collection"
        raise InvalidParams({param: ["This is needed."]})
    if wanted.collection is not None:
        said["collection"] = str(wanted.collection)
    try:
        done = deeds.do(me, wanted.deed, list(dict.fromkeys(wanted.generations)), said)
    except deeds.BadDeed as bad:
        param = {"rate": "rating", "tag": "tag"}.get(wanted.deed, "generations")
        raise InvalidParams({param: [str(bad)]}) from None
    return DeedDone(
        changed=done.count,
        left=done.left,
        message=done.sentence,
        undo=done.change.pk if done.change else None,
    )


@router.post(
    "undo",
    response={200: Undone, **answers(400, 404, 409, 413, 422)},
    operation_id="undo",
    auth=generates,
    summary="Take a deed back",
)
def deed_undone(request: ApiRequest, wanted: Undo) -> Any:
    """One of the caller's own, as far as nobody has changed it since and the caller may still change it. 409 when it
    was taken back or is too long ago.
    """
    me = may(request, Deed.SEE)
    done = page.take_back(me, access.change(me, wanted.undo))
    if done is None:
        return problem("not_possible", "That was taken back already, or it is too long ago.")
    return Undone(changed=done.done, left=done.left)


@router.post(
    "generations/{uuid:id}/keeper",
    response={204: None, **answers(400, 404, 413, 422)},
    operation_id="keep_output",
    auth=generates,
    summary="Which output to keep",
)
def generation_take(request: ApiRequest, id: UUID, wanted: Take) -> Any:
    """Its author and managers may."""
    found = access.changeable_generation(request.auth.membership, id)
    if not Output.keep(found, wanted.output):
        raise InvalidParams({"output": ["There is no output of this index."]})
    return Status(204, None)


@router.post(
    "generations/{uuid:id}/again",
    response={201: schemas.Generation, 200: schemas.Generation, **answers(402, 404, 409, 422, 507)},
    operation_id="generate_again",
    auth=generates,
    summary="Generate the same once more",
)
def generation_anew(
    request: ApiRequest, response: HttpResponse, id: UUID, idempotency_key: Key = None
) -> Any:
    """The same model and params under the same title, under the caller's limits and at today's price."""
    me = may(request, Deed.GENERATE)
    found = access.generation(me, id)
    try:
        taken = anew(me, found, idempotency_key or "", request.auth)
    except ConsentNeeded as needed:
        return problem("not_possible", str(needed))
    row = access.generation(me, taken.generation.pk)
    response["Location"] = absolute(request, "generation", id=row.pk)
    stand = Stand.of([row], row.created_at)
    say_when(response, [row], stand)
    return Status(201 if taken.created else 200, shown(request, row, stand))


@router.post(
    "batches/{uuid:id}/rest",
    response={200: Rest, **answers(402, 404, 409, 422, 507)},
    operation_id="send_rest",
    auth=generates,
    summary="Send what waits of an order",
)
def batch_more(request: ApiRequest, id: UUID) -> Any:
    """As far as the limits of whoever ordered let it; 402 when nothing fits, 409 when nothing of theirs waits."""
    me = may(request, Deed.GENERATE)
    found = access.batch(me, id)
    draft = Draft.objects.filter(batch=found, team=me.team_id, author=me.user_id).first()
    try:
        if draft is None:
            raise several.RestGone
        taken = several.accept_rest(me, draft.pk, request.auth)
    except several.RestGone:
        return problem("not_possible", "Nothing waits here any more.")
    except load.UnknownModel:
        return problem("not_possible", "This model is no longer in the catalogue, so the rest cannot run.")
    return Rest(sent=taken.taken, waiting=len(taken.rest.lines) if taken.rest else 0)
