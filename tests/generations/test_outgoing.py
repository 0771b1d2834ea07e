"""What an address that a person typed in may lead to."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from generations import outgoing
from tests.receiver import Listener

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


def send(url: str, **more: Any) -> outgoing.Answer:
    return outgoing.post(url, b"{}", {"Content-Type": "application/json"}, **more)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.5", "10.255.1.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[ff02::1]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::]", "localhost",
        "2130706433", "0x7f000001", "127.1", "017700000001",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_however_they_are_written(host: str, listener: Listener) -> None:
    port = listener.server.server_address[1]
    with pytest.raises((outgoing.Refused, outgoing.NoAnswer)) as refused:
        send(f"http://{host}:{port}/")
    if host in ("127.0.0.1", "localhost", "10.0.0.5", "[::1]", "127.1"):
        assert isinstance(refused.value, outgoing.Refused)
        assert "private network" in str(refused.value)
        assert not re.search(r"[0-9]{2,}|::", str(refused.value)), (
            "which address a name has there is not told"
        )
    assert listener.heard == []


@pytest.mark.parametrize(
    "address",
    [
        "fec0::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1",
        "2001::7f00:1", "2001:db8::1", "2002:a00:1::1", "fd00:ec2::254", "fe80::1", "192.0.0.8", "198.18.0.1",
        "192.0.2.1", "240.0.0.1", "100.127.255.255", "ff05::2", "5f00::1", "3fff::1", "::ffff:0:127.0.0.1",
    ],
)  # fmt: skip
def test_no_way_of_writing_a_network_of_ones_own_passes(address: str) -> None:
    with pytest.raises(outgoing.Refused):
        outgoing.judge(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1"])
def test_addresses_of_the_open_internet_pass(address: str) -> None:
    outgoing.judge(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "ftp://example.com", "file:///etc/passwd", "https://", "http://a b/", "https://u:p@example.com/",
        "https://example.com:99999/", "http://[::1", "javascript:alert(1)", "https://example.com/\r\nX: y",
        "http://example.com:0/", "https://example.com/" + "x" * 600,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(outgoing.Refused, match=r"[A-Z].*\."):
        outgoing.parts_of(url)


def test_an_operator_can_allow_a_network(listener: Listener) -> None:
    assert send(listener.url, allowed=LOOPBACK).status == 204
    [(headers, body)] = listener.heard
    assert (headers["content-type"], body) == ("application/json", b"{}")


def test_a_redirect_is_an_answer_and_is_not_followed(listener: Listener) -> None:
    with Listener() as other:
        listener.status, listener.to = 307, other.url
        assert send(listener.url, allowed=LOOPBACK).status == 307
        assert other.heard == []


def test_a_name_that_leads_to_one_private_address_among_others_is_refused(
    monkeypatch: Any, listener: Listener
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(outgoing.Refused):
        send("http://example.com/")


def test_the_address_that_was_judged_is_the_one_that_is_called(monkeypatch: Any, listener: Listener) -> None:
    """A name that leads elsewhere at the second look has no second look."""
    asked = []
    port = listener.server.server_address[1]
    outside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    real = socket.getaddrinfo

    def once(host: str, *args: Any, **more: Any) -> Any:
        asked.append(host)
        return outside if len(asked) == 1 else real("192.0.2.1", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert send(f"http://example.com:{port}/", allowed=LOOPBACK).status == 204
    assert asked == ["example.com"]
    assert listener.heard[0][0]["host"] == f"example.com:{port}"


def test_who_drips_is_cut_off(monkeypatch: Any, listener: Listener) -> None:
    monkeypatch.setattr(outgoing, "ANSWER_SECONDS", 0.3)
    listener.status, listener.drip = 200, 0.05
    with pytest.raises(outgoing.NoAnswer):
        send(listener.url, allowed=LOOPBACK)


def test_nobody_there_is_no_answer(listener: Listener) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(outgoing.NoAnswer):
        send(f"http://127.0.0.1:{port}/", allowed=LOOPBACK)
    with pytest.raises(outgoing.NoAnswer, match="leads nowhere"):
        send("http://nobody.invalid/")
