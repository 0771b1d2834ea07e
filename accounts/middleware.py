"""Who is not signed in is led to the sign-in page, and from there to a page that can be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

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
