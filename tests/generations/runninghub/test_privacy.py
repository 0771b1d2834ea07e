from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from generations.runninghub import Client, errors
from generations.runninghub.errors import UpstreamError

from .conftest import KEY
from .wire import Wire, answer, closed, send

CALLS: dict[str, Callable[[Client, str], Any]] = {
    "submit": lambda client, url: client.submit("m/n", {"prompt": "rain"}),
    "query": lambda client, url: client.query("1904"),
    "upload": lambda client, url: client.upload(io.BytesIO(b"x"), name="a.mp3", content_type="audio/mpeg"),
    "price_preview": lambda client, url: client.price_preview("m/n", {}),
    "queue_status": lambda client, url: client.queue_status(),
    "account_status": lambda client, url: client.account_status(),
    "cancel": lambda client, url: client.cancel("1904"),
    "download": lambda client, url: client.download(url, io.BytesIO(), max_bytes=10**6, max_seconds=2),
}
ECHO = {
    "taskId": "1904",
    "status": "RUNNING",
    "errorMessage": f"key {KEY.lower()} is fine",
    f"x{KEY}": [{"deep": f"Bearer {KEY}"}],
    "data": {"download_url": f"https://f.example/{KEY}", "apiType": KEY, "fileName": "\x00\ud800"},
}


def error_of(call: Callable[[Client, str], Any], client: Client, url: str) -> UpstreamError | None:
    try:
        call(client, url)
    except UpstreamError as error:
        return error
    return None


def everything_of(error: BaseException | None, *, variables: bool) -> str:
    """What a log, a traceback with its variables or an inspector would show of an error."""
    shown = ""
    while error is not None:
        shown += (
            f"{error!s} {error!r} {error.args!r} {vars(error)!r} {''.join(traceback.format_exception(error))}"
        )
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if variables and "tests" not in frame.f_code.co_filename:
                shown += repr(frame.f_locals)
        error = error.__cause__ or error.__context__
    return shown


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "act",
    [
        closed,
        send(
            b"HTTP/1.1 200 "
            + KEY.encode()
            + b"\r\nContent-Length: x"
            + KEY.encode()
            + b"\r\n\r\n"
            + KEY.encode()
        ),
        answer({"code": 802, "msg": f"key {KEY} is not valid", "data": None}),
        answer({"taskId": "", "errorCode": KEY, "errorMessage": KEY.upper()}),
        answer(f"<html>{KEY}</html>".encode(), 500),
        answer(b"", 302, Location=f"ftp://{KEY}/"),
    ],
)
def test_no_error_shows_the_key(
    wire: Wire, client: Client, call: str, act: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wire.script(act)
    with caplog.at_level(logging.DEBUG):
        error = error_of(CALLS[call], client, wire.url)
    assert KEY.lower() not in caplog.text.lower()
    if error:
        # The address of a file is theirs: a download's variables may show what they put into it.
        shown = everything_of(error, variables=call != "download") + error.member_text
        assert KEY.lower() not in shown.lower()
        assert error.__cause__ is None


def test_no_error_of_a_failed_connection_shows_the_key() -> None:
    client = Client(base_url="http://nobody.invalid", api_key=KEY)
    for call in CALLS.values():
        with pytest.raises(UpstreamError) as caught:
            call(client, "http://nobody.invalid/")
        assert KEY not in everything_of(caught.value, variables=True)


@pytest.mark.parametrize("call", ["submit", "query", "upload", "account_status"])
def test_no_reply_shows_the_key_or_what_a_database_does_not_take(
    wire: Wire, client: Client, call: str
) -> None:
    body = ECHO if call in ("submit", "query") else {"code": 0, "data": ECHO["data"]}
    wire.script(answer(body))
    shown = repr(CALLS[call](client, wire.url))
    assert KEY.lower() not in shown.lower()
    assert "\\x00" not in shown
    assert "\\ud800" not in shown


def test_the_client_does_not_show_its_key(client: Client) -> None:
    assert KEY not in f"{client!r} {client!s} {vars(client)!r}"


def test_errors_survive_a_process_border() -> None:
    for error in (
        errors.NotAccepted("421", "full", "capacity", 30.0),
        errors.Refused("416", "empty", "funds"),
        errors.Unclear("no_answer", "gone"),
        errors.TooLarge("too_large"),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), vars(copy), str(copy)) == (type(error), vars(error), str(error))


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)], ids=str)
def test_every_error_has_sentences_for_members(kind: type[Any]) -> None:
    text = kind("a new code", "detail").member_text
    assert text.endswith(".")
    assert "!" not in text
    assert "detail" not in text
