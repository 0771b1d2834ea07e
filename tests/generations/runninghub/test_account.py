from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from generations.runninghub import Client
from generations.runninghub.errors import ReadRefused, Unreachable
from generations.runninghub.replies import AccountStatus, ApiKey, PricePreview, QueueStatus

from .conftest import KEY
from .wire import Wire, answer


def test_the_price_of_a_request_is_asked(wire: Wire, client: Client) -> None:
    wire.script(
        answer(
            {
                "errorCode": "",
                "errorMessage": "",
                "estimatedPrice": "0.14",
                "currency": "USD",
                "priceText": "0.14 元/次",
                "priceTextEn": "0.14 per call",
                "remainingFreeLimitCount": 3,
                "isFreeThisCall": False,
            }
        )
    )
    reply = client.price_preview("minimax/music-2.6/text-to-instrumental", {"prompt": "rain"})
    assert reply == PricePreview(Decimal("0.14"), "USD", "0.14 per call", is_free=False, free_left=3)
    assert wire.seen[0].path == "/openapi/v2/price-preview/minimax/music-2.6/text-to-instrumental"
    assert wire.seen[0].json == {"prompt": "rain"}


def test_a_price_that_is_not_told_is_not_zero(wire: Wire, client: Client) -> None:
    wire.script(answer({"errorCode": "", "estimatedPrice": None, "isFreeThisCall": "yes"}))
    assert client.price_preview("m", {}) == PricePreview(None, "", "", is_free=None, free_left=None)


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_slots_of_a_key_are_read(wire: Wire, client: Client, wrapped: bool) -> None:
    numbers = {"concurrentLimit": "50", "runningCount": 2, "queuedCount": 0, "totalCurrentTasks": 2.0}
    flat = numbers | {"apiKeyType": "SHARED"}
    wire.script(answer({"code": 0, "data": flat} if wrapped else flat))
    assert client.queue_status() == QueueStatus(limit=50, running=2, queued=0, total=2, key_type="SHARED")
    assert (wire.seen[0].method, wire.seen[0].path) == ("GET", "/openapi/v2/queue/status")
    assert wire.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("junk", [None, "many", -1, 1.5, True, [], {}, "1e99", 10**60])
def test_senseless_numbers_are_none(wire: Wire, client: Client, junk: Any) -> None:
    wire.script(answer({"concurrentLimit": junk, "apiKeyType": junk}))
    assert client.queue_status().limit is None


def test_the_account_is_read_with_the_key_in_the_body(wire: Wire, client: Client) -> None:
    data = {"remainCoins": "120", "currentTaskCounts": "1", "remainMoney": "9.50", "currency": "CNY"}
    wire.script(answer({"code": 0, "msg": "success", "data": data | {"apiType": "SHARED"}}))
    assert client.account_status() == AccountStatus(Decimal("9.50"), Decimal(120), 1, "CNY", "SHARED")
    assert (wire.seen[0].path, wire.seen[0].json) == ("/uc/openapi/accountStatus", {"apikey": KEY})


def test_a_consumer_account_has_no_balance(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 0, "data": {"remainMoney": None, "currency": None}}))
    assert client.account_status() == AccountStatus(None, None, None, "", "")


def test_a_cancelled_task_is_true_and_an_unknown_one_false(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 0, "msg": "success", "data": None}))
    assert client.cancel("1904") is True
    assert wire.seen[0].path == "/task/openapi/cancel"
    assert wire.seen[0].json == {"apiKey": KEY, "taskId": "1904"}
    for code in (807, 423, 1004, 805):
        wire.script(answer({"code": code, "msg": "gone", "data": None}))
        assert client.cancel("1904") is False


@pytest.mark.parametrize("call", ["queue_status", "account_status", "cancel", "price_preview"])
def test_refusals_and_faults_are_told_apart(wire: Wire, client: Client, call: str) -> None:
    arguments: tuple[Any, ...] = {"cancel": ("1",), "price_preview": ("m", {})}.get(call, ())
    for body, status, reason in (
        ({"code": 802, "msg": "no"}, 200, "key"),
        ({"errorCode": "1014"}, 200, "other"),
        ({}, 401, "key"),
        ({"code": 1003}, 200, "capacity"),
        (b"", 429, "capacity"),
        ({"code": 5555}, 200, "other"),
    ):
        wire.script(answer(body, status, Retry_After="7"))
        with pytest.raises(ReadRefused) as caught:
            getattr(client, call)(*arguments)
        assert (caught.value.reason, caught.value.retry_after) == (reason, 7)
        assert caught.value.pauses == (reason == "key")
    for body, status in ((b"", 200), (b"<html>", 200), ({}, 502), ({}, 200), ([], 200)):
        wire.script(answer(body, status))
        with pytest.raises(Unreachable):
            getattr(client, call)(*arguments)


@pytest.mark.parametrize(
    "url", ["", "runninghub.ai", "ftp://runninghub.ai", "https://", "https://a?b", "http://["]
)
def test_an_address_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Client(base_url=url, api_key=KEY)


@pytest.mark.parametrize("key", ["", "short", "two words here", "Schlüssel-mit-ü", "line\nbreak-in-key"])
def test_a_key_that_cannot_be_one_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="the key") as caught:
        Client(base_url="https://runninghub.invalid", api_key=key)
    assert not key or key not in str(caught.value)


OTHER = "fedcba9876543210fedcba9876543210"
LATER = "2027-01-01 00:00:00"
LISTED = [
    {
        "key": KEY,
        "apiKeyName": "Portal",
        "status": 1,
        "quotaLimit": "100",
        "quotaUsed": 2.5,
        "expireAt": None,
    },
    {"key": OTHER, "apiKeyName": "Studio", "status": 2, "expireAt": LATER, "visible": False},
    "not a key",
    {"key": 5, "status": "maybe", "quotaLimit": -1},
]


@pytest.mark.parametrize(
    "body", [LISTED, {"code": 0, "data": LISTED}, {"code": 0, "data": {"total": 3, "records": LISTED}}]
)
def test_keys_are_told_by_their_ends_alone(wire: Wire, client: Client, body: Any) -> None:
    wire.script(answer(body))
    keys = client.api_keys()
    assert (wire.seen[0].method, wire.seen[0].path) == ("GET", "/openapi/v2/api-key/list")
    assert keys == (
        ApiKey(
            KEY[-4:], "Portal", is_own=True, enabled=True, quota=Decimal(100), used=Decimal("2.5"), expires=""
        ),
        ApiKey("3210", "Studio", is_own=False, enabled=False, quota=None, used=None, expires=LATER),
        ApiKey("", "", is_own=False, enabled=None, quota=None, used=None, expires=""),
    )
    assert OTHER not in repr(keys)


@pytest.mark.parametrize("body", [{"code": 0, "data": None}, {"code": 0, "data": {}}, [], {"data": "many"}])
def test_no_list_of_keys_is_none(wire: Wire, client: Client, body: Any) -> None:
    wire.script(answer(body))
    try:
        assert client.api_keys() == ()
    except Unreachable:
        assert not body
