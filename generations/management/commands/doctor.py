"""`manage.py doctor`: looks at everything the portal needs and says what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from generations.doctor import away, here
from generations.doctor.finding import Finding, wrong


class Command(BaseCommand):
    help = "Looks at database, queue, worker, clock, storage, keys and disk; ends with 1 when something is wrong."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        self.stdout.write(here.versions())
        for finding in _everything():
            wrong += not finding.fine
            self.stdout.write(f"{'ok   ' if finding.fine else 'WRONG'} {finding.subject}: {finding}")
        if wrong:
            raise CommandError(f"{wrong} {'thing needs' if wrong == 1 else 'things need'} a look.")


def _everything() -> Iterator[Finding]:
    yield from here.findings()
    try:
        if all(finding.fine for finding in here.database()):
            yield from away.findings()
        else:
            yield from away.storage()
    except DatabaseError as error:
        yield wrong("database", f"went away: {str(error).strip()}.", "Look at DATABASE_URL.")
