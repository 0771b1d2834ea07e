"""The pipeline asks a few questions several times a second; none of them may read all generations there ever were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope
from generations import progress, quota
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
    every = ["_connection_id_", "generation_of_team", "generation_by_author"]
    every += ["receipts_of"] if sqlite else []  # of empty tables PostgreSQL finds all alike
    assert [s for s in steps if any(name in s for name in every)] == [], (
        "through an index that holds all of them"
    )


@pytest.mark.parametrize("whose", ["member", "pool"])
@pytest.mark.parametrize("measure", [Measure.SPEND, Measure.COUNT, Measure.CONCURRENT])
def test_the_question_about_a_limit_is_answered_by_an_index_from_the_start_of_its_period(
    whose: str, measure: Measure, bob: Membership
) -> None:
    sqlite = database.vendor == "sqlite"
    period = Period.NONE if measure == Measure.CONCURRENT else Period.WEEK
    scope = Scope.POOL if whose == "pool" else Scope.DEFAULT
    Allowance.put(bob.team, scope=scope, measure=measure, period=period, mode=Mode.LIMITED, limit=Decimal(9))
    with CaptureQueriesContext(database) as asked:
        quota.standing(bob)
    sums = [query["sql"] for query in asked if "generations_generation" in query["sql"]]
    assert len(sums) == 1
    with database.cursor() as cursor:
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            # Of empty tables PostgreSQL finds all indexes alike, so those of the library are away meanwhile.
            cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname ~ '^generation_(by|of)_'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + sums[0])
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert "SCAN generations_generation" not in plan
    assert "Seq Scan on generations_generation" not in plan
    if measure == Measure.CONCURRENT:
        assert "status" in plan
        return
    # Of empty tables PostgreSQL finds both alike.
    assert ("receipts_of_a_team" if whose == "pool" and sqlite else "receipts_of_a") in plan
    assert ("COVERING INDEX" if sqlite else "Index Only Scan") in plan
    assert ("created_at>? AND created_at<?" if sqlite else "created_at >= ") in plan
