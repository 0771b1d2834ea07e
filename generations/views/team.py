"""The team: its page and its settings."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Team
from generations import standings
from generations.forms.people import TeamSettings
from generations.views import access, shell
from generations.views.limits import limits, sums_of
from generations.views.members import member_add, member_role
from generations.views.team_page import team_page

__all__ = ["limits", "member_add", "member_role", "team", "team_settings"]


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
    context: dict[str, object] = {"form": form}
    if "preview" in request.POST and form.is_valid():
        with timezone.override(own.zone):
            found = standings.everybody(own, access.colleagues(actor))
            context["meaning"] = sums_of(actor, found, pool=True)
    elif request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The settings are saved."))
        return redirect("team", team=team)
    return shell.sheet(request, "team/settings", context)
