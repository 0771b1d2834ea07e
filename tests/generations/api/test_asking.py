"""What RunningHub itself says, for programs: the account of a connection, and a price beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership
from generations import price_checks, tasks
from generations.models import AccountAnswer, Connection, Generation, PriceCheck
from tests.conftest import MODEL, point_at
from tests.generations.api.conftest import Program
from tests.generations.runninghub.wire import Wire, answer
from tests.generations.views.test_account import SAID, own, snap

__all__ = ["own"]
ProgramOf = Callable[[Membership], Program]
WISH = {"model": MODEL, "params": {"prompt": "Rain"}}


@pytest.fixture
def upstream(settings: Any) -> Iterator[Wire]:
    wire = Wire()
    point_at(settings, wire.url)
    yield wire
    wire.stop()


def test_the_account_in_its_own_words(own: Connection, mona: Membership, program_of: ProgramOf) -> None:
    snap(own, 1, "820")
    told = program_of(mona).get(f"connections/{own.pk}/account").json()
    assert (told["balance"], told["coins"], told["currency"], told["kind"]) == (
        "812.34",
        "120",
        "CNY",
        "SHARED",
    )
    assert (told["is_ours_alone"], told["pending"], told["faults"]) == (True, False, {})
    key = {"end": "cdef", "name": "Studio", "enabled": False, "limit": None, "used": "7.77", "expires": ""}
    assert told["keys"] == [key | {"is_own": False}]
    assert [night["balance"] for night in told["nights"]] == ["820.00"]


def test_it_is_asked_anew_and_twice_is_as_once(
    own: Connection, mona: Membership, program_of: ProgramOf
) -> None:
    program = program_of(mona)
    for _ in range(2):
        asked = program.post(f"connections/{own.pk}/account")
        assert (asked.status_code, asked.json()["pending"]) == (202, True)
    assert AccountAnswer.objects.get().is_wanted


def test_of_a_shared_account_money_and_keys_are_nobody_elses(
    own: Connection, mona: Membership, zoe: Membership, program_of: ProgramOf
) -> None:
    shared = Connection.current()
    AccountAnswer.objects.create(connection=shared, said=SAID | {"faults": {"keys": "No."}})
    told = program_of(mona).get(f"connections/{shared.pk}/account").json()
    assert (told["is_ours_alone"], told["balance"], told["keys"], told["nights"]) == (False, None, [], [])
    assert told["faults"] == {}
    assert "812.34" not in str(told)
    assert program_of(zoe).get(f"connections/{own.pk}/account").status_code == 404
    assert program_of(zoe).post(f"connections/{own.pk}/account").status_code == 404


@pytest.mark.parametrize(
    "said", [{}, {"account": 7, "queue": [], "keys": "x", "faults": 3}, {"keys": [1, {}]}]
)
def test_whatever_it_said_is_no_fault_of_ours(
    said: Any, own: Connection, mona: Membership, program_of: ProgramOf
) -> None:
    AccountAnswer.objects.update(said=said)
    told = program_of(mona).get(f"connections/{own.pk}/account")
    assert told.status_code == 200
    assert told.json()["balance"] is None


def test_a_price_is_asked_for_and_told_a_moment_later(
    upstream: Wire, bob: Membership, zoe: Membership, vera: Membership, program_of: ProgramOf
) -> None:
    program = program_of(bob)
    asked = program.post("price-checks", WISH)
    assert (asked.status_code, asked.json()["pending"], asked.json()["amount"]) == (201, True, None)
    assert program.post("price-checks", WISH).json()["id"] == asked.json()["id"]
    where = f"price-checks/{asked.json()['id']}"
    assert asked["Location"].endswith(where)
    upstream.script(answer({"errorCode": "", "estimatedPrice": "0.95", "currency": "CNY"}))
    tasks.ask_price(asked.json()["id"])
    told = program.get(where).json()
    assert (told["pending"], told["amount"], told["currency"], told["fault"]) == (False, "0.95", "CNY", "")
    assert not Generation.objects.exists()
    assert program_of(zoe).get(where).status_code == 404
    assert program_of(vera).get(where).status_code == 403
    assert program_of(vera).post("price-checks", WISH).status_code == 403


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"model": "nothing", "params": {}}, 404),
        ({"model": MODEL, "params": {}}, 422),
        ({"model": MODEL, "params": {"prompt": 7}}, 422),
        ({"model": MODEL, "params": {"prompt": "Rain", "loudness": 1}}, 422),
        ({"model": MODEL, "params": []}, 422),
        ({"model": MODEL}, 422),
        ({"model": 7, "params": {}}, 422),
        (b"{", 400),
        (b"[]", 422),
    ],
    ids=["no model", "none given", "a number", "unknown", "a list", "no params", "model 7", "cut", "list"],
)
def test_a_wrong_wish_is_refused(
    wish: Any, status: int, upstream: Wire, bob: Membership, program_of: ProgramOf
) -> None:
    assert program_of(bob).post("price-checks", wish).status_code == status
    assert not PriceCheck.objects.exists()


def test_an_account_that_cannot_ask_says_so(upstream: Wire, bob: Membership, program_of: ProgramOf) -> None:
    Connection.objects.filter(pk=Connection.of(bob.team).pk).update(
        prices_refused_at=timezone.now() - timedelta(minutes=5)
    )
    refused = program_of(bob).post("price-checks", WISH)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


def test_many_within_a_minute_are_told_when_to_come_back(
    upstream: Wire, bob: Membership, program_of: ProgramOf, anonymous: Program
) -> None:
    row = {"team": bob.team, "connection": Connection.of(bob.team), "model": MODEL, "params": {}}
    PriceCheck.objects.bulk_create(PriceCheck(**row, digest=str(n)) for n in range(price_checks.MOST))
    refused = program_of(bob).post("price-checks", WISH)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_questions")
    assert 0 < int(refused["Retry-After"]) <= 60
    document = anonymous.get("openapi.json").json()
    answers = document["paths"]["/api/v1/price-checks"]["post"]["responses"]
    assert "402" not in answers
    name = answers["429"].get("$ref", "").rpartition("/")[2]
    answer = document["components"]["responses"][name] if name else answers["429"]
    assert (answer["description"], list(answer["headers"])) == ("Too many questions.", ["Retry-After"])
