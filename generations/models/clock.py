"""The clock that all processes of the portal share: the database's."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

ASK = {
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')",
}


def database_now() -> datetime:
    """What time it is for the database, by one query.

    What counts for money is dated by it: of several hosts one may have a wrong clock, and a request must fall into
    the same day, week and month whichever of them takes it.
    """
    with connection.cursor() as cursor:
        cursor.execute(ASK[connection.vendor])
        found = cursor.fetchone()[0]
    return found.astimezone(UTC) if isinstance(found, datetime) else datetime.fromisoformat(found + "+00:00")
