"""A server whose WebSocket does what a test says, and shares no code with the portal but the library for RFC 6455."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from websockets.server import ServerProtocol


class Line:
    """One connection of a listener. What is said is sent at once."""

    def __init__(self, wire: socket.socket, closing: threading.Event) -> None:
        self.wire, self.closing = wire, closing
        self.protocol = ServerProtocol()
        self.path = ""

    def greet(self) -> Line:
        while not (asked := self.protocol.events_received()):
            self.protocol.receive_data(self.wire.recv(65536))
        request: Any = asked[0]
        self.path = request.path
        self.protocol.send_response(self.protocol.accept(request))
        return self.flush()

    def say(self, kind: str, **data: Any) -> Line:
        return self.text(json.dumps({"type": kind, "data": data}))

    def text(self, text: str, *, fin: bool = True) -> Line:
        self.protocol.send_text(text.encode(), fin)
        return self.flush()

    def flush(self) -> Line:
        for piece in self.protocol.data_to_send():
            if piece:
                self.wire.sendall(piece)
        return self

    def wait(self, seconds: float = 30.0) -> None:
        self.closing.wait(seconds)


FLOOD_FRAME = 67
"""Bytes of one message of `flood`."""
Behaviour = Callable[[Line], None]


class Wires:
    """Used as a context; `url` is its address, `lines` those that listened, `behaviour` what happens to the next."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.lines: list[Line] = []
        self.closing = threading.Event()

    def __enter__(self) -> Wires:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.server.getsockname()[1]}/ws/c_instance?Rh-Comfy-Auth=very-secret"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                wire, _address = self.server.accept()
            except OSError:
                return
            line = Line(wire, self.closing)
            self.lines.append(line)
            threading.Thread(target=self._one, args=[line], daemon=True).start()

    def _one(self, line: Line) -> None:
        with contextlib.suppress(OSError, EOFError), line.wire:
            self.behaviour(line)


def silent(line: Line) -> None:
    line.greet().wait()


def never_greets(line: Line) -> None:
    line.wait()


def no_websocket(line: Line) -> None:
    line.wire.recv(65536)
    line.wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def drips(line: Line) -> None:
    """A greeting that never ends."""
    line.wire.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while not line.closing.wait(0.05):
        line.wire.sendall(b"X-More: and more\r\n")


def noise(line: Line) -> None:
    """Bytes that are no frames."""
    line.greet()
    line.wire.sendall(b"\xff" * 4096)
    line.wait()


def nonsense(line: Line) -> None:
    """Frames that say nothing, between two that do."""
    line.greet().say("progress", node="3", value=1, max=4)
    for text in (
        "",
        "no JSON",
        "[]",
        "7",
        '{"type": 1}',
        '{"type": "progress", "data": 7}',
        "[" * 5000,
        "\ud83d"[:0],
    ):
        line.text(text)
    line.protocol.send_binary(b"\x00" * 1000)
    line.flush()
    line.text('{"type": "progress", "da', fin=False)
    line.protocol.send_continuation(b'ta": {"node": "6", "value": 3, "max": 4}}', fin=True)
    line.flush().wait()


def endless(line: Line) -> None:
    """Progress without end, as fast as it is taken."""
    line.greet()
    while not line.closing.is_set():
        line.say("progress", node="3", value=1, max=2)


def flood(line: Line) -> None:
    """As `endless`, and faster than anybody reads."""
    line.greet()
    line.protocol.send_text(b'{"type": "progress", "data": {"node": "3", "value": 1, "max": 2}}')
    frame = b"".join(line.protocol.data_to_send())
    assert len(frame) == FLOOD_FRAME
    while not line.closing.is_set():
        line.wire.sendall(frame * 4000)


def hollow(line: Line) -> None:
    """Frames of nothing, 32,768 in 64 KiB, faster than anybody reads."""
    line.greet()
    while not line.closing.is_set():
        line.wire.sendall(b"\x81\x00" * 32_768)


def gulp(line: Line) -> None:
    """As `hollow`, and only so many."""
    line.greet().wire.sendall(b"\x81\x00" * 8192)


def too_long(line: Line) -> None:
    """One message that never ends."""
    line.greet().text("{", fin=False)
    while not line.closing.is_set():
        line.protocol.send_continuation(b"x" * 60_000, fin=False)
        line.flush()


def closes(line: Line) -> None:
    line.greet().say("progress", node="3", value=1, max=2)
    line.protocol.send_close(1000)
    line.flush()


def breaks(line: Line) -> None:
    line.greet().say("progress", node="3", value=1, max=2)


def lies(line: Line) -> None:
    """All done, it says."""
    line.greet().say("progress", node="3", value=9, max=2)
    line.say("executing", node=None).say("execution_success").wait()


def tells(line: Line) -> None:
    line.greet().say("execution_cached", nodes=["4"]).say("executing", node="3")
    line.say("progress", node="3", value=7, max=20).wait()


def pings(line: Line) -> None:
    """Until the listener has answered."""
    line.greet()
    line.protocol.send_ping(b"there?")
    line.flush()
    until = time.monotonic() + 10
    while time.monotonic() < until and not line.closing.is_set():
        line.protocol.receive_data(line.wire.recv(65536))
        if line.protocol.events_received():
            break
    line.say("progress", node="3", value=1, max=1).wait()
