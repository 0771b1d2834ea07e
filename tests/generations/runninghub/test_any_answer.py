"""Whatever comes back, only our own errors leave the client, and one request was made."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.runninghub import Client, codes
from generations.runninghub.answers import Scrubber, parse
from generations.runninghub.errors import UpstreamError
from generations.runninghub.replies import Usage
from generations.runninghub.transport import Received
from generations.runninghub.verdicts import submitted
from tests.effort import tries

from .conftest import KEY
from .test_privacy import CALLS, error_of
from .wire import Wire, answer, send

pytestmark = pytest.mark.thorough

FIELDS = """
    taskId task_id status errorCode error_code errorMessage code msg data error results usage url text size
    consumeMoney thirdPartyConsumeMoney failedReason download_url concurrentLimit remainMoney
"""
WORDS = st.sampled_from(FIELDS.split())
VALUES = st.sampled_from(["", "1904", 1904, "SUCCESS", "FAILED", "RUNNING", "421", 1007, 0, "805", None, KEY])
JSON = st.recursive(
    VALUES | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)
STATUS = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 402, 404, 429, 500, 503, 999])
LIVELY = settings(
    max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def told(call: str, client: Client, wire: Wire) -> None:
    error = error_of(CALLS[call], client, wire.url)
    assert error is None or error.member_text
    assert KEY.lower() not in repr(error and vars(error)).lower()
    if call != "download":
        assert len(wire.seen) == 1


@pytest.mark.parametrize("call", CALLS)
@LIVELY
@given(body=JSON, status=STATUS)
def test_any_json(wire: Wire, client: Client, call: str, body: Any, status: int) -> None:
    wire.script(answer(json.dumps(body).encode(), status))
    told(call, client, wire)


@pytest.mark.parametrize("call", CALLS)
@LIVELY
@given(body=st.binary(max_size=300), status=STATUS)
def test_any_body(wire: Wire, client: Client, call: str, body: bytes, status: int) -> None:
    wire.script(answer(body, status))
    told(call, client, wire)


@pytest.mark.parametrize("call", CALLS)
@LIVELY
@given(head=st.binary(max_size=200), proper=st.booleans())
def test_any_bytes_at_all(wire: Wire, client: Client, call: str, head: bytes, proper: bool) -> None:
    wire.script(send((b"HTTP/1.1 200 OK\r\n" if proper else b"") + head + b"\r\n\r\n{}"))
    told(call, client, wire)


@settings(max_examples=tries(200), deadline=None)
@given(body=JSON, status=STATUS)
def test_a_submit_is_sent_again_only_when_the_answer_says_so(body: Any, status: int) -> None:
    """The rule itself, over many more answers than the wire could carry."""
    reply = parse(Received(status, {}, json.dumps(body).encode(), ""), Scrubber(KEY))
    try:
        assert submitted(reply).upstream_id == reply.task_id
    except UpstreamError as error:
        if type(error).__name__ == "Unclear":
            return
        row = codes.lookup(error.code) or codes.for_http(status)
        assert row is not None
        assert row.kind in ("not_accepted", "refused")
        assert not reply.task_id


@given(JSON, JSON)
def test_any_usage_gives_an_amount_or_none(money: Any, third: Any) -> None:
    fields = (str(money), str(third))
    charged = Usage(consume_money=fields[0], third_party_consume_money=fields[1]).charged()
    assert charged is None or (charged.is_finite() and charged >= 0)


def test_a_forked_process_opens_connections_of_its_own(wire: Wire) -> None:
    client = Client(base_url=wire.url, api_key=KEY, timeout=(2, 2))
    wire.script(answer({"concurrentLimit": 3}, keep=True))
    client.queue_status()
    child = os.fork()
    if child == 0:
        os._exit(0 if client.queue_status().limit == 3 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.queue_status()
    first, of_child, last = (seen.peer for seen in wire.seen)
    assert first == last != of_child
    client.close()


def test_reads_keep_their_connection(wire: Wire, client: Client) -> None:
    wire.script(answer({"concurrentLimit": 3}, keep=True))
    for _ in range(5):
        client.queue_status()
    assert wire.connections <= 1
