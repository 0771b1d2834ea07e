"""The way in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.models import User
from generations.views import access


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the first of the reader's teams, by name. Whoever is in none reads what to do about it."""
    assert isinstance(request.user, User)  # noqa: S101 - the login middleware sees to it
    teams = access.memberships(request.user)
    if teams:
        return redirect("studio", team=teams[0].team.slug)
    return render(request, "home/page.html")


@require_safe
def team_home(request: HttpRequest, team: str) -> HttpResponse:
    access.member(request, team)
    return redirect("studio", team=team)
