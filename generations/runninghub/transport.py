"""The wire. It knows one thing for certain: whether a request can have left.

``NotSent`` is raised while the connection is being made, before the first byte of a request is written, and
passes through requests and urllib3 untouched. Guessing from their exceptions would not do: an SSLError, for
one, may come from the handshake or from the middle of an answer. Everything later is ``NoAnswer``.

Nothing is ever repeated or followed here. One transport is used from many threads: it has no state but
urllib3's pools, which lock for themselves; there is no requests.Session and so no cookies.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

WIRE_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
POOL = 32
_BLOCK = 64 * 1024

Connector = Callable[[HTTPConnection], socket.socket]


class NotSent(Exception):
    """No connection was made; not one byte of the request left."""


class NoAnswer(Exception):
    """The request may have left and no answer came back."""


@dataclass(frozen=True)
class Received:
    """An answer read into memory. ``cut`` says why the body may be incomplete, "" when it is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: str


def describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


@contextmanager
def _before_sending() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException, HTTPError, ValueError) as error:
        raise NotSent(describe(error)) from error


def _pool_classes(connector: Connector | None, *, keep_alive: bool) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools with connections that report a failure to connect as NotSent.

    ``connector`` opens the socket in urllib3's place, except to a proxy. Without ``keep_alive`` a connection
    carries one request, even if the other side would keep it open.
    """

    class Plain(HTTPConnection):
        def connect(self) -> None:
            with _before_sending():
                super().connect()

        def _new_conn(self) -> socket.socket:
            return super()._new_conn() if connector is None or self.proxy else connector(self)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            with _before_sending():
                super().connect()

        def _new_conn(self) -> socket.socket:
            return super()._new_conn() if connector is None or self.proxy else connector(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

        def _put_conn(self, conn: Any) -> None:
            if conn and not keep_alive:
                conn.close()
            super()._put_conn(conn)

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

        def _put_conn(self, conn: Any) -> None:
            if conn and not keep_alive:
                conn.close()
            super()._put_conn(conn)

    return {"http": PlainPool, "https": SecurePool}


class _Adapter(HTTPAdapter):
    def __init__(self, connector: Connector | None, *, keep_alive: bool) -> None:
        self._classes = _pool_classes(connector, keep_alive=keep_alive)
        super().__init__(pool_maxsize=POOL, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._classes

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._classes
        return manager


class Transport:
    """Sends one request, once.

    ``trust_env``: use the proxies and the certificate bundle named by the environment.
    """

    def __init__(
        self, *, trust_env: bool, keep_alive: bool = True, connector: Connector | None = None
    ) -> None:
        self._trust_env = trust_env
        self._keep_alive = keep_alive
        self._connector = connector
        self._made: tuple[int, _Adapter] | None = None

    def _adapter(self) -> _Adapter:
        # A fork must not write into its parent's connections.
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), _Adapter(self._connector, keep_alive=self._keep_alive))
        return self._made[1]

    def open(
        self,
        method: str,
        url: str,
        *,
        timeout: tuple[float, float],
        headers: Mapping[str, str | bytes],
        data: Any = None,
        auth: AuthBase | None = None,
    ) -> requests.Response:
        """The head of an answer, its body not yet read; the caller closes it. Raises NotSent, NoAnswer."""
        # Raised outside the `except`, so that no error of ours carries the request and its key along.
        failure: NotSent | NoAnswer
        try:
            request = requests.Request(method, url, headers=headers, data=data, auth=auth).prepare()
        except WIRE_ERRORS as error:
            failure = NotSent(describe(error))
        else:
            proxies = get_environ_proxies(url) if self._trust_env else {}
            bundle = os.environ.get("REQUESTS_CA_BUNDLE") if self._trust_env else None
            try:
                return self._adapter().send(
                    request, stream=True, timeout=timeout, verify=bundle or True, proxies=proxies
                )
            except NotSent as error:
                failure = NotSent(str(error))
            except WIRE_ERRORS as error:
                failure = NoAnswer(describe(error))
        raise failure

    def fetch(
        self, method: str, url: str, *, max_bytes: int, timeout: tuple[float, float], **kwargs: Any
    ) -> Received:
        """A whole answer; it ends at ``max_bytes`` or the read timeout. Raises NotSent, NoAnswer."""
        with closing(self.open(method, url, timeout=timeout, **kwargs)) as response:
            blocks: list[bytes] = []
            size, cut, deadline = 0, "", time.monotonic() + timeout[1]
            try:
                for block in blocks_of(response):
                    blocks.append(block)
                    size += len(block)
                    if size > max_bytes or time.monotonic() > deadline:
                        cut = "the answer is too long" if size > max_bytes else "the answer takes too long"
                        break
            except WIRE_ERRORS as error:
                cut = describe(error)
            return Received(response.status_code, response.headers, b"".join(blocks), cut)

    def close(self) -> None:
        if self._made is not None and self._made[0] == os.getpid():
            self._made[1].close()


def blocks_of(response: requests.Response) -> Iterator[bytes]:
    """The decoded body as it arrives, never waiting for a full block. Raises WIRE_ERRORS."""
    while block := response.raw.read1(_BLOCK, decode_content=True):
        yield block
