"""Keeping order by program: what people note about a generation, the trash, and the tags of the team."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field, StrictBool

from accounts.models import Membership, audit
from generations import keeping
from generations.catalogue.spec import InvalidParams
from generations.forms.keeping import Words
from generations.models import Generation
from generations.models.tag import LONGEST, folded
from generations.views import access, deeds, keep
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.generate import router as of_generations
from generations.views.api.posted import NUMBER
from generations.views.api.problems import answers, problem

router = Router(tags=["Keeping order"])
TagName = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f,]+$")]


class Kept(Schema):
    """What people note about a generation. `rating` is the team's, 0 while nobody rated; `starred` is the caller's own.

    `removed_at` is when it is removed for good, null unless it is in the trash.
    """

    id: UUID
    title: str
    notes: str
    rating: int
    starred: bool
    approved: bool
    private: bool
    tags: list[str]
    trashed_at: datetime | None
    removed_at: datetime | None


class Keep(Schema):
    """What to change; what is left out or null stays. `tags` are all that it shall have.

    Title, notes and `private` are its author's and the managers' to change, `approved` the managers', the rest every
    member's.
    """

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, min_length=1, max_length=200)
    notes: str | None = Field(None, max_length=5000)
    rating: Annotated[int, Field(ge=0, le=5), NUMBER] | None = None
    starred: StrictBool | None = None
    approved: StrictBool | None = None
    private: StrictBool | None = None
    tags: list[TagName] | None = Field(None, max_length=30)


class Tags(Schema):
    """The tags of the team that fit, by name, as many as are of use to choose from."""

    items: list[str]
    next_cursor: None = None


class Part(Schema):
    q: str = Field("", max_length=80, pattern=r"^[^\x00]*$", description="A piece of the tag.")


@of_generations.patch(
    "generations/{uuid:id}",
    auth=generates,
    response={200: Kept, **answers(400, 403, 404, 413, 422)},
    operation_id="keep",
    summary="Rate, tag, star, rename, approve",
    url_name="generation",
)
def keep_generation(request: ApiRequest, id: UUID, wanted: Keep) -> Any:
    """Changes what is given and answers how it stands. All is checked for the role of the caller before anything is
    changed. What is in the trash has to be restored first.
    """
    membership = request.auth.membership
    row = access.generation(membership, id)
    given = wanted.model_dump(exclude_none=True)
    if {"title", "notes", "private"} & set(given):
        access.changeable_generation(membership, id)
    needed = [(name, deeds.KINDS[_deed(name, value)]) for name, value in given.items() if name in _WORDS]
    for _name, kind in needed:
        access.allowed(membership, kind.deed)
    words = _words(row, given)
    for name, value in given.items():
        if name in _WORDS:
            what = {"rating": str(value)} if name == "rating" else {}
            _do(membership, _deed(name, value), row, what)
    if "tags" in given:
        access.allowed(membership, deeds.KINDS["tag"].deed)
        _retag(membership, row, given["tags"])
    if "title" in given:
        keeping.rename(row, membership.user, words["title"])
    if "notes" in given:
        keeping.note(Generation.objects.filter(pk=row.pk), membership.user, words["notes"])
    return kept(membership, access.generation(membership, id))


@router.get(
    "generations/{uuid:id}/kept",
    response={200: Kept, **answers(404)},
    operation_id="kept",
    summary="What is noted about it",
)
def generation_kept(request: ApiRequest, id: UUID) -> Kept:
    """Title, notes, rating, the caller's star, approval, who sees it, tags, and whether it is in the trash."""
    membership = request.auth.membership
    return kept(membership, access.generation(membership, id))


@router.post(
    "generations/{uuid:id}/trash",
    auth=generates,
    response={200: Kept, **answers(403, 404, 409)},
    operation_id="trash",
    summary="Move to the trash",
)
def generation_trash(request: ApiRequest, id: UUID) -> Any:
    """Its author and managers may. It stays there for 30 days; its receipt stays for ever, and nothing is refunded."""
    membership = request.auth.membership
    row = access.changeable_generation(membership, id)
    if not row.is_trashed:
        done = _do(membership, "trash", row, {})
        if done.change is None:
            return problem("not_trashable", keep.why_not(access.generation(membership, id)))
    return kept(membership, access.generation(membership, id))


@router.post(
    "generations/{uuid:id}/restore",
    auth=generates,
    response={200: Kept, **answers(403, 404)},
    operation_id="restore",
    summary="Take out of the trash",
)
def generation_restore(request: ApiRequest, id: UUID) -> Any:
    """Twice is as once. What was removed for good is 404."""
    membership = request.auth.membership
    row = access.changeable_generation(membership, id)
    if keeping.restore(Generation.objects.filter(pk=row.pk)):
        audit.note("generations.restored", team=membership.team, by=membership.user, after={"count": 1})
    return kept(membership, access.generation(membership, id))


@router.get("tags", response={200: Tags, **answers(422)}, operation_id="tags", summary="Tags of the team")
def tags(request: ApiRequest, part: Query[Part]) -> Tags:
    """Words that the team put on its generations."""
    return Tags(items=list(keeping.team_tags(request.auth.membership.team, part.q)))


_WORDS = {"rating": "rate", "starred": "star", "approved": "approve", "private": "private"}


def kept(membership: Membership, row: Generation) -> Kept:
    named = keeping.tags_of([row.pk]).get(row.pk, [])
    return Kept(
        id=row.pk,
        title=row.title,
        notes=row.notes,
        rating=row.rating,
        starred=row.pk in keeping.starred(membership.user, [row.pk]),
        approved=row.is_approved,
        private=row.is_private,
        tags=[tag.name for tag in named],
        trashed_at=row.trashed_at,
        removed_at=row.purge_at,
    )


def _deed(name: str, value: Any) -> str:
    if name == "private":
        return "private" if value else "team"
    return _WORDS[name] if name == "rating" or value else f"un{_WORDS[name]}"


def _words(row: Generation, given: dict[str, Any]) -> dict[str, str]:
    """Title and notes as a form takes them. Raises `InvalidParams`."""
    form = Words({"title": given.get("title", row.title), "notes": given.get("notes", row.notes)})
    if not form.is_valid():
        raise InvalidParams({name: [str(one) for one in said] for name, said in form.errors.items()})
    return form.cleaned_data


def _retag(membership: Membership, row: Generation, names: Iterable[str]) -> None:
    """Raises `InvalidParams`."""
    wanted = {folded(name): name for name in names}
    there = {tag.folded: tag.name for tag in keeping.tags_of([row.pk]).get(row.pk, [])}
    for gone in there.keys() - wanted.keys():
        _do(membership, "untag", row, {"tag": there[gone]})
    for new in wanted.keys() - there.keys():
        _do(membership, "tag", row, {"tag": wanted[new]}, field="tags")


def _do(
    membership: Membership, what: str, row: Generation, given: dict[str, str], field: str = ""
) -> deeds.Done:
    try:
        return deeds.do(membership, what, [row.pk], given)
    except deeds.BadDeed as bad:
        raise InvalidParams({field or what: [str(bad)]}) from None
