"""Links by which somebody outside the team hears something of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.models import Membership
from accounts.roles import Deed
from generations import library, sharing
from generations.catalogue.spec import InvalidParams
from generations.forms.share import ShareTerms
from generations.models import Output, ShareLink
from generations.sharing import Thing
from generations.views import access
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.posted import NUMBER, PLAIN, checked, given
from generations.views.api.problems import answers, problem
from generations.views.shares import PAGE, fault_of, title_of

router = Router(tags=["Sharing"])
Days = Literal["1", "7", "30", "always"]
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


class LinkShown(Schema):
    """A link. `output` is null where all of a generation is shared. It works until `expires_at`, null: until it is
    revoked. `is_live` is false also while what it leads to is in the trash, hidden from its maker or private to
    somebody else.
    """

    id: UUID
    title: str
    generation: UUID | None
    output: int | None
    collection: UUID | None
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    is_live: bool
    has_password: bool
    may_download: bool
    shows_prompt: bool
    shows_author: bool
    views: int
    last_viewed_at: datetime | None


class LinkItself(LinkShown):
    """With its address, null once it leads nowhere."""

    url: str | None


class Links(Schema):
    """Newest first. `next_cursor` is null on the last page."""

    items: list[LinkShown]
    next_cursor: str | None


class NewLink(Schema):
    """The terms of a link. Without a title it has that of what is shared, as far as outsiders may read it."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, min_length=1, max_length=200, pattern=PLAIN)
    days: Days = "7"
    password: str = Field("", max_length=128, pattern=ONE_LINE, description="At least 6 characters, or none.")
    may_download: StrictBool = False
    shows_prompt: StrictBool = False
    shows_author: StrictBool = False


class NewGenerationLink(NewLink):
    """`output` is the index of the one that is shared; null: all."""

    output: Annotated[int, Field(ge=0, le=1000), NUMBER] | None = None


class LinkChange(Schema):
    """What is to be different; what is left out or null stays. An empty password takes it away."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, min_length=1, max_length=200, pattern=PLAIN)
    days: Days | None = None
    password: str | None = Field(None, max_length=128, pattern=ONE_LINE)
    may_download: StrictBool | None = None
    shows_prompt: StrictBool | None = None
    shows_author: StrictBool | None = None


class After(Schema):
    cursor: str = Field("", pattern=r"^([0-9a-f]{32})?$", description="`next_cursor` of the page before.")


@router.get("shares", response={200: Links, **answers(422)}, operation_id="shares", summary="Links")
def share_list(request: ApiRequest, after: Query[After]) -> Any:
    """Those that the caller looks after: their own, and for managers all of the team."""
    rows = access.share_links(request.auth.membership).order_by("-id")
    if after.cursor:
        try:
            rows = rows.filter(pk__lt=UUID(after.cursor))
        except ValueError:
            raise library.BadCursor(after.cursor) from None
    found = list(rows[: PAGE + 1])
    leading = sharing.leading(found[:PAGE])
    return Links(
        items=[LinkShown(**_facts(row, leads=row.pk in leading)) for row in found[:PAGE]],
        next_cursor=found[PAGE - 1].pk.hex if len(found) > PAGE else None,
    )


@router.get(
    "shares/{uuid:id}", response={200: LinkItself, **answers(404)}, operation_id="share", summary="One link"
)
def share_one(request: ApiRequest, id: UUID) -> Any:
    """With its address, to be handed on."""
    return _itself(request, access.share_link(may(request, Deed.SHARE), id))


@router.post(
    "generations/{uuid:id}/shares",
    response={201: LinkItself, **answers(400, 404, 413, 422)},
    operation_id="share_generation",
    auth=generates,
    summary="Share a generation",
)
def share_made(request: ApiRequest, id: UUID, wanted: NewGenerationLink) -> Any:
    """Makes a link to a finished one, or to one output of it. What its files say about themselves is taken off."""
    me = may(request, Deed.SHARE)
    found = access.shareable_generation(me, id)
    output: Output | None = None
    if wanted.output is not None:
        output = next((one for one in found.outputs.all() if one.index == wanted.output), None)
        if output is None:
            raise InvalidParams({"output": ["There is no output of this index."]})
    if fault := fault_of(me, found, output):
        raise InvalidParams({"output": [fault]})
    return Status(201, _made(request, me, Thing(found, output), title_of(found), wanted))


@router.post(
    "collections/{uuid:id}/shares",
    response={201: LinkItself, **answers(400, 404, 413, 422)},
    operation_id="share_collection",
    auth=generates,
    summary="Share a collection",
)
def share_collected(request: ApiRequest, id: UUID, wanted: NewLink) -> Any:
    """Makes a link to it as it is whenever somebody looks, without what is private to others."""
    me = may(request, Deed.SHARE)
    found = access.shareable_collection(me, id)
    return Status(201, _made(request, me, Thing(collection=found), found.name, wanted))


@router.post(
    "shares/{uuid:id}",
    response={200: LinkItself, **answers(400, 404, 409, 413, 422)},
    operation_id="change_share",
    auth=generates,
    summary="Change a link",
)
def share_change(request: ApiRequest, id: UUID, wanted: LinkChange) -> Any:
    """The new terms count for whoever comes from now on. 409 for one that was revoked."""
    me = may(request, Deed.SHARE)
    link = access.share_link(me, id)
    said = wanted.model_dump()
    kept = {name: getattr(link, name) for name in said if name not in ("days", "password")}
    values = {name: kept[name] if said[name] is None else said[name] for name in kept}
    takes_away = wanted.password == ""
    form = ShareTerms(
        link.title,
        given(
            values
            | {"lasts": wanted.days or "kept", "password": wanted.password or "", "no_password": takes_away}
        ),
        link=link,
    )
    _check(form)
    if not sharing.change(me, link, form.terms):
        return problem("not_possible", "The link was revoked. Make another one.")
    return _itself(request, access.share_link(me, id))


@router.post(
    "shares/{uuid:id}/revoke",
    response={200: LinkItself, **answers(404)},
    operation_id="revoke_share",
    auth=generates,
    summary="Revoke a link",
)
def share_end(request: ApiRequest, id: UUID) -> Any:
    """Nobody hears anything through it from now on: its maker and managers. Twice is as once."""
    me = may(request, Deed.SHARE)
    sharing.revoke(me, access.share_link(me, id))
    return _itself(request, access.share_link(me, id))


def _made(request: HttpRequest, me: Membership, thing: Thing, title: str, wanted: NewLink) -> LinkItself:
    said = wanted.model_dump(exclude={"days", "output"})
    form = ShareTerms(title, given(said | {"title": wanted.title or title, "lasts": wanted.days}))
    _check(form)
    return _itself(request, access.share_link(me, sharing.make(me, thing, form.terms).pk))


def _check(form: ShareTerms) -> None:
    """Raises `InvalidParams`, with the name that the API has for how long it lasts."""
    try:
        checked(form)
    except InvalidParams as invalid:
        raise InvalidParams(
            {"days" if name == "lasts" else name: list(said) for name, said in invalid.errors.items()}
        ) from None


def _facts(link: ShareLink, *, leads: bool) -> dict[str, Any]:
    return {
        "id": link.pk,
        "title": link.title,
        "generation": link.generation_id,
        "output": None if link.output is None else link.output.index,
        "collection": link.collection_id,
        "made_by": link.made_by.email,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
        "revoked_at": link.revoked_at,
        "is_live": leads,
        "has_password": bool(link.password),
        "may_download": link.may_download,
        "shows_prompt": link.shows_prompt,
        "shows_author": link.shows_author,
        "views": link.views,
        "last_viewed_at": link.last_viewed_at,
    }


def _itself(request: HttpRequest, link: ShareLink) -> LinkItself:
    leads = link.pk in sharing.leading([link])
    path = reverse("shared", args=[link.token]) if link.token and leads else ""
    url = f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
    return LinkItself(**_facts(link, leads=leads), url=url if path else None)
