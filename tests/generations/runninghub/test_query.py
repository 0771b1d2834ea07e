from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from generations.runninghub import Client, codes
from generations.runninghub.errors import ReadRefused, Unreachable, UpstreamError
from generations.runninghub.replies import Result, TaskReply, Usage

from .conftest import KEY
from .test_submit import UNUSABLE
from .wire import Wire, answer, closed

TASK = "1904163390028185602"
FILE = {"url": "https://files.example/a.mp3", "outputType": "mp3", "nodeId": "3", "text": None}
MADE = (Result("https://files.example/a.mp3", "mp3", None, "3"),)


def ask(wire: Wire, client: Client, http: int = 200, **fields: Any) -> TaskReply:
    wire.script(answer({"taskId": TASK, "errorCode": "", "errorMessage": "", "results": None} | fields, http))
    return client.query(TASK)


def test_a_finished_task_is_read(wire: Wire, client: Client) -> None:
    usage = {
        "consumeMoney": None,
        "consumeCoins": "12",
        "taskCostTime": "0",
        "thirdPartyConsumeMoney": "0.140",
    }
    reply = ask(
        wire, client, status="SUCCESS", results=[FILE, {"text": "la la"}], usage=usage, failedReason={}
    )
    assert wire.seen[0].path == "/openapi/v2/query"
    assert wire.seen[0].json == {"taskId": TASK}
    assert reply == TaskReply(
        TASK,
        "succeeded",
        "SUCCESS",
        results=(*MADE, Result(None, "", "la la", "")),
        usage=Usage(None, "12", "0", "0.140"),
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SUCCESS", "succeeded"),
        ("success", "succeeded"),
        ("FAILED", "failed"),
        ("Failed", "failed"),
        ("CANCEL", "cancelled"),
        ("CANCELLED", "cancelled"),
        ("canceled", "cancelled"),
        ("CREATE", "waiting"),
        ("QUEUED", "waiting"),
        ("RUNNING", "waiting"),
        ("PENDING", "waiting"),
        ("processing", "waiting"),
        ("SUCCEEDED_PARTLY", "waiting"),
        ("TIMEOUT", "waiting"),
    ],
)
def test_statuses_are_read_and_kept_as_given(wire: Wire, client: Client, word: str, state: str) -> None:
    reply = ask(wire, client, status=word)
    assert (reply.state, reply.status) == (state, word)
    assert bool(reply.error_text) == (state == "failed")


def test_an_unknown_status_is_logged(wire: Wire, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ask(wire, client, status="RUNNING")
        assert not caplog.records
        ask(wire, client, status="MELTING")
    assert "MELTING" in caplog.text


def test_a_wrapped_reply_is_read(wire: Wire, client: Client) -> None:
    inner = {"taskId": int(TASK), "status": "SUCCESS", "results": [FILE], "usage": {"consumeMoney": 0.5}}
    wire.script(answer({"code": 0, "msg": "success", "status": 200, "data": inner}))
    reply = client.query(TASK)
    assert (reply.state, reply.results, reply.usage.charged()) == ("succeeded", MADE, Decimal("0.5"))


@pytest.mark.parametrize(
    "results", [None, [], "", "not json", "[]", 5, True, {}, [None, 3, "x", {}, {"url": None}]]
)
def test_success_without_results_is_success(wire: Wire, client: Client, results: Any) -> None:
    reply = ask(wire, client, status="SUCCESS", results=results)
    assert (reply.state, reply.results) == ("succeeded", ())


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"outputUrl": "u", "outputType": ".MP3"}, Result("u", "mp3", None, "")),
        ({"fileUrl": "u", "fileType": "png", "nodeId": 7}, Result("u", "png", None, "7")),
        ({"url": "", "content": "c", "outputType": None}, Result(None, "", "c", "")),
        ({"url": {"a": 1}, "output": ["旅"]}, Result(None, "", '["旅"]', "")),
        ({"url": "u", "text": 0.5}, Result("u", "", "0.5", "")),
    ],
)
@pytest.mark.parametrize("shape", ["list", "text", "alone", "named"])
def test_results_come_in_many_spellings(
    wire: Wire, client: Client, item: dict[str, Any], expected: Result, shape: str
) -> None:
    shapes = {"list": [item, 3], "text": json.dumps([item]), "alone": item, "named": {"first": item, "n": 1}}
    assert ask(wire, client, status="SUCCESS", results=shapes[shape]).results == (expected,)


@pytest.mark.parametrize("row", codes.CODES.values(), ids=lambda row: row.code)
def test_failed_is_a_verdict_whatever_the_code(wire: Wire, client: Client, row: codes.Code) -> None:
    reply = ask(wire, client, status="FAILED", errorCode=row.code, errorMessage="their words")
    assert reply.state == "failed"
    assert reply.error_detail == "their words"
    assert reply.error_code == ("" if row.kind == "ok" else row.code)
    assert reply.error_text.endswith(".")


def test_the_words_of_a_failed_graph_are_kept(wire: Wire, client: Client) -> None:
    assert (
        ask(wire, client, status="FAILED", failedReason={"exception_message": "boom"}).error_detail == "boom"
    )
    assert ask(wire, client, status="FAILED", failedReason="bang").error_detail == "bang"


VERDICTS = {"failed", "moderation"}
OF_THE_TASK = {"params", "funds", "other"}


@pytest.mark.parametrize("status", ["RUNNING", "QUEUED", None])
@pytest.mark.parametrize("named", [True, False])
def test_without_a_final_status_only_a_code_about_the_task_ends_it(
    wire: Wire, client: Client, status: str | None, named: bool
) -> None:
    for row in codes.CODES.values():
        fields = {
            "status": status,
            "errorCode": row.code,
            "errorMessage": "m",
            "taskId": TASK if named else None,
        }
        if row.reason in VERDICTS or (named and row.reason in OF_THE_TASK):
            reply = ask(wire, client, **fields)
            assert (reply.state, reply.error_code, reply.error_text) == ("failed", row.code, row.text)
        elif row.kind == "state" or (row.kind == "ok" and status):
            assert ask(wire, client, **fields).state == "waiting", row.code
        else:
            with pytest.raises((ReadRefused, Unreachable)):
                ask(wire, client, **fields)


@pytest.mark.parametrize("row", codes.CODES.values(), ids=lambda row: row.code)
def test_success_with_an_error_code_is_failure_unless_the_code_is_about_the_asking(
    wire: Wire, client: Client, row: codes.Code
) -> None:
    fields = {"status": "SUCCESS", "errorCode": row.code, "results": [FILE]}
    if row.kind in ("ok", "state"):
        assert ask(wire, client, **fields).state == "succeeded"
    elif row.reason in VERDICTS | OF_THE_TASK:
        reply = ask(wire, client, **fields)
        assert (reply.state, reply.results) == ("failed", MADE)
    else:
        with pytest.raises(ReadRefused):
            ask(wire, client, **fields)


def test_codes_nobody_knows_end_only_what_is_over(wire: Wire, client: Client) -> None:
    assert ask(wire, client, status="RUNNING", errorCode="9876").state == "waiting"
    assert ask(wire, client, status="SUCCESS", errorCode="9876").state == "failed"
    with pytest.raises(ReadRefused):
        ask(wire, client, errorCode="9876")


def test_words_without_a_code_end_only_what_is_over_and_empty(wire: Wire, client: Client) -> None:
    assert ask(wire, client, status="RUNNING", errorMessage="slow today").state == "waiting"
    assert ask(wire, client, status="SUCCESS", errorMessage="sorry").state == "failed"
    assert ask(wire, client, status="SUCCESS", errorMessage="sorry", results=[FILE]).state == "succeeded"
    assert ask(wire, client, status="SUCCESS", errorMessage="Success").state == "succeeded"


@pytest.mark.parametrize(
    "code", ["401", "412", "802", "423", "807", "1003", "1004", "500", "1005", "1010", "1012"]
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_faults_of_the_asking_are_no_verdicts(wire: Wire, client: Client, code: str, wrapped: bool) -> None:
    flat = {"taskId": TASK, "errorCode": code, "status": ""}
    wire.script(answer({"code": int(code), "msg": "m", "data": None} if wrapped else flat))
    with pytest.raises(ReadRefused) as caught:
        client.query(TASK)
    assert caught.value.code == code
    assert caught.value.pauses == (code in ("401", "412", "802"))


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500, 502, 503])
def test_no_verdict_comes_with_an_http_error(wire: Wire, client: Client, status: int) -> None:
    for word in ("FAILED", "SUCCESS"):
        with pytest.raises((ReadRefused, Unreachable)):
            ask(wire, client, status, status=word, errorCode="805")


def test_an_answer_about_another_task_is_not_used(wire: Wire, client: Client) -> None:
    with pytest.raises(Unreachable):
        ask(wire, client, taskId="1904163390028185603", status="FAILED")


@pytest.mark.parametrize("name", [name for name in UNUSABLE if not name.startswith("all empty")])
def test_senseless_answers_are_no_verdicts(wire: Wire, client: Client, name: str) -> None:
    wire.script(UNUSABLE[name])
    with pytest.raises((ReadRefused, Unreachable)):
        client.query(TASK)


@pytest.mark.parametrize(
    "call", ["query", "price_preview", "queue_status", "account_status", "cancel", "upload"]
)
def test_nothing_is_asked_twice(wire: Wire, client: Client, call: str) -> None:
    import io

    arguments: dict[str, tuple[Any, ...]] = {"query": (TASK,), "cancel": (TASK,), "price_preview": ("m", {})}
    named = {"name": "a.mp3", "content_type": "audio/mpeg"} if call == "upload" else {}
    given = (io.BytesIO(b"sound"),) if call == "upload" else arguments.get(call, ())
    wire.script(closed)
    with pytest.raises(UpstreamError):
        getattr(client, call)(*given, **named)
    assert len(wire.seen) == 1


@pytest.mark.parametrize(
    ("money", "third", "charged"),
    [
        ("0.14", None, "0.14"),
        (None, "0.14", "0.14"),
        ("0.14", "0.140", "0.14"),
        ("0.10", "0.04", "0.14"),
        ("0", "0.14", "0.14"),
        (0.14, None, "0.14"),
        (1, "", "1"),
        (None, None, None),
        ("", " ", None),
        ("free", "-1", None),
        ("NaN", "Infinity", None),
        ("1_000", "٣", None),
        ("1e99", "1e400", None),
        (True, [1], None),
        ("free", "0.14", "0.14"),
        (1e-05, None, "0.00001"),
    ],
)
def test_the_charge_is_read_from_either_field(
    wire: Wire, client: Client, money: Any, third: Any, charged: str | None
) -> None:
    usage = {"consumeMoney": money, "thirdPartyConsumeMoney": third, "consumeCoins": "99"}
    reply = ask(wire, client, status="SUCCESS", usage=usage)
    assert reply.usage.charged() == (None if charged is None else Decimal(charged))


@pytest.mark.parametrize(("coins", "charged"), [(None, Decimal(0)), ("0", Decimal(0)), ("99", None)])
def test_no_money_is_free_only_where_no_coins_were_charged(
    wire: Wire, client: Client, coins: Any, charged: Decimal | None
) -> None:
    usage = {"consumeMoney": "0", "thirdPartyConsumeMoney": "0", "consumeCoins": coins}
    assert ask(wire, client, status="SUCCESS", usage=usage).usage.charged() == charged


def test_many_threads_share_one_client_and_its_connections(wire: Wire) -> None:
    client = Client(base_url=wire.url, api_key=KEY, timeout=(5, 5))
    together = threading.Barrier(32)

    def state(index: int) -> str:
        if index < 32:
            together.wait(10)
        return client.query(str(index + 10**18)).upstream_id

    def echo(connection: Any) -> bool | None:
        return answer({"status": "RUNNING"}, keep=True)(connection)

    wire.script(echo)
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(state, range(320))) == [str(index + 10**18) for index in range(320)]
    assert len(wire.seen) == 320
    assert wire.connections <= 32
    client.close()
