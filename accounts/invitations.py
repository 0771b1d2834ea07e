"""Invitations: made and revoked by managers, used by whoever has the link.

What a manager was allowed to give when the link was made is looked at again when somebody comes with it. Of several
who open a link for one at the same time, one gets in: each use is one conditional UPDATE.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.memberships import admit, current, may_give
from accounts.models import Invitation, Membership, Team, User, audit
from accounts.models.token import digest

PROOF = "accounts.invitations.proof"
PROOF_LASTS = timedelta(days=2)


class Closed(Exception):
    """Nobody gets in with this any more: it is unknown, over, revoked or used up."""


class Refused(Exception):
    """The invitation is good but not for this; the message says why and what to do."""


class AccountExists(Exception):
    """There is an account with this address, whose owner has to sign in."""


def make(
    actor: Membership, *, role: str, lasts: timedelta, email: str = "", max_uses: int | None = 1
) -> tuple[Invitation, str]:
    """A new invitation and the secret of its link, for the only time. Raises `PermissionDenied`."""
    if not may_give(actor, role):
        raise PermissionDenied(_("You may not invite somebody with this role."))
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = Invitation.objects.create(
            team=actor.team,
            role=role,
            made_by=actor.user,
            email=email.lower(),
            digest=digest(secret),
            expires_at=timezone.now() + lasts,
            max_uses=1 if email else max_uses,
        )
        said = {"role": role, "expires_at": row.expires_at, "max_uses": row.max_uses}
        audit.note("invitation.made", team=actor.team, by=actor.user, subject=str(row), after=said)
    return row, secret


def renew(actor: Membership, row: Invitation, lasts: timedelta) -> str | None:
    """A new link in place of the old one, which works no more. None: it is used up, revoked or has a newer link.

    It is then that of `actor`, who must be allowed to give its role. Raises `PermissionDenied`.
    """
    if not may_give(actor, row.role):
        raise PermissionDenied(_("You may not invite somebody with this role."))
    secret = secrets.token_urlsafe(32)
    now = timezone.now()
    with transaction.atomic():
        left = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
        found = Invitation.objects.filter(left, pk=row.pk, revoked_at=None, digest=row.digest)
        if not found.update(digest=digest(secret), expires_at=now + lasts, made_by=actor.user):
            return None
        after = {"role": row.role, "expires_at": now + lasts}
        audit.note("invitation.renewed", team=actor.team, by=actor.user, subject=str(row), after=after)
    return secret


def revoke(actor: Membership, row: Invitation) -> bool:
    """Nobody gets in with it from now on. False: it was revoked already."""
    with transaction.atomic():
        live = Invitation.objects.filter(pk=row.pk, revoked_at=None)
        if not live.update(revoked_at=timezone.now()):
            return False
        audit.note("invitation.revoked", team=actor.team, by=actor.user, subject=str(row))
    return True


def find(secret: str) -> Invitation:
    """The open invitation of this link. Raises `Closed`, whatever the reason."""
    rows = Invitation.objects.filter(digest=digest(secret)).select_related("team", "made_by")
    row = rows.first()
    if row is None or not row.is_open:
        raise Closed
    return row


def proof_of(row: Invitation, email: str) -> str:
    """What the mail to an address carries besides the link: that its owner read the mail."""
    return signing.dumps([row.pk, email.lower()], salt=PROOF, compress=True)


def proven(row: Invitation, proof: str) -> str:
    """The address that the proof is of. Raises `Closed` when it is none, too old, or of another invitation."""
    try:
        pk, email = signing.loads(proof, salt=PROOF, max_age=PROOF_LASTS)
    except (signing.BadSignature, ValueError, TypeError):
        raise Closed from None
    if pk != row.pk:
        raise Closed
    return str(email)


def is_for(row: Invitation, user: User) -> bool:
    """Whether this person may use it: anybody, or whoever owns the address it was sent to."""
    if not row.email or user.email.lower() == row.email:
        return True
    return bool(EmailAddress.objects.filter(user=user, email__iexact=row.email, verified=True).exists())


def accept(row: Invitation, user: User) -> Membership:
    """Lets a person in who has an account. Raises `Closed`, `Refused`, `memberships.AlreadyIn`."""
    with transaction.atomic():
        return _accept(row, user)


def accept_as_newcomer(row: Invitation, email: str, name: str, password: str) -> Membership:
    """Makes the account of whoever owns this address, which is thereby confirmed, and lets them in.

    Raises `AccountExists`, and as `accept`.
    """
    try:
        with transaction.atomic():
            taken = EmailAddress.objects.filter(email__iexact=email, verified=True).exists()
            if taken or User.objects.filter(email__iexact=email).exists():
                raise AccountExists
            user = User.objects.create_user(email, password, name=name)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            return _accept(row, user)
    except IntegrityError:
        raise AccountExists from None


def has_account(email: str) -> bool:
    """Whether somebody signs in with this address. Only told to whoever proved to own it."""
    return User.objects.filter(email__iexact=email).exists()


def _accept(row: Invitation, user: User) -> Membership:
    team = Team.objects.select_for_update().get(pk=row.team_id)
    if not is_for(row, user):
        raise Refused(_("This invitation was sent to another address. Sign in with that one."))
    giver = current(team, row.made_by)
    active = User.objects.filter(pk=row.made_by_id, is_active=True).exists()
    if giver is None or not active or not may_give(giver, row.role):
        words = {"name": row.made_by.display_name, "role": row.get_role_display(), "team": team.name}
        sentence = _(
            "%(name)s, who invited you, may no longer give the role “%(role)s” in %(team)s. "
            "Ask a manager of the team for another invitation."
        )
        raise Refused(sentence % words)
    live = Invitation.objects.filter(pk=row.pk, digest=row.digest, made_by=row.made_by_id)
    if not live.open(timezone.now()).update(uses=F("uses") + 1):
        raise Closed
    joined = admit(team, user, row.role, how="invitation")
    said = {"role": row.role, "made_by": row.made_by.email}
    audit.note("invitation.used", team=team, by=user, person=user, subject=str(row), after=said)
    return joined
