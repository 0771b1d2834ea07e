"""What a running app or workflow tells of itself over a WebSocket (API.md 9): a decoration, and no verdict of anything.

The documentation calls that wire unstable, so everything about it is bounded (`Bounds`) and whatever cannot be read is
passed over: silence, garbage, bytes without end and lies cost no more than a line that stands still. The address comes
from outside and may carry a secret, so it leads to public hosts only, as a result's does, and stands in no error.
"""

from __future__ import annotations

import json
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from . import addresses
from .errors import UpstreamError

_BLOCK = 64 * 1024
_PIECE = 4 * 1024
_REST = 10
_GLANCE = 1.0
_LONGEST = 3000


@dataclass(frozen=True)
class Bounds:
    """Seconds for the greeting, of silence, and altogether; bytes altogether and of a message; frames in a second.

    After each block of 64 KiB follow `breath` seconds, or ten times as long as reading it took, so that a flood leaves
    the processor to others.
    """

    greeting: float = 8.0
    silence: float = 90.0
    altogether: float = 3600.0
    most: int = 48 * 1024 * 1024
    message: int = 1024 * 1024
    frames: int = 2000
    breath: float = 0.05


BOUNDS = Bounds()


@dataclass(frozen=True)
class Told:
    """Which node works, "" for none any more, and its `share` that is done, from 0 to 1, None where that is unsaid."""

    node: str
    share: float | None


class NotHeard(UpstreamError):
    """The wire could not be had, or broke. Nothing follows from that."""


def read(message: str) -> Told | None:
    """What a message of ComfyUI says of progress; None for all others and for what is none."""
    try:
        body = json.loads(message, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    kind, data = (body.get("type"), body.get("data")) if isinstance(body, dict) else (None, None)
    if not isinstance(data, dict):
        return None
    node = _name(data.get("node"))
    if kind == "progress":
        return Told(node, _share(data.get("value"), data.get("max")))
    if kind == "executing":
        return Told(node, None if node else 1.0)
    if kind == "execution_success" and not node:  # with one it speaks of that node alone
        return Told("", 1.0)
    return None


def listen(
    url: str,
    tell: Callable[[Told], None],
    *,
    allow_loopback: bool,
    is_wanted: Callable[[], bool],
    bounds: Bounds = BOUNDS,
) -> None:
    """Tells what it hears until the other side ends it, a bound is reached or it is not wanted any more.

    Raises NotHeard where there is no such wire, or it broke.
    """
    until = time.monotonic() + bounds.altogether
    greeted = time.monotonic() + bounds.greeting
    failure = ""
    try:
        where = _where(url, allow_loopback=allow_loopback)
        with closing(_opened(where, allow_loopback=allow_loopback, seconds=bounds.greeting)) as wire:
            protocol = ClientProtocol(where, max_size=bounds.message)
            protocol.send_request(protocol.connect())
            heard, size, texts, frames = time.monotonic(), 0, _Texts(), _Frames(bounds.frames)
            while is_wanted() and time.monotonic() < min(until, heard + bounds.silence):
                if size > bounds.most or frames.are_too_many():
                    return
                began = time.thread_time()
                for data in protocol.data_to_send():
                    if data:
                        wire.sendall(data)
                if protocol.state is State.CONNECTING and time.monotonic() > greeted:
                    raise NotHeard("no_answer", "no greeting in time")
                if protocol.state is State.CLOSED or protocol.close_expected():
                    return
                try:
                    block = wire.recv(_BLOCK)
                except TimeoutError:
                    continue
                size, heard = size + len(block), time.monotonic()
                for event in _events(protocol, block):
                    if isinstance(event, Frame):
                        frames.count()
                        if frames.are_too_many():
                            break
                        for said in texts.of(event):
                            tell(said)
                    elif isinstance(event, Response) and protocol.handshake_exc is not None:
                        raise protocol.handshake_exc
                if not block:
                    if protocol.handshake_exc is not None:
                        raise protocol.handshake_exc
                    return
                time.sleep(max(bounds.breath, _REST * (time.thread_time() - began)))
    except NotHeard as error:
        failure = error.detail
    except (OSError, ValueError, WebSocketException) as error:
        failure = type(error).__name__  # its text may show the address
    if failure:
        raise NotHeard("no_wire", failure)


def _events(protocol: ClientProtocol, block: bytes) -> Iterator[Any]:
    """What a block says, none for the end. In small pieces: 64 KiB may be 32,768 frames, and whoever counts them stops
    before most of them were read.
    """
    if not block:
        protocol.receive_eof()
        yield from protocol.events_received()
    for start in range(0, len(block), _PIECE):
        protocol.receive_data(block[start : start + _PIECE])
        yield from protocol.events_received()
        if protocol.close_expected():
            return


class _Frames:
    """Whether more than `most` came within a second: what is worth showing is few."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.many = 0
        self.since = time.monotonic()

    def count(self) -> None:
        now = time.monotonic()
        if now - self.since >= 1.0:
            self.many, self.since = 0, now
        self.many += 1

    def are_too_many(self) -> bool:
        return self.many > self.most


class _Texts:
    """Puts fragments together. Binary messages are previews, which nobody asked for."""

    def __init__(self) -> None:
        self.parts: bytearray | None = None  # no list: fragments may be empty, and without end

    def of(self, frame: Frame) -> Iterator[Told]:
        if frame.opcode is Opcode.TEXT:
            self.parts = bytearray(frame.data)
        elif frame.opcode is Opcode.BINARY:
            self.parts = None
        elif frame.opcode is Opcode.CONT and self.parts is not None:
            self.parts += frame.data
        if frame.fin and self.parts is not None and frame.opcode in (Opcode.TEXT, Opcode.CONT):
            message, self.parts = self.parts, None
            said = read(message.decode("utf-8", "replace"))
            if said is not None:
                yield said


def _where(url: str, *, allow_loopback: bool) -> WebSocketURI:
    """Raises NotHeard, ValueError, WebSocketException."""
    if len(url) > _LONGEST or not url.isascii() or any(ord(one) <= 32 for one in url):
        raise NotHeard("bad_address", "no address")
    where = parse_uri(url)
    if where.user_info or not 0 < where.port < 65536:
        raise NotHeard("bad_address", "no address")
    if not where.secure and not allow_loopback:
        raise NotHeard("bad_address", "not encrypted")
    return where


def _opened(where: WebSocketURI, *, allow_loopback: bool, seconds: float) -> socket.socket:
    """Goes to the very addresses that were judged, as for a result."""
    allowed = addresses.resolve(where.host, where.port, allow_loopback=allow_loopback)
    if not allowed:
        raise NotHeard("blocked_address", "an address that may not be opened")
    plain = _connected(allowed[:3], where.port, seconds / 3)
    try:
        wire = plain
        if where.secure:
            wire = ssl.create_default_context().wrap_socket(plain, server_hostname=where.host)
        wire.settimeout(_GLANCE)
    except BaseException:
        plain.close()
        raise
    return wire


def _connected(hosts: Sequence[str], port: int, seconds: float) -> socket.socket:
    for host in hosts[:-1]:
        with suppress(OSError):
            return socket.create_connection((host, port), seconds)
    return socket.create_connection((hosts[-1], port), seconds)


def _name(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()[:80] if not isinstance(value, int) or abs(value) < 10**20 else ""


def _share(value: Any, most: Any) -> float | None:
    """From 0 to 1; None where it is no share."""
    numbers = [one for one in (value, most) if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if len(numbers) < 2:
        return None
    try:
        done, whole = (float(one) for one in numbers)
    except OverflowError:
        return None
    if not math.isfinite(done) or not math.isfinite(whole) or whole <= 0:
        return None
    return min(max(done / whole, 0.0), 1.0)
