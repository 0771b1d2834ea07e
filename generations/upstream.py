"""The one seam between the portal and RunningHub: gives the client of a connection, real or sandbox."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from generations.models import Connection
from generations.runninghub import Client


class NotConfigured(LookupError):
    """The environment no longer holds the key of this connection; its work waits until it does."""


def get_client(connection: Connection, *, submitting: bool = False) -> Client:
    """The client of `connection`; one that submits waits longer for its answer, because losing it is expensive.

    A key is only ever sent to the address it belongs to; raises `NotConfigured` when it is another's.
    """
    if not connection.is_configured:
        raise NotConfigured(connection.base_url)
    patience = settings.SUBMIT_SECONDS if submitting else settings.READ_SECONDS
    key = settings.RUNNINGHUB_API_KEY or settings.SANDBOX_KEY
    try:
        return _client(settings.RUNNINGHUB_BASE_URL, key, (settings.CONNECT_SECONDS, patience))
    except ValueError as error:  # a key or an address that no header or socket would take
        raise NotConfigured(str(error)) from None


@lru_cache(maxsize=8)
def _client(base_url: str, api_key: str, timeout: tuple[float, float]) -> Client:
    return Client(base_url=base_url, api_key=api_key, timeout=timeout)
