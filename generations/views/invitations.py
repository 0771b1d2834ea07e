"""Ways into the team: invitations and email domains. Managers invite; owners open the team to a domain."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import domains, memberships
from accounts import invitations as ways
from accounts.models import Invitation, Membership, Role, TeamDomain
from accounts.roles import Deed
from accounts.views.invite import send
from generations.forms.invitation import NewDomain, NewInvitation
from generations.views import access, shell

SHOWN = 100
ANEW = timedelta(days=7)


@require_safe
def invitations(request: HttpRequest, team: str) -> HttpResponse:
    """What is open, what was used, and the domains."""
    return _page(request, access.manager(request, team))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_new(request: HttpRequest, team: str) -> HttpResponse:
    """Sends a mail, or shows a link for the only time."""
    actor = access.manager(request, team)
    form = NewInvitation(actor, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return shell.sheet(request, "team/invite", {"form": form})
    chosen = form.cleaned_data
    email = chosen["email"]
    row, secret = ways.make(
        actor, role=chosen["role"], lasts=form.lasts, email=email, max_uses=chosen["max_uses"]
    )
    return _hand_out(request, actor, row, secret)


@never_cache
@require_POST
def invitation_renew(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Another link in place of the one before, which works no more: mailed again, or shown once."""
    actor = access.manager(request, team)
    row = _invitation(actor, pk)
    secret = ways.renew(actor, row, ANEW)
    if secret is None:
        return _page(request, actor, status=422, fault=_("This invitation is over. Make another one."))
    return _hand_out(request, actor, row, secret)


@require_POST
def invitation_revoke(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Nobody gets in with it from now on; who came with it stays."""
    actor = access.manager(request, team)
    if ways.revoke(actor, _invitation(actor, pk)):
        messages.success(request, _("The invitation is revoked."))
    return redirect("invitations", team)


@require_POST
def domain_add(request: HttpRequest, team: str) -> HttpResponse:
    """Opens the team to a domain, or changes how it is open."""
    actor = access.may(request, team, Deed.OPEN_DOORS)
    form = NewDomain(request.POST)
    if not form.is_valid():
        return _page(request, actor, status=422, form=form)
    chosen = form.cleaned_data
    domains.add(
        actor.team, actor.user, chosen["domain"], chosen["domain_role"], automatic=chosen["automatic"]
    )
    messages.success(request, _("The team is open to %(domain)s.") % {"domain": chosen["domain"]})
    return redirect("invitations", team)


@require_POST
def domain_remove(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Closes the team to a domain; who came by it stays."""
    actor = access.may(request, team, Deed.OPEN_DOORS)
    row = get_object_or_404(TeamDomain.objects.select_related("team"), team=actor.team_id, pk=pk)
    if domains.remove(row, actor.user):
        messages.success(request, _("The team is not open to %(domain)s any more.") % {"domain": row.domain})
    return redirect("invitations", team)


def _invitation(actor: Membership, pk: int) -> Invitation:
    rows = Invitation.objects.select_related("team", "made_by")
    return get_object_or_404(rows, team=actor.team_id, pk=pk)


def _hand_out(request: HttpRequest, actor: Membership, row: Invitation, secret: str) -> HttpResponse:
    """Where it goes to one address, only the mail has the link: it proves that its reader owns the address."""
    link = request.build_absolute_uri(reverse("invite", args=[secret]))
    if not row.email:
        return _page(request, actor, link=link)
    try:
        send(row, row.email, link)
    except (OSError, SMTPException):
        sentence = _(
            "The invitation is made, but the mail to %(email)s could not be sent. Send it again from here."
        )
        messages.warning(request, sentence % {"email": row.email})
    else:
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": row.email})
    return redirect("invitations", actor.team.slug)


def _page(
    request: HttpRequest,
    actor: Membership,
    *,
    status: int = 200,
    fault: str = "",
    link: str = "",
    form: NewDomain | None = None,
) -> HttpResponse:
    rows = Invitation.objects.filter(team=actor.team_id).select_related("made_by").order_by("-pk")
    now = timezone.now()
    opened = list(rows.open(now)[:SHOWN])
    context: dict[str, Any] = {
        "open": [{"row": row, "may_renew": memberships.may_give(actor, row.role)} for row in opened],
        "over": list(rows.exclude(pk__in=[row.pk for row in opened])[:SHOWN]),
        "domains": list(TeamDomain.objects.filter(team=actor.team_id).order_by("domain")),
        "is_owner": actor.role == Role.OWNER,
        "domain_form": form or NewDomain(),
        "fault": fault,
        "link": link,
    }
    with timezone.override(actor.team.zone):
        response = render(request, "team/invitations.html", context, status=status)
    if link or status != 200:
        response["HX-Push-Url"] = "false"
    return response
