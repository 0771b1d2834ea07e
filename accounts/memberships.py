"""Coming into a team and going from it. Whoever changes who is in a team holds the lock of the team's row."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import roles
from accounts.models import ApiToken, Invitation, Membership, Role, Team, User, audit


class AlreadyIn(Exception):
    """The person is in the team already."""


class LastOwner(Exception):
    """Without this owner the team would have none."""


class Changed(Exception):
    """The membership is not as it was when the page was shown."""


def may_give(actor: Membership, role: str) -> bool:
    """Whether this member may make somebody else have the role: managers may, and only owners make owners."""
    return role in roles.to_give(actor.role) and actor.ended_at is None


def prove(user: User) -> None:
    """Before somebody is put into a team whom nobody vouched for yet and who never showed that the address is theirs:
    whoever made the account may be somebody else, so its password is forgotten and a mail asks for another.
    """
    vouched = Membership.objects.filter(user=user).exists()
    if vouched or EmailAddress.objects.filter(user=user, verified=True).exists():
        return
    user.set_unusable_password()
    user.save(update_fields=["password"])


def current(team: Team, user: User) -> Membership | None:
    """The membership of somebody who is in the team now."""
    return Membership.objects.filter(team=team, user=user, ended_at=None).first()


def admit(team: Team, user: User, role: str, *, how: str) -> Membership:
    """Puts somebody into the team; whoever left comes back. `how` is written into the audit trail.

    For use inside a transaction. Raises `AlreadyIn`.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    row, made = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if not made:
        back = Membership.objects.filter(pk=row.pk, ended_at__isnull=False)
        if not back.update(role=role, ended_at=None, heir=None):
            raise AlreadyIn
        row.role, row.ended_at, row.heir = role, None, None
    audit.note("member.joined", team=team, person=user, after={"role": role, "how": how})
    return row


def lock(membership: Membership) -> tuple[Team, Membership]:
    """The team and the membership under their locks and as they are now, in the order that accepting work takes them.

    Raises `Changed` when the membership is over. For use inside a transaction.
    """
    team = Team.objects.select_for_update().get(pk=membership.team_id)
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user")
    locked = rows.filter(pk=membership.pk, ended_at=None).first()
    if locked is None:
        raise Changed
    locked.team = team
    return team, locked


def may_end(actor: Membership, leaving: Membership) -> bool:
    """Everybody may go; managers may let others go, but only owners an owner."""
    if actor.pk == leaving.pk:
        return actor.ended_at is None
    return actor.may_manage and (leaving.role != Role.OWNER or actor.role == Role.OWNER)


def check_end(actor: Membership, leaving: Membership) -> None:
    """Raises `PermissionDenied` with a sentence, and `LastOwner`. Both rows as they are under the lock of the team."""
    if not may_end(actor, leaving):
        raise PermissionDenied(_("Only managers may end a membership, and only owners that of an owner."))
    owners = Membership.objects.filter(team=leaving.team_id, role=Role.OWNER, ended_at=None)
    if leaving.role == Role.OWNER and not owners.exclude(pk=leaving.pk).exists():
        raise LastOwner


def end(leaving: Membership, *, heir: User | None, by: User) -> bool:
    """Ends a membership with its keys and its invitations; what others left to this person goes to the heir.

    Returns whether it was the last team: then they are signed out everywhere, because nothing is left to see.
    For use under `lock`, after `check_end`. Raises `Changed` when somebody else ended it first.
    """
    now = timezone.now()
    still = Membership.objects.filter(pk=leaving.pk, ended_at=None, role=leaving.role)
    if not still.update(ended_at=now, heir=heir):
        raise Changed
    Membership.objects.filter(team=leaving.team_id, heir=leaving.user_id).update(heir=heir)
    tokens = ApiToken.objects.filter(membership=leaving, revoked_at=None).update(revoked_at=now)
    theirs = Invitation.objects.filter(team=leaving.team_id, made_by=leaving.user_id)
    invitations = theirs.filter(revoked_at=None, expires_at__gt=now).update(revoked_at=now)
    last = not Membership.objects.filter(user=leaving.user_id, ended_at=None).exists()
    sessions = list(UserSession.objects.filter(user=leaving.user_id)) if last else []
    for session in sessions:
        session.end()
    audit.note(
        "member.left",
        team=leaving.team,
        by=by,
        person=leaving.user,
        before={"role": leaving.role},
        after={
            "heir": heir.email if heir else "",
            "tokens_revoked": tokens,
            "invitations_revoked": invitations,
            "sessions_ended": len(sessions),
        },
    )
    return last
