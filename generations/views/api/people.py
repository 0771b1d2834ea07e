"""Who is in the team, who was invited, and which tokens there are."""

from __future__ import annotations

from datetime import datetime
from smtplib import SMTPException
from typing import Annotated, Any, Literal

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts import invitations as ways
from accounts import memberships
from accounts import tokens as token_verbs
from accounts.models import ApiToken, Invitation, Membership
from accounts.roles import Deed
from accounts.views.invite import send
from generations import leaving
from generations.catalogue.spec import InvalidParams
from generations.forms.invitation import NewInvitation
from generations.forms.people import AddMember, ChangeRole
from generations.views import access
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.posted import NUMBER, PLAIN, checked, given
from generations.views.api.problems import answers, problem
from generations.views.invitations import ANEW
from generations.views.members import mail_to_choose

router = Router(tags=["People"])
RoleName = Literal["owner", "manager", "member", "viewer"]
SHOWN = 100


class Member(Schema):
    """Somebody in the team. A service member is a program that never signs in."""

    id: int
    email: str
    name: str
    role: RoleName
    is_service: bool
    joined_at: datetime


class Members(Schema):
    items: list[Member]
    next_cursor: None = None


class NewMember(Schema):
    """Somebody who joins. Who has no account yet gets a mail to choose a password."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, pattern=PLAIN, examples=["ada@example.com"])
    name: str = Field("", max_length=80, pattern=PLAIN)
    role: RoleName = "member"


class NewRole(Schema):
    model_config = ConfigDict(extra="forbid")

    role: RoleName


class Ending(Schema):
    """`heir` is the id of the member who takes over, null: the team. `stop` cancels what is under way."""

    model_config = ConfigDict(extra="forbid")

    heir: Annotated[int, Field(ge=1, le=2**53), NUMBER] | None = None
    stop: bool = False


class InvitationShown(Schema):
    """A way into the team. `email` is null for a link that anybody may use."""

    id: int
    email: str | None
    role: RoleName
    made_by: str
    created_at: datetime
    expires_at: datetime
    uses: int
    max_uses: int | None
    is_open: bool


class InvitationMade(InvitationShown):
    """`link` is told only here, and null where it was mailed."""

    link: str | None


class Invitations(Schema):
    items: list[InvitationShown]
    next_cursor: None = None


class InvitationOrder(Schema):
    """By mail to `email`, else a link that works `max_uses` times, null: any number."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(None, max_length=254, pattern=PLAIN)
    role: RoleName = "member"
    days: Annotated[int, Field(ge=1, le=90), NUMBER] = 7
    max_uses: Annotated[int, Field(ge=1, le=500), NUMBER] | None = 1


class TokenShown(Schema):
    """A token without its text. `state` is `open`, `expired` or `revoked`."""

    id: int
    name: str
    member: str
    scopes: list[Literal["read", "generate", "manage"]]
    state: Literal["open", "expired", "revoked"]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class Tokens(Schema):
    items: list[TokenShown]
    next_cursor: None = None


@router.get(
    "members", response={200: Members, **answers()}, operation_id="members", summary="Who is in the team"
)
def members(request: ApiRequest) -> Any:
    """Everybody, by name."""
    return Members(items=[_member(one) for one in access.colleagues(request.auth.membership)])


@router.post(
    "members",
    response={201: Member, **answers(400, 409, 413, 422)},
    operation_id="add_member",
    auth=manages,
    summary="Add somebody",
)
def member_new(request: ApiRequest, wanted: NewMember) -> Any:
    """Adds somebody by email. Only owners make owners."""
    actor = may(request, Deed.MANAGE)
    form = AddMember(actor, given(wanted.dict()))
    checked(form)
    try:
        added = form.save()
    except memberships.AlreadyIn:
        return problem("not_possible", "This person is in the team already.")
    if not added.user.has_usable_password():
        mail_to_choose(request, added.user)
    return Status(201, _member(added))


@router.post(
    "members/{int:id}/role",
    response={200: Member, **answers(400, 404, 409, 413, 422)},
    operation_id="change_role",
    auth=manages,
    summary="Give a role",
)
def member_change_role(request: ApiRequest, id: int, wanted: NewRole) -> Any:
    """Only owners make owners, or take that from one; the last owner stays one."""
    actor = may(request, Deed.MANAGE)
    found = access.colleague(actor, id)
    form = ChangeRole(given(wanted.dict()))
    checked(form)
    try:
        form.save(actor, found)
    except memberships.LastOwner:
        return problem("not_possible", "This is the only owner. Make somebody else an owner first.")
    return _member(access.colleague(actor, id))


@router.post(
    "members/{int:id}/end",
    response={200: Member, **answers(400, 404, 409, 413, 422)},
    operation_id="end_membership",
    auth=manages,
    summary="End a membership",
)
def member_end(request: ApiRequest, id: int, wanted: Ending) -> Any:
    """What they have goes to the heir; their tokens and invitations end. Only owners end that of an owner."""
    actor = may(request, Deed.MANAGE)
    found = access.colleague(actor, id)
    try:
        leaving.leave(found, actor, heir=wanted.heir, role=found.role, stop=wanted.stop)
    except memberships.LastOwner:
        return problem("not_possible", "The team would have no owner. Make somebody else an owner first.")
    except memberships.Changed:
        return problem("not_possible", "Somebody changed this membership in the meantime.")
    except leaving.NoHeir:
        raise InvalidParams(
            {"heir": ["This member cannot take over. Choose one who may generate."]}
        ) from None
    return _member(found)


@router.get(
    "invitations",
    response={200: Invitations, **answers()},
    operation_id="invitations",
    auth=manages,
    summary="Invitations",
)
def invitation_list(request: ApiRequest) -> Any:
    """The last hundred, newest first."""
    actor = may(request, Deed.MANAGE)
    rows = Invitation.objects.filter(team=actor.team_id).select_related("made_by").order_by("-pk")[:SHOWN]
    return Invitations(items=[InvitationShown(**_invitation(row)) for row in rows])


@router.post(
    "invitations",
    response={201: InvitationMade, **answers(400, 409, 413, 422)},
    operation_id="invite",
    auth=manages,
    summary="Invite somebody",
)
def invite(request: ApiRequest, wanted: InvitationOrder) -> Any:
    """Sends a mail, or gives a link for the only time."""
    actor = may(request, Deed.MANAGE)
    way = NewInvitation.BY_MAIL if wanted.email else NewInvitation.BY_LINK
    form = NewInvitation(actor, given({**wanted.dict(), "way": way}))
    checked(form)
    said = form.cleaned_data
    row, secret = ways.make(
        actor, role=said["role"], lasts=form.lasts, email=said["email"], max_uses=said["max_uses"]
    )
    return _handed_out(request, row, secret)


def _handed_out(request: ApiRequest, row: Invitation, secret: str) -> Any:
    """Where it goes to one address, only the mail has the link."""
    way_in = reverse("invite", args=[secret])
    link = f"{settings.PUBLIC_URL}{way_in}" if settings.PUBLIC_URL else request.build_absolute_uri(way_in)
    if row.email:
        try:
            send(row, row.email, link)
        except (OSError, SMTPException):
            return problem("not_possible", "The mail could not be sent. Invite by link, or try again later.")
    return Status(201, InvitationMade(**_invitation(row), link=None if row.email else link))


@router.post(
    "invitations/{int:id}/renew",
    response={201: InvitationMade, **answers(404, 409)},
    operation_id="renew_invitation",
    auth=manages,
    summary="Renew an invitation",
)
def invitation_renew(request: ApiRequest, id: int) -> Any:
    """Another link in place of the one before, which works no more: mailed again, or given for the only time."""
    actor = may(request, Deed.MANAGE)
    row = get_object_or_404(Invitation.objects.select_related("team", "made_by"), team=actor.team_id, pk=id)
    secret = ways.renew(actor, row, ANEW)
    if secret is None:
        return problem("not_possible", "This invitation is over. Make another one.")
    row.refresh_from_db()
    return _handed_out(request, row, secret)


@router.post(
    "invitations/{int:id}/revoke",
    response={200: InvitationShown, **answers(404)},
    operation_id="revoke_invitation",
    auth=manages,
    summary="Revoke an invitation",
)
def invitation_end(request: ApiRequest, id: int) -> Any:
    """Nobody gets in with it from now on; who came with it stays."""
    actor = may(request, Deed.MANAGE)
    row = get_object_or_404(Invitation.objects.select_related("made_by"), team=actor.team_id, pk=id)
    ways.revoke(actor, row)
    row.refresh_from_db()
    return InvitationShown(**_invitation(row))


@router.get("tokens", response={200: Tokens, **answers()}, operation_id="tokens", summary="Tokens")
def token_list(request: ApiRequest) -> Any:
    """One's own, and with the scope `manage` for managers those of the whole team. Tokens are made on pages only, so
    that a token that was lost makes no others.
    """
    token = request.auth
    rows = ApiToken.objects.filter(membership__team=token.membership.team_id)
    if not (token.membership.may(Deed.MANAGE) and token.reaches(manages.reach)):
        rows = rows.filter(membership=token.membership)
    found = rows.select_related("membership__user").order_by("-pk")[: 2 * SHOWN]
    return Tokens(items=[_token(row) for row in found])


@router.post(
    "tokens/{int:id}/revoke",
    response={200: TokenShown, **answers(404)},
    operation_id="revoke_token",
    auth=manages,
    summary="Revoke a token",
)
def token_end(request: ApiRequest, id: int) -> Any:
    """It opens nothing from now on: one's own, or for managers anybody's."""
    actor = may(request, Deed.SEE)
    row = access.token(actor, id)
    token_verbs.revoke(actor, row)
    row.refresh_from_db()
    return _token(row)


def _member(row: Membership) -> Member:
    return Member(
        id=row.pk,
        email=row.user.email,
        name=row.user.display_name,
        role=row.role,  # type: ignore[arg-type]
        is_service=row.user.is_machine,
        joined_at=row.joined_at,
    )


def _invitation(row: Invitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "email": row.email or None,
        "role": row.role,
        "made_by": row.made_by.email,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "uses": row.uses,
        "max_uses": row.max_uses,
        "is_open": row.is_open,
    }


def _token(row: ApiToken) -> TokenShown:
    return TokenShown(
        id=row.pk,
        name=row.name,
        member=row.membership.user.email,
        scopes=row.scopes,
        state=row.state,  # type: ignore[arg-type]
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
