"""To the provider and back. A provider that is away or talks nonsense is a page, not a breakdown of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

log = logging.getLogger("rhweb.accounts")


@login_not_required
def sign_on(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Leads to the provider."""
    return _asked(views.login, request, provider_id)


@login_not_required
def sign_on_answer(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the provider leads back to."""
    return _asked(views.callback, request, provider_id)


def _asked(view: Callable[..., Any], request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        response: HttpResponse = view(request, provider_id)
    except (RequestException, KeyError, TypeError, ValueError) as error:
        log.warning("single sign-on: the provider did not answer as it should: %r", error)
        return render(request, "socialaccount/authentication_error.html", status=502)
    return response
