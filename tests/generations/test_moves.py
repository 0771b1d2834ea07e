"""A move is one conditional UPDATE, whoever puts it into words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import F, Value
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations.models import Generation, State

pytestmark = pytest.mark.django_db
Make = Callable[..., Generation]


@pytest.mark.parametrize("code", ["late", Value("late")], ids=["plain", "expression"])
def test_all_that_is_written_is_read_again(make_generation: Make, bob: Membership, code: Any) -> None:
    row = make_generation(bob, status=State.RUNNING, claims=2, lease_until=timezone.now())
    changes: dict[str, Any] = {
        "results": [{"url": "https://example.com/ä.wav", "text": None}],
        "cost_actual": Decimal("0.80"),
        "length": 2.5,
        "upstream_done_at": timezone.now() - timedelta(hours=1),
        "error_code": code,
    }
    with CaptureQueriesContext(database) as asked:
        assert Generation.objects.move(row.pk, (State.RUNNING, State.GATHERING), State.SUCCEEDED, **changes)
    assert len(asked) == 1
    row = Generation.objects.get(pk=row.pk)
    assert (row.status, row.claims, row.lease_until, row.next_check_at) == (State.SUCCEEDED, 0, None, None)
    assert {name: getattr(row, name) for name in changes} == changes | {"error_code": "late"}
    assert row.finished_at == row.updated_at
    assert row.cost_counted == Decimal("0.80")


@pytest.mark.parametrize("faults", [3, F("faults")], ids=["plain", "expression"])
@pytest.mark.parametrize(
    ("fence", "moves"),
    [
        ({}, True),
        ({"attempts": 1, "submitting_at": None}, True),
        ({"attempts": 2, "submitting_at": None}, False),
        ({"attempts": 1, "claimed_at": None}, False),
    ],
    ids=["none", "kept", "other-number", "not-none-any-more"],
)
def test_a_row_that_is_another_by_now_is_left_alone(
    make_generation: Make, bob: Membership, fence: dict[str, Any], moves: bool, faults: Any
) -> None:
    row = make_generation(bob, status=State.DISPATCHING, attempts=1, claimed_at=timezone.now())
    assert Generation.objects.note(row.pk, State.DISPATCHING, fence=fence, faults=faults) is moves
    assert not Generation.objects.move(row.pk, (State.QUEUED, State.RUNNING), State.FAILED, faults=faults)
    assert Generation.objects.get(pk=row.pk).status == State.DISPATCHING
