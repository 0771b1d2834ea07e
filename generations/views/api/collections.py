"""Collections by program."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.models import Membership, audit
from accounts.roles import Deed
from generations import keeping, library
from generations.catalogue.spec import InvalidParams
from generations.keeping import shelves
from generations.models import Collection as Row
from generations.views import access, deeds
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.problems import answers, problem

router = Router(tags=["Collections"])
PAGE = 50
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Said = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]


class Collection(Schema):
    """Generations that somebody put together. `count` is of those that the caller sees."""

    id: UUID
    name: str
    description: str
    private: bool
    author: str
    count: int
    updated_at: datetime


class CollectionDetail(Collection):
    """A collection with the ids of its generations, in its order."""

    generations: list[UUID]


class Collections(Schema):
    """A page, newest first. `next_cursor` is null on the last."""

    items: list[Collection]
    next_cursor: str | None


class NewCollection(Schema):
    """`private` ones are seen by their author alone."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Said = ""
    private: StrictBool = False


class CollectionChange(Schema):
    """What to change; what is left out or null stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Said | None = None
    private: StrictBool | None = None


class NewItems(Schema):
    """Generations of the team; those that are in it already stay where they are."""

    model_config = ConfigDict(extra="forbid")

    generations: list[UUID] = Field(min_length=1, max_length=keeping.MOST)


class Move(Schema):
    """`generation` goes right before `before`; null: to the end."""

    model_config = ConfigDict(extra="forbid")

    generation: UUID
    before: UUID | None = None


class After(Schema):
    cursor: str = Field("", pattern=r"^([0-9a-f]{32})?$", description="`next_cursor` of the page before.")


@router.get(
    "collections",
    response={200: Collections, **answers(422)},
    operation_id="collections",
    summary="Collections",
)
def collections(request: ApiRequest, after: Query[After]) -> Collections:
    """Those of the team and the caller's own private ones."""
    membership = request.auth.membership
    rows = _rows(membership)
    if after.cursor:
        try:
            rows = rows.filter(pk__lt=UUID(after.cursor))
        except ValueError:
            raise library.BadCursor(after.cursor) from None
    found = list(rows.order_by("-id")[: PAGE + 1])
    return Collections(
        items=[Collection(**_facts(row)) for row in found[:PAGE]],
        next_cursor=found[PAGE - 1].pk.hex if len(found) > PAGE else None,
    )


@router.post(
    "collections",
    auth=generates,
    response={201: CollectionDetail, **answers(400, 403, 413, 422)},
    operation_id="new_collection",
    summary="Make a collection",
)
def new_collection(request: ApiRequest, wanted: NewCollection) -> Any:
    """An empty one."""
    membership = access.allowed(request.auth.membership, Deed.KEEP_ORDER)
    try:
        made = shelves.create(
            membership, " ".join(wanted.name.split()), wanted.description, private=wanted.private
        )
    except shelves.Full as full:
        raise InvalidParams({"name": [str(full)]}) from None
    return Status(201, _detail(membership, made.pk))


@router.get(
    "collections/{uuid:id}",
    response={200: CollectionDetail, **answers(404)},
    operation_id="collection",
    summary="One collection",
    url_name="collection",
)
def collection(request: ApiRequest, id: UUID) -> CollectionDetail:
    """What is in it, in its order, as far as the caller sees it."""
    return _detail(request.auth.membership, id)


@router.patch(
    "collections/{uuid:id}",
    auth=generates,
    response={200: CollectionDetail, **answers(400, 403, 404, 413, 422)},
    operation_id="change_collection",
    summary="Rename, describe, close",
    url_name="collection",
)
def change_collection(request: ApiRequest, id: UUID, wanted: CollectionChange) -> CollectionDetail:
    """Its author and managers may; whether it is private, its author alone."""
    membership = request.auth.membership
    changeable = access.changeable_collection if wanted.private is None else access.closable_collection
    found = changeable(membership, id)
    given = wanted.model_dump(exclude_none=True)
    if "name" in given:
        given["name"] = " ".join(given["name"].split())
    if "private" in given:
        given["is_private"] = given.pop("private")
    Row.objects.filter(pk=found.pk).update(**given, updated_at=timezone.now())
    return _detail(membership, id)


@router.delete(
    "collections/{uuid:id}",
    auth=generates,
    response={204: None, **answers(403, 404)},
    operation_id="delete_collection",
    summary="Delete a collection",
    url_name="collection",
)
def delete_collection(request: ApiRequest, id: UUID) -> Any:
    """Its author and managers may. What is in it stays in the library."""
    membership = request.auth.membership
    found = access.changeable_collection(membership, id)
    before = {"name": found.name, "count": found.items.count()}
    found.delete()
    audit.note("collection.deleted", team=membership.team, by=membership.user, before=before)
    return Status(204, None)


@router.post(
    "collections/{uuid:id}/items",
    auth=generates,
    response={200: CollectionDetail, **answers(400, 403, 404, 413, 422)},
    operation_id="collect",
    summary="Add to a collection",
)
def collect(request: ApiRequest, id: UUID, wanted: NewItems) -> CollectionDetail:
    """At its end. What is not there for the caller is left out."""
    membership = request.auth.membership
    access.collection(membership, id)
    ids = list(dict.fromkeys(wanted.generations))
    try:
        deeds.do(membership, "collect", ids, {"collection": str(id)})
    except deeds.BadDeed as bad:
        raise InvalidParams({"generations": [str(bad)]}) from None
    return _detail(membership, id)


@router.delete(
    "collections/{uuid:id}/items/{uuid:generation}",
    auth=generates,
    response={200: CollectionDetail, **answers(403, 404)},
    operation_id="uncollect",
    summary="Take out of a collection",
)
def uncollect(request: ApiRequest, id: UUID, generation: UUID) -> CollectionDetail:
    """It stays in the library. Twice is as once."""
    membership = request.auth.membership
    access.collection(membership, id)
    deeds.do(membership, "uncollect", [generation], {"collection": str(id)})
    return _detail(membership, id)


@router.post(
    "collections/{uuid:id}/move",
    auth=generates,
    response={200: CollectionDetail, **answers(400, 403, 404, 409, 413, 422)},
    operation_id="move_item",
    summary="Move within a collection",
)
def move_item(request: ApiRequest, id: UUID, wanted: Move) -> Any:
    """Says what goes before what, so two who move at once both get what they said. 409 when one is not in it."""
    membership = request.auth.membership
    found = access.collection(membership, id)
    access.allowed(membership, Deed.KEEP_ORDER)
    try:
        shelves.move_before(found, wanted.generation, wanted.before)
    except shelves.Gone:
        return problem("not_in_collection", "One of the two is not in the collection (any more).")
    return _detail(membership, id)


def _rows(membership: Membership) -> Any:
    seen = Q(items__generation__in=access.generations(membership).values("pk"))
    rows = access.collections(membership).select_related("author")
    return rows.annotate(count=Count("items", filter=seen))


def _facts(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "description": row.description,
        "private": row.is_private,
        "author": row.author.email,
        "count": row.count,
        "updated_at": row.updated_at,
    }


def _detail(membership: Membership, pk: UUID) -> CollectionDetail:
    found = access.collection(membership, pk)
    seen = access.generations(membership).filter(collected__collection=found)
    ids = list(seen.order_by("collected__place", "collected__id").values_list("pk", flat=True))
    row = _rows(membership).get(pk=found.pk)
    return CollectionDetail(**_facts(row), generations=ids)
