from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.management import lookup
from accounts.management.audited import AuditedCommand
from accounts.models import Team, audit
from accounts.models.team import HEAVIEST


class Command(AuditedCommand):
    help = (
        "Sets how many slots a team gets for each one of a team of weight 1 while both have generations waiting. "
        "Managers see the weights and cannot change them: more for one team is less for the others."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the slug of the team")
        parser.add_argument("weight", help=f"a whole number from 1 to {HEAVIEST}; every team starts with 1")

    def handle(self, *, slug: str, weight: str, **options: Any) -> None:
        found = lookup.team(slug)
        if not (weight.isascii() and weight.isdecimal() and 1 <= int(weight[:4]) <= HEAVIEST):
            raise CommandError(f"The weight is {weight!r}; write a whole number from 1 to {HEAVIEST}.")
        with transaction.atomic():
            locked = Team.objects.select_for_update().get(pk=found.pk)
            if locked.weight != int(weight):
                Team.objects.filter(pk=found.pk).update(weight=int(weight))
                audit.note(
                    "weight.changed",
                    team=found,
                    subject=found.name,
                    before={"weight": locked.weight},
                    after={"weight": int(weight)},
                )
        total = sum(Team.objects.values_list("weight", flat=True))
        self.stdout.write(f"{found.slug} has weight {int(weight)} of {total} in all teams together.")
