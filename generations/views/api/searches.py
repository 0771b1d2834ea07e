"""Saved searches: views of the library under a name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.roles import Deed
from generations.catalogue.spec import InvalidParams
from generations.models import SavedSearch
from generations.views import access, saved_searches
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.posted import PLAIN
from generations.views.api.problems import answers

router = Router(tags=["Keeping order"])


class Search(Schema):
    """`query` is what stands in the address of the library page behind the question mark."""

    id: UUID
    name: str
    query: str
    shared: bool
    author: str


class Searches(Schema):
    """By name."""

    items: list[Search]
    next_cursor: None = None


class NewSearch(Schema):
    """What is no filter of the library is left out of `query`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60, pattern=PLAIN)
    query: str = Field(min_length=1, max_length=4000, pattern=PLAIN, examples=["q=rain&kind=music"])
    shared: StrictBool = False


@router.get(
    "searches", response={200: Searches, **answers()}, operation_id="searches", summary="Saved searches"
)
def search_list(request: ApiRequest) -> Any:
    """One's own and those shared with the team."""
    return Searches(items=[_shown(one.search) for one in saved_searches.saved(request.auth.membership)])


@router.post(
    "searches",
    response={201: Search, **answers(400, 413, 422)},
    operation_id="save_search",
    auth=generates,
    summary="Save a search",
)
def search_put(request: ApiRequest, wanted: NewSearch) -> Any:
    """One of one's own of the same name is replaced. Only those who may generate share theirs."""
    me = may(request, Deed.SEE)
    query = saved_searches.query_of(me, wanted.query)
    try:
        kept = saved_searches.keep(me, wanted.name, query, shared=wanted.shared)
    except saved_searches.NotKept as fault:
        raise InvalidParams({fault.field: [str(fault)]}) from None
    return Status(201, _shown(kept))


@router.post(
    "searches/{uuid:id}/remove",
    response={204: None, **answers(404)},
    operation_id="remove_search",
    auth=generates,
    summary="Forget a search",
)
def search_drop(request: ApiRequest, id: UUID) -> Any:
    """Its author, and managers where it is shared. What it finds stays where it is."""
    access.changeable_saved_search(may(request, Deed.SEE), id).delete()
    return Status(204, None)


def _shown(row: SavedSearch) -> Search:
    return Search(id=row.pk, name=row.name, query=row.query, shared=row.shared, author=row.author.email)
