from __future__ import annotations

import email.utils
import socket
import time
from typing import Any

import pytest

from generations.runninghub import Client, codes
from generations.runninghub.errors import NotAccepted, Refused, Unclear

from .conftest import KEY
from .wire import Act, Wire, answer, closed, reset, send

MODEL = "minimax/music-2.6/text-to-instrumental"
TASK = "1904163390028185602"


def submit(client: Client) -> Any:
    return client.submit(MODEL, {"prompt": "rain"})


def test_the_body_arrives_exactly_once_and_as_given(wire: Wire, client: Client) -> None:
    wire.script(answer({"taskId": TASK, "status": "QUEUED", "errorCode": "", "errorMessage": ""}))
    body = {"prompt": "Reise 旅 \ud800", "sampleRate": "44100", "speed": 1, "loud": True, "tags": ["a"]}
    reply = client.submit(MODEL, body)
    assert (reply.upstream_id, reply.status) == (TASK, "QUEUED")
    (seen,) = wire.seen
    assert (seen.method, seen.path, seen.json) == ("POST", f"/openapi/v2/{MODEL}", body)
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"


def test_the_address_may_carry_the_base_of_the_api(wire: Wire) -> None:
    wire.script(answer({"taskId": TASK}))
    Client(base_url=f"{wire.url}/openapi/v2/", api_key=KEY).submit(MODEL, {})
    assert wire.seen[0].path == f"/openapi/v2/{MODEL}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"taskId": int(TASK)}),
        (200, {"task_id": TASK}),
        (200, {"code": 0, "msg": "success", "data": {"taskId": TASK}}),
        (200, {"code": 0, "data": [{"taskId": TASK}]}),
        (200, [{"taskId": TASK}]),
        (200, {"taskId": f" {TASK} "}),
        (200, {"taskId": TASK, "errorCode": "804", "errorMessage": "APIKEY_TASK_IS_RUNNING"}),
        (200, {"taskId": TASK, "errorCode": "1501", "errorMessage": "declined"}),
        (200, {"taskId": TASK, "status": "FAILED", "errorCode": 421}),
        (429, {"taskId": TASK}),
        (500, {"taskId": TASK}),
        (503, {"code": 1005, "data": {"taskId": TASK}}),
        (302, {"taskId": TASK}),
    ],
)
def test_a_task_id_is_proof_whatever_stands_around_it(
    wire: Wire, client: Client, status: int, body: Any
) -> None:
    wire.script(answer(body, status))
    assert submit(client).upstream_id == TASK


def test_a_whole_object_in_an_answer_that_was_to_be_longer_is_taken(wire: Wire, client: Client) -> None:
    wire.script(send(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"taskId": "%s"}' % TASK.encode()))
    assert submit(client).upstream_id == TASK


@pytest.mark.parametrize("shape", ["flat", "number", "wrapped", "float", "server fault"])
def test_every_code_has_its_consequence(wire: Wire, client: Client, shape: str) -> None:
    for row in codes.CODES.values():
        wire.seen.clear()
        consequence(wire, client, row, shape)


def consequence(wire: Wire, client: Client, row: codes.Code, shape: str) -> None:
    words = "their words"
    flat = {"taskId": "", "errorCode": row.code, "errorMessage": words}
    bodies: dict[str, tuple[Any, int]] = {
        "flat": (flat, 200),
        "number": ({"errorCode": int(row.code), "errorMessage": words, "taskId": None}, 200),
        "wrapped": ({"code": int(row.code), "msg": words, "data": None}, 200),
        "float": (f'{{"code": {row.code}.0, "message": "{words}"}}'.encode(), 200),
        "server fault": (flat, 503),
    }
    wire.script(answer(*bodies[shape]))
    expected = {"not_accepted": NotAccepted, "refused": Refused}.get(row.kind, Unclear)
    with pytest.raises((NotAccepted, Refused, Unclear)) as caught:
        submit(client)
    error = caught.value
    assert type(error) is expected
    assert words in error.detail
    assert len(wire.seen) == 1
    if isinstance(error, Refused):
        assert (error.code, error.reason) == (row.code, row.reason)
        assert error.pauses == (row.reason in ("funds", "key"))
        assert error.member_text.startswith(row.text)
        assert error.member_text.endswith("Nothing was started and nothing was charged.")
    if isinstance(error, NotAccepted):
        assert error.code == row.code


@pytest.mark.parametrize("row", [row for row in codes.CODES.values() if row.name], ids=lambda row: row.name)
def test_codes_are_known_by_their_names(wire: Wire, client: Client, row: codes.Code) -> None:
    wire.script(
        answer({"taskId": "", "errorCode": row.name.lower()}), answer({"msg": row.name, "data": None})
    )
    expected = {"not_accepted": NotAccepted, "refused": Refused}.get(row.kind, Unclear)
    for _ in range(2):
        with pytest.raises(expected):
            submit(client)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (301, Refused, "key"),
        (307, Refused, "key"),
        (401, Refused, "key"),
        (402, Refused, "funds"),
        (403, Refused, "key"),
        (404, Refused, "params"),
        (405, Refused, "params"),
        (413, Refused, "params"),
        (429, NotAccepted, "capacity"),
    ],
)
@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b'{"code": 98765, "msg": "?"}'])
def test_some_http_statuses_speak_for_themselves(
    wire: Wire, client: Client, status: int, kind: type[Refused], reason: str, body: bytes
) -> None:
    wire.script(answer(body, status, Location="/elsewhere"))
    with pytest.raises(kind) as caught:
        submit(client)
    assert caught.value.reason == reason
    assert len(wire.seen) == 1


@pytest.mark.parametrize("word", ["90", "date"])
def test_the_wait_they_ask_for_is_passed_on(wire: Wire, client: Client, word: str) -> None:
    given = email.utils.formatdate(time.time() + 90, usegmt=True) if word == "date" else word
    wire.script(answer({"code": 421}, Retry_After=given))
    with pytest.raises(NotAccepted) as caught:
        submit(client)
    assert caught.value.retry_after == pytest.approx(90, abs=3)


@pytest.mark.parametrize("word", ["", "soon", "-5", "9" * 400, "Wed, 99 Foo 99999 99:99:99 GMT"])
def test_a_senseless_wait_is_none_or_at_most_an_hour(wire: Wire, client: Client, word: str) -> None:
    wire.script(answer({"code": 421}, Retry_After=word))
    with pytest.raises(NotAccepted) as caught:
        submit(client)
    assert caught.value.retry_after is None or 0 <= caught.value.retry_after <= 3600


UNUSABLE: dict[str, Act] = {
    "closed without a word": closed,
    "reset before the answer": reset(),
    "reset in the head": reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "reset in the body": reset(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"taskId": "19'),
    "closed in the body": send(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"taskId": "19'),
    "closed in a chunk": send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"taskId": '),
    "a bad chunk": send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "no HTTP": send(b"SSH-2.0-OpenSSH\r\n"),
    "two lengths": send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}"),
    "bad gzip": answer(b"no gzip", Content_Encoding="gzip"),
    "empty": answer(b""),
    "html": answer(b"<html>Welcome</html>"),
    "null": answer(None),
    "a text": answer("ok"),
    "a number": answer(1904163390028185602),
    "a list": answer([1, "x", None]),
    "an empty object": answer({}),
    "invalid UTF-8": answer(b'{"errorMessage": "\xff\xfe'),
    "deep": answer(b'{"data":' * 60000),
    "deep and whole": answer(b'{"data":' * 900 + b"1" + b"}" * 900),
    "NaN": answer(b'{"errorCode": NaN, "taskId": Infinity}'),
    "an endless number": answer(b'{"taskId": ' + b"9" * 5000 + b"}"),
    "success without id": answer({"code": 0, "msg": "success", "data": None}),
    "all empty": answer({"taskId": "", "errorCode": "", "errorMessage": "", "status": "RUNNING"}),
    "words without a code": answer({"taskId": "", "errorCode": "", "errorMessage": "try again later"}),
    "an unknown code": answer({"taskId": None, "errorCode": "1999", "errorMessage": "new"}),
    "a word of ours as code": answer({"taskId": "", "errorCode": "unreachable"}),
    "an id that is none": answer({"taskId": {"id": 5}, "errorCode": "421"}),
    "a fractional id": answer({"taskId": 1.5, "errorCode": "1007"}),
    "a truth as code": answer({"taskId": "", "errorCode": True}),
    "400": answer({"message": "bad"}, 400),
    "408": answer(b"", 408),
    "500": answer(b"", 500),
    "502": answer(b"<html>Bad Gateway</html>", 502),
    "503 with a wait": answer(b"", 503, Retry_After="5"),
    "504": answer({"status": 504, "error": "Gateway Timeout"}, 504),
}


@pytest.mark.parametrize("act", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_everything_else_is_unclear_and_is_not_sent_again(wire: Wire, client: Client, act: Act) -> None:
    wire.script(act)
    with pytest.raises(Unclear) as caught:
        submit(client)
    assert "may be charged" in caught.value.member_text
    assert caught.value.detail
    assert len(wire.seen) == 1
    assert wire.connections == 1


@pytest.mark.parametrize("given", ["", None, 0, "0", "null", "None", -1, False, [], {}])
def test_an_empty_id_beside_a_code_is_a_refusal(wire: Wire, client: Client, given: Any) -> None:
    wire.script(answer({"taskId": given, "errorCode": "1007"}))
    with pytest.raises(Refused):
        submit(client)


def test_a_code_beats_the_success_of_its_wrapper(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 0, "data": {"taskId": "", "errorCode": "1520"}}))
    with pytest.raises(NotAccepted):
        submit(client)


def test_silence_is_unclear(wire: Wire) -> None:
    wire.script(wire.silence)
    with pytest.raises(Unclear):
        submit(Client(base_url=wire.url, api_key=KEY, timeout=(2, 0.2)))
    assert len(wire.seen) == 1


def test_an_answer_without_end_is_unclear(wire: Wire) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n ")
        while not wire.released.wait(0.02):
            connection.sendall(b" ")

    wire.script(drip)
    started = time.monotonic()
    with pytest.raises(Unclear):
        submit(Client(base_url=wire.url, api_key=KEY, timeout=(2, 0.3)))
    assert time.monotonic() - started < 5


def test_an_answer_too_large_for_memory_is_unclear(wire: Wire, client: Client) -> None:
    wire.script(answer(b'{"taskId": "' + b"9" * (9 * 1024 * 1024)))
    with pytest.raises(Unclear):
        submit(client)


def test_submits_never_use_a_kept_connection(wire: Wire, client: Client) -> None:
    wire.script(answer({"taskId": TASK}, keep=True))
    for _ in range(3):
        submit(client)
    assert wire.connections == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes", {1, 2}])
def test_what_json_cannot_say_is_refused_before_it_is_sent(wire: Wire, client: Client, value: Any) -> None:
    wire.script(answer({"taskId": TASK}))
    with pytest.raises(Refused) as caught:
        client.submit(MODEL, {"prompt": value})
    assert (caught.value.code, caught.value.reason) == ("unsendable", "params")
    assert wire.seen == []
