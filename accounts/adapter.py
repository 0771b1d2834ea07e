"""How allauth's flows fit the portal."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Sign-up is closed unless RHWEB_OPEN_SIGNUP is set: people come in through a command or a manager."""
        return bool(settings.OPEN_SIGNUP)
