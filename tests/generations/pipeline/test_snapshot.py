"""The daily look at the accounts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from generations import tasks
from generations.models import AccountSnapshot, Connection, Heartbeat, database_now
from generations.pipeline import snapshot
from tests.conftest import point_at
from tests.generations.runninghub.wire import Wire, answer, closed

pytestmark = pytest.mark.django_db


@pytest.fixture
def upstream(settings: Any) -> Iterator[Wire]:
    wire = Wire()
    point_at(settings, wire.url)
    yield wire
    wire.stop()


def account(**data: Any) -> Any:
    return answer({"code": 0, "msg": "success", "data": data})


def test_an_account_is_noted_once_a_day(upstream: Wire) -> None:
    upstream.script(
        account(
            remainMoney="812.345678",
            remainCoins="12.5",
            currency="RMB",
            currentTaskCounts="2",
            apiType="SHARED",
        )
    )
    assert snapshot.take() == 1
    assert snapshot.take() == 0
    row = AccountSnapshot.objects.get()
    assert (row.balance, row.coins, row.currency, row.running) == (
        Decimal("812.345678"),
        Decimal("12.5"),
        "CNY",
        2,
    )
    assert row.day == database_now().date()
    assert len(upstream.seen) == 1


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({}, (None, None, "", None)),
        ({"remainMoney": None, "remainCoins": "300", "currency": None}, (None, Decimal(300), "", None)),
        ({"remainMoney": "lots", "currency": "POINTS", "currentTaskCounts": "-1"}, (None, None, "POI", None)),
        ({"remainMoney": "0", "currentTaskCounts": "999999999"}, (Decimal(0), None, "", 999999999)),
        ({"remainMoney": "999999999.9999999999", "currency": "USD"}, (Decimal(10**9), None, "USD", None)),
    ],
)
def test_what_it_does_not_tell_stays_unknown(
    data: dict[str, Any], kept: tuple[Any, ...], upstream: Wire
) -> None:
    upstream.script(account(**data))
    assert snapshot.take() == 1
    row = AccountSnapshot.objects.get()
    assert (row.balance, row.coins, row.currency, row.running) == kept


def test_an_account_that_does_not_answer_is_asked_again(upstream: Wire) -> None:
    upstream.script(closed)
    assert snapshot.take() == 0
    assert snapshot.due()
    upstream.script(account(remainMoney="1"))
    assert snapshot.take() == 1


def test_a_day_that_another_worker_noted_first_stays_as_it_is(upstream: Wire) -> None:
    connection = Connection.current()
    upstream.script(account(remainMoney="1"))
    now = timezone.now()
    AccountSnapshot.objects.create(connection=connection, day=database_now().date(), taken_at=now, balance=7)
    assert not snapshot._take(connection)
    assert AccountSnapshot.objects.get().balance == 7


def test_the_sweep_has_it_asked_now_and_then(upstream: Wire) -> None:
    upstream.script(account(remainMoney="5"))
    assert snapshot.tend()
    assert not snapshot.tend()
    tasks.snapshot()
    Heartbeat.objects.filter(name="snapshot").delete()
    assert not snapshot.tend()
    assert AccountSnapshot.objects.count() == 1


def test_the_sandbox_tells_its_balance(sandbox: Any) -> None:
    assert snapshot.take() == 1
    assert AccountSnapshot.objects.get().balance == 5000
