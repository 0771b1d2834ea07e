"""Commands whose deeds the audit trail tells of."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import audit


class AuditedCommand(BaseCommand):
    """What it notes came by a command; nobody is signed in to one, so no person is named."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with audit.coming_from(audit.Origin(via="command")):
            return super().execute(*args, **options)
