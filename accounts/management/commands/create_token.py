from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.management import lookup
from accounts.management.audited import AuditedCommand
from accounts.models import ApiToken, Period, Reach, audit


class Command(AuditedCommand):
    help = (
        "Makes a token for the REST API and prints it as its last line. It is shown this once and never kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whom the token speaks for")
        parser.add_argument("--team", required=True, help="the slug of the team it is bound to")
        parser.add_argument("--name", default="Command line", help="what it is for")
        parser.add_argument(
            "--scopes",
            default="read,generate,manage",
            help="how far it reaches, with commas; default: everything",
        )
        parser.add_argument("--days", type=int, help="after so many days it stops; default: never")
        parser.add_argument(
            "--spend", help="so much money it may spend per period; default: no limit of its own"
        )
        parser.add_argument("--count", type=int, help="so many generations it may make per period")
        parser.add_argument("--period", choices=Period.values, default=Period.MONTH.value)

    def handle(self, *, email: str, team: str, name: str, **options: Any) -> None:
        name = name.strip()
        if not 0 < len(name) <= 80:
            raise CommandError("The name of a token has 1 to 80 characters.")
        membership = lookup.membership(lookup.team(team), email)
        if not membership.user.is_active:
            raise CommandError(f"{membership.user.email} may not sign in, so a token would not work either.")
        said = self._said(options)
        self.stdout.write(
            f"A token of {membership.user.email} in {membership.team.slug}; keep it, it is shown once:"
        )
        with transaction.atomic():
            token = ApiToken.issue(membership, name, **said)
            told = {key: value for key, value in said.items() if value is not None and key != "period"}
            audit.note(
                "token.made", team=membership.team, person=membership.user, after={"name": name} | told
            )
        self.stdout.write(token)

    def _said(self, options: dict[str, Any]) -> dict[str, Any]:
        """How far it reaches. Raises `CommandError` with a sentence."""
        scopes = [word.strip() for word in options["scopes"].split(",") if word.strip()]
        if unknown := set(scopes) - set(Reach.values):
            raise CommandError(
                f"There is no scope {sorted(unknown)[0]!r}; there are {', '.join(Reach.values)}."
            )
        days, count = options["days"], options["count"]
        if days is not None and not 0 < days <= 3660:
            raise CommandError("A token lasts 1 to 3660 days.")
        if count is not None and not 0 <= count < 10**9:
            raise CommandError("A limit on generations is a whole number from 0 up.")
        return {
            "scopes": scopes,
            "expires_at": timezone.now() + timedelta(days=days) if days else None,
            "spend_limit": self._money(options["spend"]),
            "count_limit": count,
            "period": options["period"],
        }

    @staticmethod
    def _money(text: str | None) -> Decimal | None:
        if text is None:
            return None
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or not 0 <= amount < 10**12:
            raise CommandError("A limit on spending is a number from 0 up.")
        return amount
