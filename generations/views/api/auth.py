"""Who calls the REST API: a bearer token of one member of one team, and nothing else. Sessions do not count."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts.models import ApiToken


class ApiRequest(HttpRequest):
    """A request whose token was found."""

    auth: ApiToken


class Token(HttpBearer):
    """`Authorization: Bearer rhw_…`, looked up anew for each request, so that a revoked token stops at once."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = ApiToken.find(token.strip())
        if found is not None:
            found.touch()
        return found
