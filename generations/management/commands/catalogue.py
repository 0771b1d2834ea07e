"""`manage.py catalogue diff FILE`: where a registry file of the vendor and our catalogue say different things."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generations.catalogue import diff, load

WORDS = {"new": "New", "gone": "Gone", "changed": "Changed"}


class Command(BaseCommand):
    help = "Compares the catalogue with a registry file of RunningHub's format. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        compare = deeds.add_parser("diff", help="show new, gone and changed models and settings")
        compare.add_argument(
            "file", help="a registry as JSON, such as models_registry.json of the vendor's node pack"
        )
        compare.add_argument("--fail", action="store_true", help="end with 1 when there is any difference")

    def handle(self, *args: Any, file: str, fail: bool, **options: Any) -> None:
        try:
            registry = json.loads(Path(file).read_text(encoding="utf-8"))
            found = diff.compare(load.models(), registry)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, diff.Unreadable) else "It is no JSON."
            raise CommandError(f"{file} is no registry. {why}") from None
        for what, word in WORDS.items():
            some = [one for one in found if one.what == what]
            if some:
                self.stdout.write(f"{word}: {len(some)}")
            for one in some:
                self.stdout.write(f"  {one.endpoint}")
                for said in one.said:
                    self.stdout.write(f"    {said}")
        if not found:
            self.stdout.write("The catalogue and the file say the same.")
        elif fail:
            raise CommandError(f"{len(found)} differences.", returncode=1)
