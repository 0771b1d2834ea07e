from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management import lookup
from accounts.models import ApiToken


class Command(BaseCommand):
    help = (
        "Makes a token for the REST API and prints it as its last line. It is shown this once and never kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whom the token speaks for")
        parser.add_argument("--team", required=True, help="the slug of the team it is bound to")
        parser.add_argument("--name", default="Command line", help="what it is for")

    def handle(self, *, email: str, team: str, name: str, **options: Any) -> None:
        name = name.strip()
        if not 0 < len(name) <= 80:
            raise CommandError("The name of a token has 1 to 80 characters.")
        membership = lookup.membership(lookup.team(team), email)
        if not membership.user.is_active:
            raise CommandError(f"{membership.user.email} may not sign in, so a token would not work either.")
        self.stdout.write(
            f"A token of {membership.user.email} in {membership.team.slug}; keep it, it is shown once:"
        )
        self.stdout.write(ApiToken.issue(membership, name))
