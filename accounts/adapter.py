"""How allauth's flows fit the portal."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from accounts.models import sealed


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Sign-up is closed unless RHWEB_OPEN_SIGNUP is set: people come in through a command or a manager."""
        return bool(settings.OPEN_SIGNUP)


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of authenticator apps sealed, so that a copy of the database opens no account."""

    def encrypt(self, text: str) -> str:
        return sealed.seal("second factor", text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `sealed.Unreadable` when the secret key was replaced and the former one is not given."""
        return sealed.unseal("second factor", encrypted_text)
