"""What the list of models has learned is asked for at once, whatever the number of models."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations import progress
from generations.catalogue import load
from generations.models import Connection, Generation, State, latest_of_each
from generations.pipeline import accept
from generations.views import picker


@pytest.fixture
def history(bob: Membership, make_generation: Any) -> None:
    """Some models with more charges than count, some with few, some with none, some of another connection."""
    other = Connection.objects.create(base_url="https://elsewhere.example")
    made, now = [], timezone.now()
    base = make_generation(bob)
    for at, spec in enumerate(load.models()):
        for turn in range((0, 2, 5, 45)[at % 4]):
            ended = now - timedelta(minutes=(turn * 37) % 60, seconds=at)
            made.append(
                Generation(
                    team=base.team,
                    author=base.author,
                    connection=other if turn % 11 == 10 else base.connection,
                    model=spec.slug,
                    kind=spec.kind.value,
                    title="Rain",
                    params={"text": "x" * 10 * (turn + 1), "prompt": "x", "n": 1 + turn % 3},
                    status=State.SUCCEEDED if turn % 7 else State.FAILED,
                    currency="CNY" if turn % 5 else "USD",
                    cost_actual=None if turn % 13 == 12 else Decimal(turn % 4),
                    dispatched_at=None if turn % 17 == 16 else ended - timedelta(seconds=5 + turn + at),
                    upstream_done_at=ended - timedelta(seconds=2),
                    finished_at=ended,
                )
            )
    Generation.objects.bulk_create(made)


@pytest.mark.thorough
def test_all_at_once_gives_what_each_alone_gives(history: None) -> None:
    here = Connection.current()
    specs = load.models()
    params = {"text": "x" * 1000, "prompt": "x", "n": 2}
    together = accept.quotes([(spec, params) for spec in specs], here, None)
    paces = progress.usual_of_each([spec.slug for spec in specs], here)
    for spec in specs:
        assert together[spec.slug] == accept.quote(spec, params, here, None), spec.slug
        assert paces[spec.slug] == progress.usual(spec.slug, here), spec.slug
    assert len({quote.cost for quote in together.values()}) > 5
    assert len(set(paces.values())) > 5


@pytest.mark.thorough
def test_the_list_asks_four_times_however_many_models_there_are(history: None, bob: Membership) -> None:
    cache.clear()
    with CaptureQueriesContext(database) as asked:
        picker.groups(bob)
    ours = [query["sql"] for query in asked if "generations_generation" in query["sql"]]
    assert len(ours) == 4
    with CaptureQueriesContext(database) as again:
        picker.groups(bob)
    assert [query for query in again if "generations_generation" in query["sql"]] == []


@pytest.mark.thorough
@pytest.mark.parametrize("count", [0, 1, 2])
def test_one_question_or_none_are_questions_too(history: None, count: int) -> None:
    specs = load.models()[:count]
    assert set(progress.usual_of_each([spec.slug for spec in specs], Connection.current())) == {
        spec.slug for spec in specs
    }


@pytest.mark.thorough
def test_the_newest_come_first_and_no_more_than_asked(history: None) -> None:
    def finished(slug: str) -> Any:
        return Generation.objects.filter(model=slug, finished_at__isnull=False).order_by("-finished_at")

    found = latest_of_each((spec.slug for spec in load.models()), finished, 3, "id")
    for spec in load.models():
        newest = list(finished(spec.slug).values_list("finished_at", flat=True)[:3])
        ids = [pk for (pk,) in found.get(spec.slug, [])]
        ends = Generation.objects.in_bulk(ids)
        assert [ends[pk].finished_at for pk in ids] == newest


@pytest.mark.thorough
def test_neither_question_reads_every_generation(history: None, bob: Membership) -> None:
    sqlite = database.vendor == "sqlite"
    cache.clear()
    with CaptureQueriesContext(database) as asked:
        picker.groups(bob)
    steps = []
    with database.cursor() as cursor:
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")  # a small table is read whole for good reasons
        for query in asked:
            if "generations_generation" in query["sql"]:
                cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + query["sql"])
                steps += [str(row[-1]) for row in cursor.fetchall()]
    assert [step for step in steps if "pace_of_model" in step]
    assert [step for step in steps if step.startswith("SCAN generations") or "Seq Scan" in step] == []
