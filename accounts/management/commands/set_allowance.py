from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.management import lookup
from accounts.management.audited import AuditedCommand
from accounts.models import Action, Allowance, Measure, Mode, Period, Scope, Team
from accounts.models.money import MICRO

PLACES = int(MICRO.as_tuple().exponent)


class Command(AuditedCommand):
    help = "Sets one limit: of the team pool, by default for members, or of one member."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", required=True, help="the slug of the team")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--pool", action="store_true", help="the whole team together")
        whose.add_argument("--default", action="store_true", help="each member who has no limit of their own")
        whose.add_argument("--member", metavar="EMAIL", help="this member")
        parser.add_argument("--measure", required=True, choices=Measure.values)
        parser.add_argument("--period", required=True, choices=Period.values)
        parser.add_argument(
            "--limit", required=True, help="a number, unlimited, or inherit (a member's only)"
        )
        parser.add_argument("--action", default=Action.BLOCK.value, choices=Action.values)

    def handle(
        self,
        *,
        team: str,
        member: str | None,
        measure: str,
        period: str,
        limit: str,
        action: str,
        **options: Any,
    ) -> None:
        found = lookup.team(team)
        membership = None if member is None else lookup.membership(found, member)
        scope = Scope.MEMBER if membership else Scope.POOL if options["pool"] else Scope.DEFAULT
        mode, amount = _limit(limit)
        try:
            with transaction.atomic():
                Team.objects.select_for_update().get(pk=found.pk)
                Allowance.put(
                    found,
                    scope=scope,
                    membership=membership,
                    measure=Measure(measure),
                    period=Period(period),
                    mode=mode,
                    limit=amount,
                    action=Action(action),
                )
        except ValueError as error:
            raise CommandError(str(error)) from None
        whose = (
            membership.user.email if membership else "the pool" if options["pool"] else "members by default"
        )
        said = (
            f"{amount.normalize():f}, {Action(action).label.lower()} beyond"
            if amount is not None
            else mode.value
        )
        each = "" if period == Period.NONE else f" per {period}"
        self.stdout.write(f"{found.slug}: {measure}{each} of {whose}: {said}.")


def _limit(text: str) -> tuple[Mode, Decimal | None]:
    word = text.strip().lower()
    if word in {Mode.UNLIMITED, Mode.INHERIT}:
        return Mode(word), None
    try:
        amount = Decimal(word)
    except InvalidOperation:
        raise CommandError(f"The limit is {text!r}; write a number, unlimited or inherit.") from None
    if amount.is_finite() and int(amount.normalize().as_tuple().exponent) < PLACES:
        raise CommandError("A limit has at most six decimals.")
    return Mode.LIMITED, amount
