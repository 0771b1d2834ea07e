"""The team: its page, its settings, and the account everybody shares."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Team
from generations.forms.people import TeamSettings
from generations.models import Connection
from generations.views import access, shell
from generations.views.limits import limits
from generations.views.members import member_add, member_role
from generations.views.team_page import team_page

BY_HAND = "manager"
"""The code of a pause by a manager."""
LONGEST_REASON = 200

__all__ = [
    "connection_pause",
    "connection_resume",
    "limits",
    "member_add",
    "member_role",
    "team",
    "team_settings",
]


@require_safe
def team(request: HttpRequest, team: str) -> HttpResponse:
    """Everybody sees who is in the team; managers also what each spent, and they change it."""
    return team_page(request, access.member(request, team))


@require_http_methods(["GET", "HEAD", "POST"])
def team_settings(request: HttpRequest, team: str) -> HttpResponse:
    """Name, time zone, and what happens to models without a known price."""
    actor = access.manager(request, team)
    # A copy, so that refused values do not show up around the form.
    own = Team.objects.get(pk=actor.team_id)
    form = TeamSettings(request.POST if request.method == "POST" else None, instance=own)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The settings are saved."))
        return redirect("team", team=team)
    return shell.sheet(request, "team/settings", {"form": form})


@require_POST
def connection_pause(request: HttpRequest, team: str) -> HttpResponse:
    """Stops sending until somebody resumes it. Any manager may, because everybody shares the account."""
    actor = access.manager(request, team)
    why = " ".join(request.POST.get("reason", "").replace("\x00", "").split())[:LONGEST_REASON]
    if not why:
        return team_page(request, actor, status=422, fault=_("Say why, so that those who wait know."))
    words = _("%(name)s paused it: %(why)s") % {"name": actor.user.display_name, "why": why}
    if Connection.current().pause(BY_HAND, words):
        messages.success(request, _("Sending is paused. What runs goes on; what waits goes on waiting."))
    else:
        messages.info(request, _("Sending was paused already."))
    return redirect("team", team=team)


@require_POST
def connection_resume(request: HttpRequest, team: str) -> HttpResponse:
    """Lets a paused account send again. Any manager may, because everybody shares it."""
    access.manager(request, team)
    if Connection.current().resume():
        messages.success(request, _("Sending goes on. Generations that waited are sent one after the other."))
    return redirect("team", team=team)
