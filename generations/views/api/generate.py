"""The second entrance to the door."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Header, Router, Status

from accounts.models import Membership
from generations import own_models, vault
from generations.catalogue import load, text
from generations.catalogue.spec import InvalidParams
from generations.pipeline import accept, twins
from generations.views import access, inputs
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.problems import answers
from generations.views.api.receipt import Stand, absolute, say_when, shown

router = Router(tags=["Generations"])

BARE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key within a day gives back what it made, with 200 instead of 201.",
    ),
]


@router.post(
    "generations",
    response={201: schemas.Generation, 200: schemas.Generation, **answers(400, 402, 403, 409, 413, 422, 507)},
    operation_id="generate",
    auth=generates,
    summary="Generate",
)
def generate(
    request: ApiRequest, response: HttpResponse, order: schemas.NewGeneration, idempotency_key: Key = None
) -> Any:
    """Takes an order under the member's limits. It is generated in the background: ask `Location` how it stands.

    Where the same was made before by a model that makes the same each time, `Link` with rel="duplicate" names it; the
    order is taken all the same. 201 is a new generation; 200 gives back the one that the Idempotency-Key already
    stands for.
    """
    membership = request.auth.membership
    if not membership.may_generate:
        raise accept.MayNotGenerate
    spec = own_models.known(order.model, membership.team)
    given = inputs.settled(membership, spec, referenced(order.model, order.params))
    if given.errors:
        raise InvalidParams(given.errors)
    twin = twins.twin_of(membership, spec, given.raw, strict=True)
    taken = accept.accept(
        membership,
        order.model,
        given.raw,
        title=titled(order.title or ""),
        idempotency_key=idempotency_key or "",
        strict=True,
        voice=_wish(membership, order),
        token=request.auth,
    )
    row = access.generation(membership, taken.generation.pk)
    response["Location"] = absolute(request, "generation", id=row.pk)
    if twin is not None and twin.pk != row.pk:
        response["Link"] = f'<{absolute(request, "generation", id=twin.pk)}>; rel="duplicate"'
    # As of its making, so that equal requests get equal answers.
    stand = Stand.of([row], row.created_at)
    say_when(response, [row], stand)
    return Status(201 if taken.created else 200, shown(request, row, stand))


def _wish(membership: Membership, order: schemas.NewGeneration) -> vault.Wish | None:
    """What is said about the voice to be made. Raises `InvalidParams` for people who are not in the team."""
    said = order.voice
    if said is None:
        return None
    if vault.maker(load.get(order.model)) is None:
        raise InvalidParams({"voice": ["This model makes no voice; leave it out."]})
    people = colleagues(membership, said.members, "voice.members")
    return vault.Wish(said.name, said.language, said.audience, people, said.speaker, said.consent)


def colleagues(membership: Membership, emails: Iterable[str], param: str) -> list[int]:
    """The ids of the users with these emails. Raises `InvalidParams` for people who are not in the team."""
    wanted = {email.lower() for email in emails}
    rows = Membership.objects.filter(team=membership.team_id, ended_at=None)
    sendable = [email for email in wanted if email.isprintable()]
    found = dict(rows.filter(user__email__in=sendable).values_list("user__email", "user"))
    if missing := sorted(wanted - set(found)):
        shown = ", ".join(text.printable(email) for email in missing[:5])
        raise InvalidParams({param: [f"Not in the team: {shown}."]})
    return sorted(found.values())


def titled(given: str) -> str:
    """A title on one line. Raises `InvalidParams`."""
    try:
        return " ".join(text.settled(given).split())
    except text.Fault as fault:
        raise InvalidParams({"title": [str(fault)]}) from None


def referenced(model: str, params: dict[str, Any]) -> dict[str, Any]:
    """The params with a bare upload id written as the reference that it means."""
    media = {param.key for param in load.get(model).params if param.type.is_media}

    def reference(value: Any) -> Any:
        if isinstance(value, list):
            return [reference(entry) for entry in value]
        return f"upload:{value.lower()}" if isinstance(value, str) and BARE_ID.fullmatch(value) else value

    return {key: reference(value) if key in media else value for key, value in params.items()}
