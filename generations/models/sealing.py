"""Sealing: how a key of RunningHub is kept in the database.

Encrypted with a key that is derived from the secret key of the portal (HKDF), so rows alone, as in a backup, tell
nothing. The address is sealed with the key: a sealed key that was moved to the row of another address cannot be read
there, so a key is only ever sent where its owner meant it to go.

After RHWEB_SECRET_KEY was replaced, keys stay readable while the former one stands in RHWEB_SECRET_KEY_FALLBACKS; the
sweep then seals them anew with the present one.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"rhweb: keys of RunningHub"


class Unreadable(ValueError):
    """What is sealed was sealed with another secret key, for another address, or is damaged."""

    def __init__(self) -> None:
        super().__init__(
            "The stored key can no longer be read, because RHWEB_SECRET_KEY is another one than when it was entered. "
            "Put the former one into RHWEB_SECRET_KEY_FALLBACKS, or enter the key of RunningHub again."
        )


def seal(address: str, key: str) -> str:
    """The key as it is stored."""
    return _fernet(settings.SECRET_KEY).encrypt(f"{address}\n{key}".encode()).decode()


def unseal(address: str, sealed: str) -> str:
    """The key in clear, for this address only. Raises `Unreadable`."""
    all_of_them = MultiFernet([_fernet(secret) for secret in (settings.SECRET_KEY, *_former())])
    return _opened(all_of_them, address, sealed)


def is_up_to_date(address: str, sealed: str) -> bool:
    """Whether it is sealed with the present secret key, so that former ones are not needed for it."""
    try:
        _opened(_fernet(settings.SECRET_KEY), address, sealed)
    except Unreadable:
        return False
    return True


def _opened(fernet: Fernet | MultiFernet, address: str, sealed: str) -> str:
    try:
        meant_for, _, key = fernet.decrypt(sealed.encode()).decode().partition("\n")
    except (InvalidToken, UnicodeError):
        raise Unreadable from None
    if meant_for != address or not key:
        raise Unreadable
    return key


def _former() -> list[str]:
    return list(settings.SECRET_KEY_FALLBACKS)


def _fernet(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
