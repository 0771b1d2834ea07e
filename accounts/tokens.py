"""Tokens and the service members that own some: making and taking away, each with its line in the audit trail.

A team that asks for a second factor asks it of whoever a token speaks for: the token of somebody who has none is as
closed as the pages are, see `lacks_second_factor`. Having one is enough, because a program has nobody who could type a
code; and tokens are made on pages, which whoever makes one has reached with theirs. Service members are the exception:
they have no password that a second factor could protect, and only managers, who have one, make their tokens.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import memberships
from accounts.models import ApiToken, Membership, Reach, User, audit
from accounts.roles import Deed, to_give

MOST = 50
"""Tokens of one member that are open at a time."""
REACHES: Mapping[Reach, Deed] = {
    Reach.READ: Deed.SEE,
    Reach.GENERATE: Deed.GENERATE,
    Reach.MANAGE: Deed.MANAGE,
}
"""The deed of the role table without which a scope opens nothing."""


class TooMany(ValueError):
    """The member has as many open tokens as anybody may."""


def to_choose(membership: Membership) -> list[Reach]:
    """The scopes that a token of this member can have."""
    return [reach for reach, deed in REACHES.items() if membership.may(deed)]


def may_make(actor: Membership, owner: Membership) -> bool:
    """Everybody for themself; for a service member its managers. A token of a person is made by that person."""
    if actor.pk == owner.pk:
        return actor.ended_at is None
    here = actor.team_id == owner.team_id and owner.ended_at is None
    return here and owner.user.is_machine and actor.may(Deed.MANAGE)


@transaction.atomic
def make(actor: Membership, owner: Membership, name: str, **values: Any) -> str:
    """The text of a new token of `owner`, for the only time; `values` as of `ApiToken.issue`.

    Raises `PermissionDenied`, `TooMany`, `memberships.Changed`.
    """
    _team, locked = memberships.lock(owner)
    if not may_make(actor, locked):
        raise PermissionDenied(_("Tokens of a person are made by that person."))
    if ApiToken.valid().filter(membership=locked).count() >= MOST:
        raise TooMany(_("There are %(n)s open tokens already. Revoke one first.") % {"n": MOST})
    token = ApiToken.issue(locked, name, by=actor.user, **values)
    audit.note(
        "token.made",
        team=locked.team,
        by=actor.user,
        person=locked.user,
        after={"name": name} | _told(values),
    )
    return token


@transaction.atomic
def revoke(actor: Membership, token: ApiToken) -> bool:
    """From now on it opens nothing. False: it was revoked before."""
    if not token.revoke():
        return False
    audit.note(
        "token.revoked",
        team=actor.team,
        by=actor.user,
        person=token.membership.user,
        before={"name": token.name},
    )
    return True


@transaction.atomic
def make_machine(actor: Membership, name: str, role: str) -> Membership:
    """A service member: in the team like anybody, but it never signs in. Raises `PermissionDenied`."""
    if role not in to_give(actor.role) or role == "owner":
        raise PermissionDenied(_("A service member has a role that you may give, and owns no team."))
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "service"
    email = f"{words}-{secrets.token_hex(4)}@{actor.team.slug}.service.invalid"
    user = User.objects.create_user(email, name=name, is_machine=True)
    return memberships.admit(actor.team, user, role, how="service member")


def lacks_second_factor(membership: Membership) -> bool:
    """Whether the team is closed to this member until they have set up a second factor."""
    if not membership.team.needs_second_factor or membership.user.is_machine:
        return False
    return not is_mfa_enabled(membership.user)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit trail keeps of how far a token reaches."""
    said = {key: value for key, value in values.items() if value is not None and key != "period"}
    return {key: list(value) if key == "scopes" else value for key, value in said.items()}
