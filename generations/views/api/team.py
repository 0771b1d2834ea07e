"""The team: its settings, the email domains that it is open to, and its notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, ConfigDict, Field, StrictBool

from accounts import domains
from accounts.models import Notice, Team, TeamDomain
from accounts.roles import Deed
from generations.catalogue.spec import InvalidParams
from generations.forms.invitation import NewDomain
from generations.forms.notices import NewNotice
from generations.forms.people import TeamSettings
from generations.views import access, notices
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.posted import NUMBER, PLAIN, checked, given
from generations.views.api.problems import answers

router = Router(tags=["Team"])


class Settings(Schema):
    """`member_slots`: how many of one member run at once, null: as many as there is room for. With `pool_draw` a member
    whose own limit refuses may take what is missing from the pool.
    """

    slug: str
    name: str
    time_zone: str
    unknown_price: Literal["refuse", "allow"]
    member_slots: int | None
    pool_draw: bool
    needs_second_factor: bool


class NewSettings(Schema):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", min_length=1, max_length=80, pattern=PLAIN)
    time_zone: str = Field("", min_length=1, max_length=64, pattern=PLAIN, examples=["Europe/Berlin"])
    unknown_price: Literal["refuse", "allow"] = "refuse"
    member_slots: Annotated[int, Field(ge=1, le=1000), NUMBER] | None = None
    pool_draw: StrictBool = False
    needs_second_factor: StrictBool = False


class Domain(Schema):
    """Whose confirmed address is of it may join with this role; with `automatic` a newcomer is put in."""

    id: int
    domain: str
    role: Literal["member", "viewer"]
    automatic: bool


class Domains(Schema):
    items: list[Domain]
    next_cursor: None = None


class NewDomainOrder(Schema):
    model_config = ConfigDict(extra="forbid")

    domain: str = Field(max_length=260, pattern=PLAIN, examples=["example.com"])
    role: Literal["member", "viewer"] = "member"
    automatic: StrictBool = False


class NoticeShown(Schema):
    """What stands on every page of the team from `since` until `until`, null: until it is taken down."""

    id: int
    text: str
    level: Literal["info", "warn"]
    since: datetime
    until: datetime | None
    by: str | None


class Notices(Schema):
    """The last fifty, newest first."""

    items: list[NoticeShown]
    next_cursor: None = None


class NewNoticeOrder(Schema):
    """From now on unless `since` says later."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=500, pattern=PLAIN)
    level: Literal["info", "warn"] = "info"
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@router.get(
    "team", response={200: Settings, **answers()}, operation_id="team", auth=manages, summary="Settings"
)
def team_shown(request: ApiRequest) -> Any:
    """For managers. What everybody may know of the team is in GET me."""
    return _settings(may(request, Deed.MANAGE).team)


@router.post(
    "team",
    response={200: Settings, **answers(400, 413, 422)},
    operation_id="change_team",
    auth=manages,
    summary="Change settings",
)
def team_change(request: ApiRequest, wanted: NewSettings) -> Any:
    """Days, weeks and months of all limits begin on the clock of the new time zone at once."""
    actor = may(request, Deed.MANAGE)
    # A copy, so that refused values are not those of the caller's team.
    team = Team.objects.get(pk=actor.team_id)
    present = _settings(team).dict(exclude={"slug"})
    form = TeamSettings(given(present | wanted.dict(exclude_unset=True)), instance=team)
    checked(form)
    return _settings(form.save())


@router.get(
    "domains", response={200: Domains, **answers()}, operation_id="domains", auth=manages, summary="Domains"
)
def domain_list(request: ApiRequest) -> Any:
    """By name."""
    actor = may(request, Deed.MANAGE)
    rows = TeamDomain.objects.filter(team=actor.team_id).order_by("domain")
    return Domains(items=[_domain(row) for row in rows])


@router.post(
    "domains",
    response={200: Domain, **answers(400, 413, 422)},
    operation_id="open_to_domain",
    auth=manages,
    summary="Open to a domain",
)
def domain_open(request: ApiRequest, wanted: NewDomainOrder) -> Any:
    """Or change how it is open. For owners."""
    actor = may(request, Deed.OPEN_DOORS)
    form = NewDomain(
        given({"domain": wanted.domain, "domain_role": wanted.role, "automatic": wanted.automatic})
    )
    checked(form)
    domain = form.cleaned_data["domain"]
    domains.add(actor.team, actor.user, domain, wanted.role, automatic=wanted.automatic)
    return _domain(TeamDomain.objects.get(team=actor.team_id, domain=domain))


@router.post(
    "domains/{int:id}/remove",
    response={204: None, **answers(404)},
    operation_id="close_to_domain",
    auth=manages,
    summary="Close to a domain",
)
def domain_close(request: ApiRequest, id: int) -> Any:
    """Who came by it stays. For owners."""
    actor = may(request, Deed.OPEN_DOORS)
    rows = TeamDomain.objects.select_related("team").filter(team=actor.team_id)
    domains.remove(get_object_or_404(rows, pk=id), actor.user)
    return Status(204, None)


@router.get(
    "notices", response={200: Notices, **answers()}, operation_id="notices", auth=manages, summary="Notices"
)
def notice_list(request: ApiRequest) -> Any:
    """What stands, what is planned, and what stood."""
    return Notices(items=[_notice(row) for row in notices.newest(may(request, Deed.ANNOUNCE))])


@router.post(
    "notices",
    response={201: NoticeShown, **answers(400, 413, 422)},
    operation_id="post_notice",
    auth=manages,
    summary="Post a notice",
)
def notice_new(request: ApiRequest, wanted: NewNoticeOrder) -> Any:
    """Everybody in the team sees it on every page until they put it away."""
    actor = may(request, Deed.ANNOUNCE)
    form = NewNotice(given(wanted.dict()))
    checked(form)
    made = form.save(actor)
    if made is None:
        raise InvalidParams({"text": [str(said) for said in form.non_field_errors()]})
    return Status(201, _notice(made))


@router.post(
    "notices/{int:id}/end",
    response={200: NoticeShown, **answers(404)},
    operation_id="end_notice",
    auth=manages,
    summary="Take a notice down",
)
def notice_stop(request: ApiRequest, id: int) -> Any:
    """Twice is as once."""
    actor = may(request, Deed.ANNOUNCE)
    notices.take_down(actor, access.own_notice(actor, id))
    return _notice(access.own_notice(actor, id))


def _settings(team: Team) -> Settings:
    return Settings.model_validate({name: getattr(team, name) for name in Settings.model_fields})


def _domain(row: TeamDomain) -> Domain:
    return Domain.model_validate(
        {"id": row.pk, "domain": row.domain, "role": row.role, "automatic": row.automatic}
    )


def _notice(row: Notice) -> NoticeShown:
    return NoticeShown.model_validate(
        {
            "id": row.pk,
            "text": row.text,
            "level": row.level,
            "since": row.since,
            "until": row.until,
            "by": row.by.email if row.by else None,
        }
    )
