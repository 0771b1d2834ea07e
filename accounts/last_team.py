"""The team somebody worked in last, noted in their browser. A note only: whether they are in it is asked elsewhere."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE = "rhweb_team"
LASTS = timedelta(days=365)


def remember(response: HttpResponse, slug: str) -> None:
    response.set_cookie(
        COOKIE, slug, max_age=LASTS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def of(request: HttpRequest) -> str:
    """The slug of that team; empty when nothing is noted."""
    return request.COOKIES.get(COOKIE, "")
