"""Finding what a command line names, or ending with a sentence."""

from __future__ import annotations

from django.core.management.base import CommandError

from accounts.models import Membership, Team


def team(slug: str) -> Team:
    """The team of this slug. Raises `CommandError`."""
    found = Team.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no team called {slug!r}. Make it first: manage.py create_team {slug}")
    return found


def membership(of: Team, email: str) -> Membership:
    """The current membership of the user with this email. Raises `CommandError`."""
    rows = Membership.objects.select_related("team", "user").filter(team=of, ended_at=None)
    found = rows.filter(user__email__iexact=email.strip()).first()
    if found is None:
        raise CommandError(
            f"{email} is not a member of {of.slug}. "
            f"Add them first: manage.py create_member {email} --team {of.slug} --role member"
        )
    return found
