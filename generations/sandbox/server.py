"""The sandbox as a whole: start, stop, script it, look at what reached it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from decimal import Decimal
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from generations.sandbox.clock import Clock
from generations.sandbox.encode import missing_libraries
from generations.sandbox.faults import Script
from generations.sandbox.ledger import DAY, Ledger
from generations.sandbox.log import Log
from generations.sandbox.routes import Routes
from generations.sandbox.store import Store
from generations.sandbox.tasks import Task
from generations.sandbox.webhooks import Webhooks

EVERYWHERE = ("", "0.0.0.0")  # noqa: S104 - compared, never bound


class SandboxError(RuntimeError):
    """The sandbox cannot start; the text is a sentence for people."""


class Listener(ThreadingHTTPServer):
    """A thread per connection. Open connections end with the server, as they do when a process is killed."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, Routes)

    def server_bind(self) -> None:
        # The parent looks its own name up in DNS here, which can take seconds on a laptop without a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Sandbox:
    """A RunningHub on loopback, over real HTTP. Usable as a context manager.

    ``pace`` scales every lifelike time: 1 is lifelike, 0 means "as soon as it is rendered". ``quick`` renders
    2 to 3 seconds instead of whole pieces. ``slots`` is the number of unfinished tasks per key, after which
    submits are refused with 421. ``state_dir`` keeps tasks, results, uploads, clones and balances across
    restarts; without it they end with the sandbox. ``key`` is one that is accepted; any other of 32
    characters is, too, and has an account of its own.
    """

    key = "sandbox-sandbox-sandbox-sandbox0"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        slots: int = 3,
        pace: float = 1.0,
        quick: bool = False,
        balance: Decimal | str | int = 5000,
        currency: str = "CNY",
        upload_seconds: float = DAY,
        result_seconds: float = DAY,
        state_dir: str | Path | None = None,
    ) -> None:
        self.log = Log()
        self.faults = Script()
        self._address = (host, port)
        self._clock = Clock()
        self._store = Store(state_dir)
        self._webhooks = Webhooks(self.faults, pace, self.log)
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None
        self.ledger = Ledger(
            store=self._store,
            clock=self._clock,
            webhooks=self._webhooks,
            slots=slots,
            pace=pace,
            quick=quick,
            balance=Decimal(balance),
            currency=currency,
            upload_seconds=upload_seconds,
            result_seconds=result_seconds,
        )

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end. Raises SandboxError before the start."""
        if self._listener is None:
            raise SandboxError("The sandbox is not running.")
        host = self._address[0]
        return f"http://{host if host not in EVERYWHERE else '127.0.0.1'}:{self._listener.server_port}"

    @property
    def submits(self) -> list[dict[str, Any]]:
        """Every submit: ``endpoint``, ``body``, ``headers`` without the key, ``taskId`` or ``refused``."""
        return list(self.log.submits)

    @property
    def tasks(self) -> dict[str, Task]:
        """Task id -> task, oldest first."""
        with self.ledger.lock:
            return dict(self.ledger.tasks)

    def script(self, route: str, *faults: Any) -> None:
        """Append faults to a route; the vocabulary stands in ``generations.sandbox.faults``. Raises
        ScriptError.
        """
        self.faults.add(route, faults)

    def clear_script(self) -> None:
        self.faults.clear()

    def start(self) -> Sandbox:
        """Listen. Raises SandboxError when the address cannot be had."""
        try:
            self._listener = Listener(self._address, self)
        except OSError as error:
            self._store.close()
            host, port = self._address
            reason = error.strerror or type(error).__name__
            raise SandboxError(
                f"The sandbox cannot listen on {host}:{port}: {reason}. Choose another port."
            ) from None
        self._clock.start()
        self.ledger.start(self.url)
        self._thread = threading.Thread(
            target=self._listener.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-http",
            daemon=True,
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, cut open connections, let the piece in work finish. Safe to call twice."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.shutdown()
        listener.close_connections()
        listener.server_close()
        self._webhooks.stop()
        self._clock.stop()
        self.ledger.stop()
        self._store.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def pace_from_environment() -> float:
    """RHWEB_SANDBOX_PACE, 1 when unset. Raises SandboxError unless it is a number from 0 to 100."""
    text = os.environ.get("RHWEB_SANDBOX_PACE", "").strip() or "1"
    try:
        pace = float(text)
    except ValueError:
        pace = -1.0
    if not 0 <= pace <= 100:
        raise SandboxError(
            f"RHWEB_SANDBOX_PACE is {text!r}; it must be a number from 0 (at once) to 100, 1 is lifelike."
        )
    return pace


def say(sentence: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def serve(host: str = "127.0.0.1", port: int = 8188, **settings: Any) -> None:
    """Run until Ctrl-C or SIGTERM; ``settings`` are those of Sandbox. Raises SandboxError when the port is
    taken.
    """
    stopping = threading.Event()
    sandbox = Sandbox(host=host, port=port, **settings)
    previous = {
        number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with sandbox:
            for sentence in missing_libraries():
                say(sentence)
            say(f"The sandbox, a local RunningHub, listens on {sandbox.url}; any key of 32 characters does.")
            stopping.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    say("The sandbox has stopped.")
