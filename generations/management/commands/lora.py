"""`manage.py lora FILE --team SLUG`: gives RunningHub a LoRA by the connection of a team, for its workflows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Team
from generations import upstream
from generations.models import Connection
from generations.runninghub.errors import UpstreamError


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
        if path.suffix.lower() != ".safetensors":
            raise CommandError("Only a .safetensors file can be given.")
        try:
            connection = Connection.of(Team.objects.get(slug=team))
            with path.open("rb") as opened:
                found = upstream.get_client(connection).upload_lora(opened, name=name or path.stem)
        except Team.DoesNotExist:
            raise CommandError(f"There is no team {team}.") from None
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except upstream.NotConfigured:
            raise CommandError("The key of the connection is not there or cannot be read.") from None
        except UpstreamError as error:
            raise CommandError(f"RunningHub did not take it: {error}") from None
        self.stdout.write("Fix the input of RHLoraLoader to this name:")
        self.stdout.write(found)
