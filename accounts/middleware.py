"""What holds for every request: sign in first, and the audit trail knows where a deed came from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.models import ApiToken, User
from accounts.models.audit import Origin, coming_from

SHOWN = ("GET", "HEAD")


class SignInRequired(LoginRequiredMiddleware):
    """As Django's, but what was posted after the session ended leads back to the page it came from.

    Its own address may have nothing to show, and a sign-in cannot post it again.
    """

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseRedirect:
        if request.method in SHOWN:
            return super().handle_no_permission(request, view_func)
        came_from = request.headers.get("Referer", "")
        ours = url_has_allowed_host_and_scheme(
            came_from, {request.get_host()}, require_https=request.is_secure()
        )
        parts = urlsplit(came_from if ours else "/")
        messages.info(
            request, _("You were signed out before this was sent. Nothing was done; please send it again.")
        )
        back = parts._replace(scheme="", netloc="", fragment="").geturl()
        return redirect_to_login(back, self.get_login_url(view_func), self.get_redirect_field_name(view_func))


class Audited:
    """Tells the audit trail who asks and from where, the same address that sign-in is throttled by."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        def who() -> User | None:
            token = getattr(request, "auth", None)
            if isinstance(token, ApiToken):
                return token.membership.user
            return request.user if isinstance(request.user, User) else None

        origin = Origin(
            via="api" if request.path.startswith("/api/") else "page",
            address=_address(request),
            browser=request.headers.get("User-Agent", "")[:200],
            who=who,
        )
        with coming_from(origin):
            return self.get_response(request)


def _address(request: HttpRequest) -> str | None:
    """Nothing where a socket or a broken header gives none: a page is no place to refuse somebody for that."""
    try:
        return str(ipaddress.ip_address(get_adapter().get_client_ip(request)))
    except (PermissionDenied, ValueError):
        return None
