"""Where somebody is signed in."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST


@require_POST
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Signs out one other browser of the same person; whoever uses it is asked to sign in by its next click."""
    get_object_or_404(UserSession, pk=pk, user=request.user).end()
    messages.info(request, _("Signed out there."))
    return redirect("usersessions_list")
