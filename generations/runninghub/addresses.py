"""Which network addresses a file may be fetched from: public ones only.

The addresses of results come from outside, so they must not lead the server into its own network.
"""

from __future__ import annotations

import ipaddress
import socket

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Special-purpose blocks that `is_global` of Python 3.11 still calls public (RFC 6890, RFC 7526).
_SPECIAL = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def parse(text: str) -> IPAddress | None:
    """The address written in ``text`` (brackets and a zone allowed), None when it is a name."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _innermost(ip: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one carries, where the network would unpack it."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
    return ip


def is_public(ip: IPAddress) -> bool:
    """Whether an address belongs to the open internet."""
    ip = _innermost(ip)
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in _UNICAST and ip.is_global
    return ip.is_global and not ip.is_multicast and not any(ip in block for block in _SPECIAL)


def is_loopback(ip: IPAddress) -> bool:
    return _innermost(ip).is_loopback


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address of our own configuration means this machine."""
    ip = parse(host)
    return is_loopback(ip) if ip else host.lower().rstrip(".") == "localhost"


def resolve(host: str, port: int, *, allow_loopback: bool) -> list[str]:
    """The addresses of a host that may be opened, in the resolver's order.

    Raises OSError or UnicodeError when the host has none at all.
    """
    found = (str(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return [text for text in dict.fromkeys(found) if may_open(text, allow_loopback=allow_loopback)]


def may_open(text: str, *, allow_loopback: bool) -> bool:
    """Whether a written address is public, or of this machine where that is allowed."""
    ip = parse(text)
    return ip is not None and (is_public(ip) or (allow_loopback and is_loopback(ip)))
