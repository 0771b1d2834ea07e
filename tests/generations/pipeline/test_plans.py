"""The pipeline asks a few questions several times a second; none of them may read all generations there ever were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations import progress
from generations.models import ACTIVE, Connection, Generation, State
from generations.pipeline import sweep, warn, watch

LEASE = timedelta(seconds=60)
QUESTIONS: dict[str, Callable[[Membership], Any]] = {
    "what to look at": lambda bob: Generation.objects.claim(State.RUNNING, limit=5, lease=LEASE),
    "what to copy": lambda bob: Generation.objects.due(timezone.now(), State.GATHERING).exists(),
    "what to send": lambda bob: (
        Generation.objects.due(timezone.now(), State.QUEUED).filter(connection=Connection.current()).exists()
    ),
    "who is next": lambda bob: progress.line(Connection.current(), timezone.now(), limit=5),
    "how many slots": lambda bob: progress.slots(Connection.current()),
    "when to wake": lambda bob: watch.next_due(),
    "what is lost": lambda bob: sweep.sweep(),
    "which voices disappear": lambda bob: warn.voices(),
    "what runs of mine": lambda bob: Generation.objects.filter(
        team=bob.team_id, author=bob.user_id, status__in=ACTIVE
    ).count(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_everything(question: str, bob: Membership) -> None:
    sqlite = database.vendor == "sqlite"
    with CaptureQueriesContext(database) as asked:
        QUESTIONS[question](bob)
    plans = {}
    with database.cursor() as cursor:
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")  # a small table is read whole for good reasons
        for query in asked:
            if query["sql"].startswith(("SELECT", "UPDATE")) and "generations_generation" in query["sql"]:
                cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + query["sql"])
                plans[query["sql"]] = [str(row[-1]) for row in cursor.fetchall()]
    steps = [step for plan in plans.values() for step in plan if "generations_generation" in step]
    assert steps
    assert [s for s in steps if s.startswith("SCAN generations_generation") or "Seq Scan" in s] == []
    every = ("_connection_id_", "receipts_of", "generation_of_team", "generation_by_author")
    assert [s for s in steps if any(name in s for name in every)] == [], (
        "through an index that holds all of them"
    )
