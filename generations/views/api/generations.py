"""Finding, showing and cancelling. The router is that of generating, because one address takes both methods."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Schema
from pydantic import Field

from accounts.models import Membership
from generations import library
from generations.catalogue import load
from generations.models import OVER, Generation, read_id
from generations.pipeline import cancel
from generations.views import access
from generations.views.api import freshness, schemas
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.generate import router
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import Stand, say_when, shown

__all__ = ["router"]

NOBODY = -1
NOWHERE = UUID(int=0)
PLAIN = r"^[^\x00]*$"


class Filters(Schema):
    """Empty means everything."""

    status: Literal[schemas.StateName, ""] = ""
    model: str = Field("", max_length=200, pattern=PLAIN, description="Slug or alias.")
    author: str = Field("", max_length=254, pattern=PLAIN, description="Email of a member, or `me`.")
    q: str = Field(
        "", max_length=200, pattern=PLAIN, description="Words of title, params or model; all must occur."
    )
    voice: str = Field(
        "", pattern=r"^([0-9a-fA-F-]{32,36})?$", description="Id of a voice of the team; what it said."
    )
    cursor: str = Field("", pattern=r"^([0-9a-f]{32})?$", description="`next_cursor` of the page before.")


@router.get(
    "generations",
    response={200: schemas.Generations, **answers(422)},
    operation_id="generations",
    summary="Find generations",
)
def generations(request: ApiRequest, response: HttpResponse, filters: Query[Filters]) -> Any:
    """The team's generations, newest first, a page at a time. What nothing fits gives an empty page.

    While one of the page is not over, `Retry-After` says in how many seconds to ask again.
    """
    membership = request.auth.membership
    wanted = library.Filter(
        q=filters.q,
        model=_slug(filters.model),
        author=_author(membership, filters.author),
        status=filters.status,
        voice=_voice(membership, filters.voice),
    )
    hidden = access.hidden(membership)
    if freshness.asks_again(request):
        made_of = library.stamps_query(
            membership, wanted, filters.cursor, freshness.STAMP, without=hidden.generations
        )
        seen, rows = freshness.look(request.auth, made_of), list(made_of)
        more = len(rows) > library.PAGE
        etag = freshness.of_rows(request, membership, hidden, rows[: library.PAGE], more)
        if freshness.is_known(request, etag):
            return _not_changed(request, etag, [row[1] for row in rows[: library.PAGE]], seen)
    page = library.page(membership, wanted, filters.cursor, without=hidden.generations)
    stamps = [freshness.stamp(row) for row in page.items]
    etag = freshness.of_rows(request, membership, hidden, stamps, bool(page.next_cursor))
    access.veil(page.items, hidden)
    stand = Stand.of(page.items)
    say_when(response, page.items, stand)
    freshness.headed(response, etag)
    return schemas.Generations(
        items=[shown(request, row, stand) for row in page.items], next_cursor=page.next_cursor or None
    )


@router.get(
    "generations/{uuid:id}",
    response={200: schemas.Generation, **answers(404)},
    operation_id="generation",
    summary="One generation",
    url_name="generation",
)
def generation(request: ApiRequest, response: HttpResponse, id: UUID) -> Any:
    """How it stands. While it is not over, `Retry-After` says in how many seconds to ask again."""
    membership = request.auth.membership
    hidden = access.hidden(membership)
    if freshness.asks_again(request) and id not in hidden.generations:
        open_to_them = Generation.objects.shown_to(membership).filter(pk=id, purged_at=None)
        made_of = open_to_them.values_list(*freshness.STAMP)
        seen, rows = freshness.look(request.auth, made_of), list(made_of)
        etag = freshness.of_rows(request, membership, hidden, rows)
        if rows and freshness.is_known(request, etag):
            return _not_changed(request, etag, [rows[0][1]], seen)
    row = access.generation(membership, id)
    stand = Stand.of([row])
    say_when(response, [row], stand)
    freshness.headed(response, freshness.of_rows(request, membership, hidden, [freshness.stamp(row)]))
    return shown(request, row, stand)


@router.post(
    "generations/{uuid:id}/cancel",
    response={200: schemas.Generation, **answers(403, 404, 409)},
    operation_id="cancel",
    auth=generates,
    summary="Cancel a generation",
)
def cancel_generation(request: ApiRequest, id: UUID) -> Any:
    """Ends it at once while it waits. Later it is a wish: it may still finish and may still be charged.

    Its author and managers may. Cancelling again is fine as long as it is not over.
    """
    membership = request.auth.membership
    row = access.changeable_generation(membership, id)
    ended = cancel.cancel(row)
    row = access.generation(membership, id)
    if row.is_over and not ended:
        return problem(
            "already_over", "It has ended, so it cannot be cancelled.", generation_status=row.status
        )
    return shown(request, row)


def _not_changed(
    request: ApiRequest, etag: str, states: list[str], seen: freshness.Seen | None
) -> HttpResponse:
    kept = freshness.not_changed(etag)
    moving = any(state not in OVER for state in states)
    pause = str(freshness.CLOCK) if moving else ""
    if moving:
        kept["Retry-After"] = pause
    freshness.remember(request, request.auth, etag, seen, moving=moving, retry_after=pause)
    return kept


def _slug(name: str) -> str:
    """The slug of a model. A model that left the catalogue is still found by the slug or endpoint it had."""
    try:
        return load.get(name).slug
    except load.UnknownModel:
        return name.replace("/", "--")


def _author(membership: Membership, name: str) -> int | None:
    """The user of this email who is or was in the team. Somebody else has made nothing here."""
    if not name:
        return None
    if name == "me":
        return membership.user_id
    rows = Membership.objects.filter(team=membership.team_id, user__email__iexact=name)
    return rows.values_list("user", flat=True).first() or NOBODY


def _voice(membership: Membership, given: str) -> UUID | None:
    """With a voice that is not there for the caller nothing was said."""
    pk = read_id(given)
    if not given:
        return None
    return pk if pk and access.voices(membership).filter(pk=pk).exists() else NOWHERE
