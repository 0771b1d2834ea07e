from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.management.audited import AuditedCommand
from accounts.models import Team, audit


class Command(AuditedCommand):
    help = "Makes a team, or changes the name or time zone of the one that is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its name in addresses: small letters, digits and hyphens")
        parser.add_argument("--name", help="what people call it; without it the slug in words")
        parser.add_argument("--time-zone", help="where its days begin, such as Europe/Berlin; UTC without it")

    @transaction.atomic
    def handle(self, *, slug: str, name: str | None, time_zone: str | None, **options: Any) -> None:
        team = Team.objects.select_for_update().filter(slug=slug).first()
        made = team is None
        before = {} if team is None else {"name": team.name, "time_zone": team.time_zone}
        if team is None:
            team = Team(slug=slug, name=slug.replace("-", " ").capitalize())
        if name is not None:
            team.name = name.strip()
        if time_zone is not None:
            team.time_zone = time_zone
        try:
            team.full_clean(validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            field, sentences = next(iter(error.message_dict.items()))
            raise CommandError(f"{field.replace('_', ' ')}: {sentences[-1]}") from None
        if made:
            # Two commands at once may both find nothing; the second then changes what the first made.
            given = {"name": team.name, "time_zone": team.time_zone}
            team, made = Team.objects.get_or_create(slug=slug, defaults=given)
        else:
            team.save(update_fields=["name", "time_zone"])
        after = {"name": team.name, "time_zone": team.time_zone}
        if made or before != after:
            deed = "team.made" if made else "settings.changed"
            audit.note(deed, team=team, subject=team.name, before=before, after=after)
        self.stdout.write(
            f"{'Made' if made else 'Kept'} the team {team.slug} ({team.name}, {team.time_zone})."
        )
