"""The one seam between the portal and RunningHub: gives the client of a connection, real or sandbox."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

from django.conf import settings

from generations.models import Connection, Generation, sealing
from generations.runninghub import Client
from generations.runninghub.errors import ReadRefused
from generations.runninghub.replies import TaskReply

NO_KEY = "downloads-carry-no-key"
ANOTHER_KEY_MAY_KNOW = ("missing", "key", "other")
"""Reasons of a refusal to answer about a task that the key it was sent with might not meet."""

T = TypeVar("T")


class NotConfigured(LookupError):
    """The key of this connection is not there or cannot be read; its work waits until it is."""


def get_client(connection: Connection, *, submitting: bool = False) -> Client:
    """The client of `connection`; one that submits waits longer for its answer, because losing it is expensive.

    A key is only ever sent to the address it belongs to; raises `NotConfigured` when it is another's, or when the key
    cannot be read.
    """
    if not connection.is_configured:
        raise NotConfigured(connection.base_url)
    try:
        return client_with(connection, connection.key(), submitting=submitting)
    except sealing.Unreadable as error:
        raise NotConfigured(str(error)) from None


def client_with(connection: Connection, key: str, *, submitting: bool = False) -> Client:
    """The client of an address with a key of the caller's, such as one that is to be tried. Raises `NotConfigured`."""
    patience = settings.SUBMIT_SECONDS if submitting else settings.READ_SECONDS
    try:
        return _client(_address(connection), key, (settings.CONNECT_SECONDS, patience))
    except ValueError as error:  # a key or an address that no header or socket would take
        raise NotConfigured(str(error)) from None


def downloader(connection: Connection) -> Client:
    """Fetches results, for which no key is needed: a key that is lost must not let them expire.

    For nothing but `download`.
    """
    return client_with(connection, NO_KEY)


class Asker:
    """Asks about the task of one generation, with the connection's key and, where that one does not know the task,
    with the former key it was sent with. Tasks belong to the account, so mostly the new key knows them.
    """

    def __init__(self, row: Generation) -> None:
        connection = row.connection
        self._clients: list[Client] = []
        fault: NotConfigured | None = None
        try:
            self._clients.append(get_client(connection))
        except NotConfigured as error:
            fault = error
        if row.key_digest and row.key_digest != connection.key_digest:
            former = connection.former_key(row.key_digest)
            if former:
                self._clients.append(client_with(connection, former))
        if fault is not None and not self._clients:
            raise fault

    def query(self, upstream_id: str) -> TaskReply:
        """As `Client.query`."""
        return self._ask(lambda client: client.query(upstream_id))

    def cancel(self, upstream_id: str) -> bool:
        """As `Client.cancel`."""
        if self._ask(lambda client: client.cancel(upstream_id)):
            return True
        return any(client.cancel(upstream_id) for client in self._clients[1:])

    def _ask(self, question: Callable[[Client], T]) -> T:
        now, *former = self._clients
        try:
            return question(now)
        except ReadRefused as refused:
            if refused.reason in ANOTHER_KEY_MAY_KNOW:
                for client in former:
                    with suppress(ReadRefused):
                        return question(client)
            raise


def get_asker(row: Generation) -> Asker:
    """Raises `NotConfigured` as `get_client`."""
    return Asker(row)


def _address(connection: Connection) -> str:
    if not connection.is_sandbox:
        return connection.base_url
    return str(settings.RUNNINGHUB_BASE_URL if settings.USES_SANDBOX else settings.SANDBOX_URL)


@lru_cache(maxsize=64)
def _client(base_url: str, api_key: str, timeout: tuple[float, float]) -> Client:
    return Client(base_url=base_url, api_key=api_key, timeout=timeout)
