"""Who calls the REST API: a bearer token of one member of one team, and nothing else. Sessions do not count."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts import roles, tokens
from accounts.models import ApiToken, Membership, Reach
from accounts.roles import Deed


class ApiRequest(HttpRequest):
    """A request whose token was found."""

    auth: ApiToken


class ScopeMissing(PermissionDenied):
    """The token does not reach this, whatever its member may."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(f"This token has no scope {reach.value}. Make one that has it.")


class NoSecondFactor(PermissionDenied):
    """The team is closed to the token's member until they have set up a second factor."""

    def __init__(self) -> None:
        super().__init__(
            "This team asks for a second factor, and the member of this token has none. It works once they have."
        )


class Token(HttpBearer):
    """`Authorization: Bearer rhw_…`, looked up anew for each request, so that a revoked token stops at once."""

    def __init__(self, reach: Reach = Reach.READ) -> None:
        super().__init__()
        self.reach = reach

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = ApiToken.find(token.strip())
        if found is not None:
            if tokens.lacks_second_factor(found.membership):
                raise NoSecondFactor
            if not found.reaches(self.reach):
                raise ScopeMissing(self.reach)
            found.touch()
        return found


reads = Token()
generates = Token(Reach.GENERATE)
manages = Token(Reach.MANAGE)


def may(request: ApiRequest, deed: Deed) -> Membership:
    """The member of the token, whom the role table lets do this; else 403 with the sentence of the table."""
    membership = request.auth.membership
    if not membership.may(deed):
        raise PermissionDenied(roles.refusal(deed))
    return membership
