"""LoRAs of the team: give RunningHub a file, and learn the name that inputs of RHLoraLoader take."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from ninja import Router, Schema, Status

from accounts.models import Team
from accounts.roles import Deed
from generations import disk
from generations import loras as verbs
from generations.catalogue.spec import InvalidParams
from generations.models import Connection, Lora
from generations.uploads import is_too_large
from generations.views import access
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import absolute
from generations.views.api.uploads import ENVELOPE_BYTES

router = Router(tags=["Models"])
DOCUMENTED = schemas.form_with_file(
    name={
        "type": "string",
        "maxLength": verbs.NAME,
        "description": "What the team calls it; else the file's name.",
    }
)


class LoraShown(Schema):
    """`state`: waiting, given or failed, then `fault` says why. `upstream_name` is what an input of RHLoraLoader takes,
    empty unless it is given. `at_hand`: the team uses that `connection`, so its workflows can take it.
    """

    id: int
    name: str
    upstream_name: str
    state: str
    fault: str
    md5: str
    bytes: int
    connection: str
    at_hand: bool
    added_by: str | None
    added_at: datetime


class Loras(Schema):
    items: list[LoraShown]
    next_cursor: None = None


@router.get("loras", response={200: Loras, **answers(403)}, operation_id="loras", summary="LoRAs")
def lora_list(request: ApiRequest) -> Any:
    """For managers. Those at the account that the team uses first, then newest first, at most two hundred."""
    actor = may(request, Deed.BRING_IN)
    return Loras(items=[_shown(row, actor.team) for row in verbs.of(actor.team)[: verbs.MOST]])


@router.post(
    "loras",
    response={201: LoraShown, 200: LoraShown, **answers(400, 403, 413, 422, 507)},
    operation_id="give_lora",
    auth=manages,
    summary="Upload a LoRA",
    openapi_extra=DOCUMENTED,
)
def lora_new(request: ApiRequest, response: HttpResponse) -> Any:
    """For managers. RunningHub gets it in the background, one file after another: ask `Location` how that stands. What
    the line of the portal does not send within 220 seconds fails. 200: it is there already.
    """
    actor = may(request, Deed.BRING_IN)
    disk.refuse_when_low()
    if is_too_large(request, ENVELOPE_BYTES):
        raise RequestDataTooBig
    file = request.FILES.get("file")
    if file is None:
        raise InvalidParams({"file": ["Send the file as multipart/form-data in a part called file."]})
    try:
        lora, made = verbs.keep(actor.team, actor.user, file, request.POST.get("name", ""))
    except verbs.NotTaken as refused:
        raise InvalidParams({refused.field: [str(refused)]}) from None
    response["Location"] = absolute(request, "lora_one", id=lora.pk)
    return Status(201 if made else 200, _shown(lora, actor.team))


@router.get(
    "loras/{int:id}",
    response={200: LoraShown, **answers(403, 404)},
    operation_id="lora",
    summary="One LoRA",
)
def lora_one(request: ApiRequest, id: int) -> Any:
    """For managers."""
    actor = may(request, Deed.BRING_IN)
    return _shown(access.lora(actor, id), actor.team)


@router.post(
    "loras/{int:id}/again",
    response={200: LoraShown, **answers(403, 404, 409)},
    operation_id="lora_again",
    auth=manages,
    summary="Try one again",
)
def lora_anew(request: ApiRequest, id: int) -> Any:
    """For managers. 409 for one that did not fail, or whose file is gone."""
    actor = may(request, Deed.BRING_IN)
    if not verbs.again(access.lora(actor, id)):
        return problem("not_possible", "There is nothing to try again.")
    return _shown(access.lora(actor, id), actor.team)


@router.post(
    "loras/{int:id}/delete",
    response={204: None, **answers(403, 404, 409)},
    operation_id="remove_lora",
    auth=manages,
    summary="Take one off the list",
)
def lora_drop(request: ApiRequest, id: int) -> Any:
    """For managers. What RunningHub has of it stays there. 409 while it is being given."""
    actor = may(request, Deed.BRING_IN)
    if not verbs.remove(access.lora(actor, id), actor.user):
        return problem("not_possible", "It is being given just now.")
    return Status(204, None)


def _shown(row: Lora, team: Team) -> LoraShown:
    return LoraShown(
        id=row.pk,
        name=row.name,
        upstream_name=row.upstream_name,
        state=row.state,
        fault=row.sentence,
        md5=row.digest,
        bytes=row.bytes,
        connection=str(row.connection),
        at_hand=row.connection_id == Connection.of(team).pk,
        added_by=row.added_by.email if row.added_by else None,
        added_at=row.added_at,
    )
