"""What an account says of itself is asked by the worker and kept without its keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generations import connections, tasks
from generations.models import AccountAnswer, Connection
from generations.pipeline import account
from tests.conftest import point_at
from tests.generations.runninghub.wire import Wire, answer

pytestmark = pytest.mark.django_db
MONEY = {"remainMoney": "9.5", "remainCoins": "120", "currency": "CNY", "currentTaskCounts": "1"}
OTHER = "fedcba9876543210fedcba9876543210"


@pytest.fixture
def upstream(settings: Any) -> Iterator[Wire]:
    wire = Wire()
    point_at(settings, wire.url)
    yield wire
    wire.stop()


def said() -> dict[str, Any]:
    found: dict[str, Any] = AccountAnswer.objects.get().said
    return found


def test_three_questions_are_one_answer(upstream: Wire) -> None:
    connection = Connection.current()
    assert connections.ask_account(connection)
    assert not connections.ask_account(connection), "it is being asked"
    upstream.script(
        answer({"code": 0, "data": MONEY | {"apiType": "SHARED"}}),
        answer({"concurrentLimit": 50, "runningCount": 2}),
        answer({"code": 0, "data": [{"key": OTHER, "apiKeyName": "Studio", "status": 1}]}),
    )
    tasks.ask_account(connection.pk)
    assert said()["account"]["balance"] == "9.5"
    assert said()["queue"]["limit"] == 50
    assert said()["keys"][0]["end"] == "3210"
    assert said()["faults"] == {}
    assert OTHER not in str(said())
    assert not AccountAnswer.objects.get().is_wanted
    assert not account.ask(connection.pk), "nobody wants it any more"
    assert len(upstream.seen) == 3


def test_what_is_refused_is_a_sentence_beside_what_was_known(upstream: Wire) -> None:
    connection = Connection.current()
    old = {"account": {"balance": "7"}, "keys": [{"end": "aaaa"}], "queue": {"limit": 3}}
    AccountAnswer.objects.create(connection=connection, wanted_at=timezone.now(), said=old)
    upstream.script(
        answer({"code": 0, "data": MONEY}),
        answer({"code": 802, "msg": "APIKEY_UNAUTHORIZED", "data": None}),
        answer("<html>", status=502),
    )
    assert account.ask(connection.pk)
    assert said()["account"]["balance"] == "9.5"
    assert said()["keys"] == [{"end": "aaaa"}]
    assert said()["queue"] == {"limit": 3}
    assert set(said()["faults"]) == {"queue", "keys"}
    assert Connection.objects.get().paused_at is None, "only a submit may pause"


def test_each_account_is_asked_once_a_day_and_a_lost_message_is_made_good(upstream: Wire) -> None:
    account.tend()
    row = AccountAnswer.objects.get()
    assert row.is_wanted
    upstream.script(*[answer({"code": 0, "data": MONEY})] * 3)
    assert account.ask(row.connection_id)
    account.tend()
    assert not AccountAnswer.objects.get().is_wanted
    AccountAnswer.objects.update(asked_at=timezone.now() - timedelta(days=2))
    account.tend()
    assert AccountAnswer.objects.get().is_wanted


def test_the_sandbox_answers(sandbox: Any) -> None:
    connection = Connection.current()
    connections.ask_account(connection)
    account.ask(connection.pk)
    assert said()["account"]["api_type"] == "SHARED"
    assert said()["keys"][0]["is_own"]
