"""The door for outsiders: who comes with the link gets in, everybody else gets the same 404.

Nothing about the team goes out with an answer, no answer is kept by anybody on the way, so that a link that is revoked
is over at once, and no search engine is let in. Too many links that lead nowhere close it for a minute to the place
they were tried from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit as counted
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Membership, User
from generations import sharing
from generations.models import Output, ShareLink

TRIED = {"app": "allauth.account", "action": "share"}
COOKIE = "rhweb_share"
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive, nosnippet",
}

Answer = Callable[..., HttpResponseBase]


class Closed(Exception):
    """The link leads nowhere, for whatever reason."""


@dataclass(frozen=True)
class Visit:
    """Somebody who came with a live link. `token` is in their address already; nothing else of the row may go out."""

    link: ShareLink
    token: str
    outputs: list[Output]

    @property
    def titles(self) -> list[str]:
        return sharing.titles(self.link, self.outputs)

    def address(self, name: str, *arguments: Any) -> str:
        return reverse(name, args=[self.token, *arguments])

    def knows_password(self, request: HttpRequest) -> bool:
        """Whether none is asked, or this browser has given the present one."""
        if not self.link.password:
            return True
        try:
            said = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt(self.link))
        except signing.BadSignature:
            return False
        return bool(said == self.link.password_version)

    def remember(self, response: HttpResponse) -> None:
        """Notes on the browser that it has given the password: for this link and this password alone."""
        response.set_cookie(
            COOKIE,
            signing.dumps(self.link.password_version, salt=_salt(self.link)),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
            path=self.address("shared"),
        )


def for_outsiders(view: Answer) -> Answer:
    """A view of a token; it may raise `Closed`. No session is needed, and a form from elsewhere can do no harm."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_shut(request):
            response: HttpResponseBase = counted.respond_429(request)
        else:
            try:
                response = view(request, *args, **kwargs)
            except Closed:
                response = _closed(request)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    return answer


def enter(token: str) -> Visit:
    """Whoever comes with this token. Raises `Closed`."""
    link = ShareLink.objects.opened_by(token)
    found = sharing.outputs(link) if link is not None else None
    if link is None or found is None:
        raise Closed
    return Visit(link, token, found)


def is_shut(request: HttpRequest, tried: Mapping[str, str] = TRIED, key: str | None = None) -> bool:
    """Whether too much came to nothing lately: from this place, or with this `key` from anywhere. One look at the
    cache for each limit and no write, because every part of a sound that is heard asks it.
    """
    for rate in counted.get_rates(**tried):
        history = cache.get(counted.get_cache_key(request, rate=rate, key=key, **tried), [])
        allowed, _ = counted.apply_rate(list(history), time.time(), rate, dry_run=True)
        if not allowed:
            return True
    return False


def is_preview(request: HttpRequest, link: ShareLink) -> bool:
    """Whether a member of the team looks, which is no view. Asks for a session only of who has one."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not isinstance(request.user, User):
        return False
    return Membership.objects.filter(team=link.team_id, user=request.user, ended_at=None).exists()


def _closed(request: HttpRequest) -> HttpResponseBase:
    if not counted.consume(request, limit_get=True, **TRIED):
        shut: HttpResponse = counted.respond_429(request)
        return shut
    return render(request, "share/closed.html", status=404)


def _salt(link: ShareLink) -> str:
    return f"generations.views.door:{link.digest}"
