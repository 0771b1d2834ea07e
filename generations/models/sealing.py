"""Sealing: how a key of RunningHub is kept in the database.

Encrypted with a key that is derived from the secret key of the portal, so rows alone, as in a backup, tell nothing. The
address is sealed with the key: a sealed key that was moved to the row of another address cannot be read there, so a key
is only ever sent where its owner meant it to go.

After RHWEB_SECRET_KEY was replaced, keys stay readable while the former one stands in RHWEB_SECRET_KEY_FALLBACKS; the
sweep then seals them anew with the present one.
"""

from __future__ import annotations

from accounts.models import sealed as sealer

_PURPOSE = "keys of RunningHub"


class Unreadable(ValueError):
    """What is sealed was sealed with another secret key, for another address, or is damaged."""

    def __init__(self) -> None:
        super().__init__(
            "The stored key can no longer be read, because RHWEB_SECRET_KEY is another one than when it was entered. "
            "Put the former one into RHWEB_SECRET_KEY_FALLBACKS, or enter the key of RunningHub again."
        )


def seal(address: str, key: str) -> str:
    """The key as it is stored."""
    return sealer.seal(_PURPOSE, f"{address}\n{key}")


def unseal(address: str, sealed: str) -> str:
    """The key in clear, for this address only. Raises `Unreadable`."""
    try:
        meant_for, _, key = sealer.unseal(_PURPOSE, sealed).partition("\n")
    except sealer.Unreadable:
        raise Unreadable from None
    if meant_for != address or not key:
        raise Unreadable
    return key


def is_up_to_date(address: str, sealed: str) -> bool:
    """Whether it is sealed with the present secret key for this address, so that former ones are not needed for it."""
    try:
        unseal(address, sealed)
    except Unreadable:
        return False
    return sealer.is_up_to_date(_PURPOSE, sealed)
