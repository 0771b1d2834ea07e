"""One POST to an address that a person typed in, without letting it lead into the network that the portal stands in.

The name is resolved once, every address that it gives is judged, and the connection is made to one of the very
addresses that were judged, so no second look-up can give another. Nothing is followed: a redirect is an answer like any
other. Proxies of the environment are not used, because they would look the name up again.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
"""For everything together, however slowly the other side drips."""
READ_BYTES = 4096
NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNICAST = ipaddress.ip_network("2000::/3")
"""All that is given out of version 6. What is outside, as the site-local fec0::/10, Python takes for global in part."""
SPECIAL = [ipaddress.ip_network(one) for one in ("192.0.0.0/24", "2001::/23", "2001:db8::/32", "3fff::/20")]
"""What no version of Python agrees with another about."""


class Refused(ValueError):
    """The address is none that the portal may call; nothing left. The text says why."""


class NoAnswer(OSError):
    """Nobody answered, or not in time, or not with HTTP."""


@dataclass(frozen=True)
class Answer:
    """The status and the beginning of the body."""

    status: int
    body: bytes


def parts_of(url: str) -> SplitResult:
    """The parts of an address that may be called as far as its text tells. Raises `Refused` with a sentence."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("This is no address. Write one such as https://example.com/hook.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(ord(c) <= 32 for c in url):
        raise Refused("Write an address that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise Refused("Leave out the name and password before the @; what is sent is signed.")
    if port == 0 or len(url) > 500:
        raise Refused("This is no address that can be called.")
    return parts


def judge(address: Address, allowed: Sequence[Network] = ()) -> None:
    """Raises `Refused` unless it is an address of the open internet or of one of the `allowed` networks."""
    inner = _inner(address)
    if any(inner in network for network in allowed if network.version == inner.version):
        return
    forbidden = not inner.is_global or inner.is_multicast or inner.is_reserved or inner.is_unspecified
    if inner.version == 6 and inner not in UNICAST:
        forbidden = True
    if forbidden or any(inner in network for network in SPECIAL if network.version == inner.version):
        # Which address a name has in there is nobody's business who may type names.
        raise Refused("This leads into a private network, where the portal calls nobody.")


def _inner(address: Address) -> Address:
    """The version 4 address that one of version 6 carries, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def resolve(parts: SplitResult, allowed: Sequence[Network] = ()) -> list[tuple[int, str, int]]:
    """Family, address and port of all that the name leads to. Raises `Refused` if one of them is forbidden, and
    `NoAnswer` when it leads nowhere.
    """
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAnswer(f"The name {parts.hostname} leads nowhere.") from None
    places = [(int(one[0]), str(one[4][0]), port) for one in found]
    for _family, address, _port in places:
        judge(ipaddress.ip_address(address.partition("%")[0]), allowed)
    return places


def post(url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[Network] = ()) -> Answer:
    """Sends it once. Raises `Refused` before anything left, and `NoAnswer`."""
    parts = parts_of(url)
    places = resolve(parts, allowed)
    connection = _Pinned(parts, places)
    watch = threading.Timer(ANSWER_SECONDS, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        found = Answer(answer.status, answer.read(READ_BYTES))
        if connection.is_cut:
            raise NoAnswer
        return found
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = connection.is_cut
        raise NoAnswer(
            f"No answer within {ANSWER_SECONDS:.0f} s." if late else f"{type(error).__name__}: {error}"[:200]
        ) from None
    finally:
        watch.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were found before, under the name that they were found by."""

    def __init__(self, parts: SplitResult, places: Sequence[tuple[int, str, int]]) -> None:
        host = parts.hostname or ""
        super().__init__(host, parts.port or places[0][2], timeout=CONNECT_SECONDS)
        self.default_port = 443 if parts.scheme == "https" else 80
        self.places, self.is_cut = places, False
        self.wire: socket.socket | None = None
        self.context = ssl.create_default_context() if parts.scheme == "https" else None

    def connect(self) -> None:
        fault: OSError = OSError("There is no address.")
        for family, address, port in self.places:
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(CONNECT_SECONDS)
            try:
                plain.connect((address, port))
                self.sock = plain
                if self.context is not None:
                    self.sock = self.context.wrap_socket(plain, server_hostname=self.host)
            except OSError as error:
                plain.close()
                fault = error
                continue
            self.sock.settimeout(ANSWER_SECONDS)
            self.wire = self.sock
            return
        raise fault

    def cut(self) -> None:
        """Ends it from another thread, wherever it waits."""
        self.is_cut = True
        if self.wire is not None:
            with contextlib.suppress(OSError):
                self.wire.shutdown(socket.SHUT_RDWR)
