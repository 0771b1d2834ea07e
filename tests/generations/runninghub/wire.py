"""A server that does to one request what the test says, bad manners included."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Act = Callable[[socket.socket], bool | None]


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(raw: bytes) -> Act:
    """Sends these bytes and closes."""

    def act(connection: socket.socket) -> None:
        connection.sendall(raw)

    return act


def answer(body: Any = None, status: int = 200, *, keep: bool = False, **headers: str) -> Act:
    """A proper answer; anything but bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Length": str(len(data)), "Connection": "keep-alive" if keep else "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())

    def act(connection: socket.socket) -> bool:
        connection.sendall(f"HTTP/1.1 {status} Word\r\n{lines}\r\n".encode("latin-1") + data)
        return keep

    return act


def reset(first: bytes = b"") -> Act:
    """Sends a beginning, if any, and then resets the connection."""

    def act(connection: socket.socket) -> None:
        if first:
            connection.sendall(first)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def closed(connection: socket.socket) -> None:
    """Closes without a word."""


class Wire:
    """Listens on loopback. ``acts`` are done in turn, the last one for ever; ``seen`` holds every request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.released = threading.Event()
        self._acts: list[Act] = [answer({})]
        self._context = context
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def script(self, *acts: Act) -> None:
        with self._lock:
            self.seen.clear()
            self.connections = 0
            self._acts = list(acts)

    def silence(self, connection: socket.socket) -> None:
        """Takes the request and says nothing until the test is over."""
        self.released.wait(30)

    def stop(self) -> None:
        self.released.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(30)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rb")
            while seen := _read(stream, connection.getpeername()[1]):
                with self._lock:
                    self.seen.append(seen)
                    act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                if not act(connection):
                    break
            stream.close()
        except OSError:
            pass
        finally:
            connection.close()


def _read(stream: Any, peer: int) -> Seen | None:
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Seen(first[0], first[1], headers, body, peer)
