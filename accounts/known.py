"""Browsers that somebody has signed in with before.

Wrong passwords for one account are counted together, whoever types them, and too many of them close it for a while.
That must not let strangers lock a member out: tries from a browser or an address that this member has signed in from
are counted by themselves. The cookie lets nobody in, it only says whose count a try belongs to.
"""

from __future__ import annotations

import ipaddress
import secrets
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "rhweb_known"
SALT = "accounts.known"
LASTS = timedelta(days=365)
PEOPLE = 5
"""How many people one browser remembers, for families and reception desks."""


def count_of(request: HttpRequest, email: str, address: str) -> str:
    """Whose count of wrong passwords for this account a try belongs to; empty: that of all strangers together.

    Asks the same of an account that does not exist, so that nothing is learned from how long it takes.
    """
    there = UserSession.objects.filter(user__email=email.lower(), ip=address)
    signed_in_there = _is_address(address) and there.exists()
    browser = _people(request).get(_mark(email))
    if browser:
        return f"browser:{browser}"
    return f"address:{address}" if signed_in_there else ""


def remember(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Notes on the browser that this person has signed in with it."""
    people = _people(request)
    mark = _mark(email)
    people[mark] = people.pop(mark, "") or secrets.token_urlsafe(12)
    kept = dict(list(people.items())[-PEOPLE:])
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=SALT),
        max_age=LASTS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/accounts/",
    )


def _is_address(text: str) -> bool:
    """A broken proxy may send anything, and a database may not even compare it."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _mark(email: str) -> str:
    return salted_hmac(SALT, email.lower()).hexdigest()[:24]


def _people(request: HttpRequest) -> dict[str, str]:
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}
