"""The voices to choose from, for the dialog of the form; loaded when it is opened."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from generations import forms
from generations.views import access


@require_safe
def voices(request: HttpRequest, team: str) -> HttpResponse:
    """The list as a fragment; without htmx the form itself, whose menu can hold every voice."""
    membership = access.member(request, team)
    if not request.headers.get("HX-Request"):
        return redirect("studio", team=team)
    return render(request, "studio/_voices.html", {"voice_groups": forms.groups(membership.team)})
