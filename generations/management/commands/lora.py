"""`manage.py lora FILE --team SLUG`: gives RunningHub a LoRA by the connection of a team, for its workflows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Team
from generations import loras
from generations.pipeline import lend


class Command(BaseCommand):
    help = "Uploads a LoRA; its last line is the name that an input of RHLoraLoader takes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a .safetensors file")
        parser.add_argument("--team", required=True, help="whose connection it goes by")
        parser.add_argument(
            "--name", default="", help="what to call it there; the name of the file if not given"
        )

    def handle(self, *args: Any, file: str, team: str, name: str, **options: Any) -> None:
        path = Path(file)
        try:
            with path.open("rb") as opened:
                lora, _made = loras.keep(
                    Team.objects.get(slug=team), None, File(opened, name=path.name), name
                )
        except Team.DoesNotExist:
            raise CommandError(f"There is no team {team}.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except loras.NotTaken as refused:
            raise CommandError(str(refused)) from None
        lend.lend(lora.pk)
        lora.refresh_from_db()
        if lora.is_waiting:
            raise CommandError("RunningHub does not have it yet. It is tried again in the background.")
        if not lora.is_given:
            raise CommandError(lora.sentence)
        self.stdout.write("Fix the input of RHLoraLoader to this name:")
        self.stdout.write(lora.upstream_name)
