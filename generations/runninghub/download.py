"""Copying one file from an address that came from outside."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ReadTimeoutError

from . import addresses
from .errors import BlockedAddress, Cut, DownloadFailed, Gone, TooLarge, TooSlow
from .replies import Downloaded
from .transport import WIRE_ERRORS, NoAnswer, NotSent, Transport, blocks_of, describe

_REDIRECTS = 3


class Downloader:
    """Fetches files from public addresses; from this machine too when ``allow_loopback``.

    A host is resolved once and the connection goes to exactly the addresses that were checked, so a name
    server that changes its answer in between gains nothing. A proxy resolves for us: behind one, only
    addresses written as numbers can be checked here.
    """

    def __init__(self, *, allow_loopback: bool, timeout: tuple[float, float], trust_env: bool) -> None:
        self._allow_loopback = allow_loopback
        self._timeout = timeout
        self._transport = Transport(trust_env=trust_env, connector=self._connect)

    def fetch(
        self, url: str, sink: BinaryIO, *, max_bytes: int, max_seconds: float, scrub: Callable[[str], str]
    ) -> Downloaded:
        deadline = time.monotonic() + max_seconds
        for _ in range(_REDIRECTS + 1):
            self._check(url, scrub)
            with closing(self._open(url, deadline, scrub)) as response:
                target = response.headers.get("Location")
                if response.status_code in (301, 302, 303, 307, 308) and target:
                    url = _joined(url, target)
                    continue
                if response.status_code in (403, 404, 410):
                    raise Gone(f"http_{response.status_code}")
                if response.status_code != 200:
                    raise DownloadFailed(f"http_{response.status_code}")
                return _copy(response, sink, max_bytes=max_bytes, deadline=deadline, scrub=scrub)
        raise DownloadFailed("redirects", f"more than {_REDIRECTS} redirects")

    def put(self, url: str, file: BinaryIO, scrub: Callable[[str], str]) -> None:
        """Sends a file to an address that upstream named, as binary data and without the key. Raises DownloadFailed."""
        self._check(url, scrub)
        failure: DownloadFailed | None = None
        try:
            headers = {"User-Agent": "rhweb", "Content-Type": "application/octet-stream"}
            opened = self._transport.open("PUT", url, timeout=self._timeout, headers=headers, data=file)
            with closing(opened) as response:
                if not 200 <= response.status_code < 300:
                    failure = DownloadFailed(f"http_{response.status_code}")
        except (NotSent, NoAnswer) as error:
            failure = DownloadFailed("unreachable", scrub(str(error)))
        if failure is not None:
            raise failure

    def close(self) -> None:
        self._transport.close()

    def _check(self, url: str, scrub: Callable[[str], str]) -> None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            host, parts = "", urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            raise BlockedAddress("bad_address", scrub(url[:200]))
        if addresses.parse(host) and not addresses.may_open(host, allow_loopback=self._allow_loopback):
            raise BlockedAddress("blocked_address", host)

    def _open(self, url: str, deadline: float, scrub: Callable[[str], str]) -> requests.Response:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooSlow("too_slow")
        connect, read = self._timeout
        failure: DownloadFailed
        try:
            return self._transport.open(
                "GET",
                url,
                timeout=(min(connect, left), min(read, left)),
                headers={"User-Agent": "rhweb", "Accept-Encoding": "identity"},
            )
        except (NotSent, NoAnswer) as error:
            kind = TooSlow if time.monotonic() >= deadline else DownloadFailed
            failure = kind("unreachable", scrub(str(error)))
        raise failure

    def _connect(self, connection: HTTPConnection) -> socket.socket:
        host = connection.host.strip("[]")
        allowed = addresses.resolve(host, connection.port, allow_loopback=self._allow_loopback)
        if not allowed:
            raise BlockedAddress("blocked_address", host)
        for index, address in enumerate(allowed, start=1):
            try:
                opened = socket.create_connection((address, connection.port), connection.timeout)
            except OSError:
                if index == len(allowed):
                    raise
            else:
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return opened
        raise AssertionError("unreachable")


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        raise BlockedAddress("bad_address", "an unreadable redirect") from None


def _copy(
    response: requests.Response,
    sink: BinaryIO,
    *,
    max_bytes: int,
    deadline: float,
    scrub: Callable[[str], str],
) -> Downloaded:
    announced = response.headers.get("Content-Length", "")
    expected = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else None
    if expected is not None and expected > max_bytes:
        raise TooLarge("too_large", f"{expected} bytes announced, {max_bytes} allowed")
    digest, size, blocks = hashlib.sha256(), 0, blocks_of(response)
    while True:
        # Only the reading stands in the `try`: an error of the sink is not the network's.
        failure: DownloadFailed | None = None
        try:
            block = next(blocks, b"")
        except ReadTimeoutError as error:
            failure = TooSlow("too_slow", scrub(describe(error)))
        except WIRE_ERRORS as error:
            failure = Cut("cut", scrub(describe(error)))
        if failure:
            raise failure
        if not block:
            break
        size += len(block)
        if size > max_bytes:
            raise TooLarge("too_large", f"more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise TooSlow("too_slow")
        digest.update(block)
        sink.write(block)
    if expected is not None and response.raw.tell() != expected:
        raise Cut("cut", f"{response.raw.tell()} of {expected} bytes arrived")
    return Downloaded(size, digest.hexdigest(), response.headers.get("Content-Type", "")[:200])
