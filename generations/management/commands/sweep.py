"""`manage.py sweep`: rebuilds lost work from the rows, as the schedule does every minute."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from generations.pipeline.sweep import sweep


class Command(BaseCommand):
    help = "Finds work that no message will come for, and wakes the worker."

    def handle(self, *args: Any, **options: Any) -> None:
        for rule, rows in asdict(sweep()).items():
            self.stdout.write(f"{rule}: {rows}")
