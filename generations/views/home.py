"""The way in, and the teams of a person."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import domains, last_team
from accounts.models import User
from generations.views import access


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the team the reader chose last, else to the first by name. Whoever is in none reads what to do about it."""
    found = access.memberships(_reader(request))
    if found:
        last = last_team.of(request)
        chosen = next((one for one in found if one.team.slug == last), found[0])
        return redirect("studio", team=chosen.team.slug)
    return render(request, "home/page.html", {"offers": domains.offers(_reader(request))})


@require_safe
def team_home(request: HttpRequest, team: str) -> HttpResponse:
    """Where the switcher leads; home leads here from now on."""
    access.member(request, team)
    response = redirect("studio", team=team)
    last_team.remember(response, team)
    return response


@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    """The teams the reader is in, and those they may join by their address."""
    reader = _reader(request)
    context = {"own": access.memberships(reader), "offers": domains.offers(reader)}
    return render(request, "home/teams.html", context)


@require_POST
def team_join(request: HttpRequest, slug: str) -> HttpResponse:
    """Joins a team that is open to the reader's address; 404 for every other, whether there is one or not."""
    joined = domains.join(_reader(request), slug)
    if joined is None:
        raise Http404
    messages.success(request, _("Welcome to %(name)s.") % {"name": joined.team.name})
    return redirect("team_home", team=slug)


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the login middleware sees to it
    return request.user
