"""`manage.py sandbox`: a RunningHub of your own, without a key and without cost."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generations.sandbox import SandboxError, pace_from_environment, serve


class Command(BaseCommand):
    help = "Runs the sandbox: the same interface as RunningHub on this machine, with real sound."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8188)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            serve(
                options["host"],
                options["port"],
                pace=pace_from_environment(),
                state_dir=settings.DATA_DIR / "sandbox",
            )
        except SandboxError as error:
            raise CommandError(str(error)) from None
