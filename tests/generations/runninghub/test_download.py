from __future__ import annotations

import gzip
import hashlib
import io
import socket
import time
from typing import Any

import pytest

from generations.runninghub import Client
from generations.runninghub.errors import BlockedAddress, Cut, DownloadFailed, Gone, TooLarge, TooSlow
from generations.runninghub.replies import Downloaded

from .conftest import KEY
from .wire import Act, Wire, answer, closed, reset, send

SOUND = bytes(range(256)) * 1000


def fetch(client: Client, url: str, *, most: int = 10**7, seconds: float = 5) -> tuple[Downloaded, bytes]:
    sink = io.BytesIO()
    return client.download(url, sink, max_bytes=most, max_seconds=seconds), sink.getvalue()


def test_a_file_is_copied_and_described(wire: Wire, client: Client) -> None:
    wire.script(answer(SOUND, Content_Type="audio/mpeg"))
    reply, copy = fetch(client, f"{wire.url}/a/b.mp3?sign=%2Fx")
    assert copy == SOUND
    assert reply == Downloaded(len(SOUND), hashlib.sha256(SOUND).hexdigest(), "audio/mpeg")
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("GET", "/a/b.mp3?sign=%2Fx")
    assert seen.headers["accept-encoding"] == "identity"


def test_file_hosts_never_see_the_key(wire: Wire, client: Client) -> None:
    wire.script(answer(b"", 302, Location="/next"), answer(SOUND))
    fetch(client, wire.url)
    for seen in wire.seen:
        assert "authorization" not in seen.headers
        assert KEY not in repr(seen)


@pytest.mark.parametrize(
    "act",
    [
        send(b"HTTP/1.1 200 OK\r\n\r\n" + SOUND),
        send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
            % (len(SOUND), SOUND)
        ),
        answer(gzip.compress(SOUND), Content_Encoding="gzip"),
    ],
    ids=["until the end", "chunked", "packed unasked"],
)
def test_other_ways_to_send_a_file_are_understood(wire: Wire, client: Client, act: Act) -> None:
    wire.script(act)
    assert fetch(client, wire.url)[1] == SOUND


def test_an_empty_file_is_a_file(wire: Wire, client: Client) -> None:
    wire.script(answer(b""))
    assert fetch(client, wire.url)[0].bytes == 0


@pytest.mark.parametrize(
    "act",
    [
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + SOUND),
        reset(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + SOUND),
        send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + SOUND),
        answer(SOUND, Content_Encoding="gzip"),
    ],
    ids=["closed", "reset", "chunked", "broken packing"],
)
def test_a_file_that_ends_early_is_cut(wire: Wire, client: Client, act: Act) -> None:
    wire.script(act)
    with pytest.raises(Cut):
        fetch(client, wire.url)


def test_a_file_announced_too_large_is_not_read(wire: Wire, client: Client) -> None:
    wire.script(answer(SOUND))
    sink = io.BytesIO()
    with pytest.raises(TooLarge):
        client.download(wire.url, sink, max_bytes=len(SOUND) - 1, max_seconds=5)
    assert sink.getvalue() == b""
    assert fetch(client, wire.url, most=len(SOUND))[1] == SOUND


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_grows_too_large_is_stopped_while_reading(
    wire: Wire, client: Client, packed: bool
) -> None:
    endless = bytes(50_000_000)
    head = b"HTTP/1.1 200 OK\r\n"
    if packed:
        wire.script(send(head + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(endless)))
    else:
        wire.script(send(head + b"\r\n" + endless))
    sink = io.BytesIO()
    with pytest.raises(TooLarge):
        client.download(wire.url, sink, max_bytes=100_000, max_seconds=5)
    assert len(sink.getvalue()) <= 100_000


@pytest.mark.parametrize("drip", [True, False], ids=["drop by drop", "silence"])
def test_a_slow_file_is_given_up(wire: Wire, client: Client, drip: bool) -> None:
    def slow(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
        while not wire.released.wait(0.02):
            if drip:
                connection.sendall(b"x")

    wire.script(slow)
    started = time.monotonic()
    with pytest.raises(TooSlow):
        fetch(client, wire.url, seconds=0.3)
    assert time.monotonic() - started < 3


def test_a_host_that_does_not_answer_is_given_up(wire: Wire, client: Client) -> None:
    wire.script(wire.silence)
    with pytest.raises(TooSlow):
        fetch(client, wire.url, seconds=0.2)
    with pytest.raises(TooSlow):
        fetch(client, wire.url, seconds=0)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_address_is_gone(wire: Wire, client: Client, status: int) -> None:
    wire.script(answer(b"<Error/>", status))
    with pytest.raises(Gone) as caught:
        fetch(client, wire.url)
    assert caught.value.code == f"http_{status}"


@pytest.mark.parametrize("status", [204, 206, 304, 400, 429, 500, 503])
def test_other_answers_are_failures_to_try_again(wire: Wire, client: Client, status: int) -> None:
    wire.script(answer(b"", status))
    with pytest.raises(DownloadFailed) as caught:
        fetch(client, wire.url)
    assert (type(caught.value), caught.value.code) == (DownloadFailed, f"http_{status}")


@pytest.mark.parametrize("act", [closed, reset(), send(b"hello\r\n\r\n")])
def test_a_lost_answer_is_a_failure_to_try_again(wire: Wire, client: Client, act: Act) -> None:
    wire.script(act)
    with pytest.raises(DownloadFailed):
        fetch(client, wire.url)
    assert len(wire.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_three_redirects_are_followed(wire: Wire, client: Client, status: int) -> None:
    wire.script(*[answer(b"", status, Location=f"/{step}") for step in range(3)], answer(SOUND))
    assert fetch(client, wire.url)[1] == SOUND
    assert [seen.path for seen in wire.seen] == ["/", "/0", "/1", "/2"]


def test_a_fourth_redirect_is_not(wire: Wire, client: Client) -> None:
    wire.script(answer(b"", 302, Location="/again"))
    with pytest.raises(DownloadFailed):
        fetch(client, wire.url)
    assert len(wire.seen) == 4


BLOCKED = [
    "ftp://8.8.8.8/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "",
    "//",
    "a.mp3",
    "http://",
    "http://[::1",
    "http://a:b:c/",
    "http://127.0.0.1:99999/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "https://192.168.0.1/",
    "http://[fe80::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://100.100.100.200/",
    "http://0.0.0.0/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
]


@pytest.mark.parametrize("url", BLOCKED)
def test_addresses_that_are_not_public_are_blocked(client: Client, url: str) -> None:
    with pytest.raises(BlockedAddress):
        fetch(client, url)


@pytest.mark.parametrize("target", [url for url in BLOCKED if ":" in url and url != "http://"])
def test_redirects_do_not_lead_there_either(wire: Wire, client: Client, target: str) -> None:
    wire.script(answer(b"", 302, Location=target))
    with pytest.raises(BlockedAddress):
        fetch(client, wire.url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1"])
def test_this_machine_is_blocked_unless_the_connection_is_on_it(wire: Wire, host: str) -> None:
    wire.script(answer(SOUND))
    client = Client(base_url="https://runninghub.invalid", api_key=KEY)
    with pytest.raises(BlockedAddress):
        fetch(client, f"http://{host}:{wire.port}/a.mp3")
    assert wire.connections == 0


def test_a_name_that_changes_its_address_gains_nothing(
    wire: Wire, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    answers = iter(["127.0.0.1", "10.0.0.1"])
    asked: list[Any] = []

    def fickle(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "files.example":
            asked.append(host)
            host = next(answers)
        return resolve(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", fickle)
    wire.script(answer(SOUND), answer(SOUND))
    assert fetch(client, f"http://files.example:{wire.port}/")[1] == SOUND
    assert asked == ["files.example"]
    assert wire.seen[0].headers["host"] == f"files.example:{wire.port}"
    with pytest.raises(BlockedAddress):
        fetch(client, f"http://files.example:{wire.port}/")


def test_an_unreachable_host_is_a_failure_to_try_again(client: Client) -> None:
    for url in ("http://127.0.0.1:9/", "https://nobody.invalid/"):
        with pytest.raises(DownloadFailed) as caught:
            fetch(client, url)
        assert (type(caught.value), caught.value.code) == (DownloadFailed, "unreachable")


def test_an_error_of_the_sink_is_its_own(wire: Wire, client: Client) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError("disk full")

    wire.script(answer(SOUND))
    with pytest.raises(OSError, match="disk full"):
        client.download(wire.url, Full(), max_bytes=10**7, max_seconds=5)
