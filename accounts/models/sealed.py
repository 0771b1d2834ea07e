"""Secrets at rest: a copy of the database alone tells none of them."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


class Unreadable(ValueError):
    """It was sealed with another secret key or for another purpose, or it is damaged."""


def seal(purpose: str, text: str) -> str:
    """The text encrypted with a key that is derived from the secret key for this purpose alone."""
    return _fernet(settings.SECRET_KEY, purpose).encrypt(text.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """The text again, also after the secret key was replaced, as long as the former one is among the fallbacks.

    Raises `Unreadable`.
    """
    return _opened((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), purpose, sealed)


def is_up_to_date(purpose: str, sealed: str) -> bool:
    """Whether it is sealed with the present secret key, so that former ones are not needed for it."""
    try:
        _opened((settings.SECRET_KEY,), purpose, sealed)
    except Unreadable:
        return False
    return True


def _opened(secrets: Sequence[str | bytes], purpose: str, sealed: str) -> str:
    try:
        return MultiFernet([_fernet(one, purpose) for one in secrets]).decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise Unreadable from None


def _fernet(secret: str | bytes, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"rhweb: {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(force_bytes(secret))))
