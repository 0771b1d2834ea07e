"""Connect: tries a key that somebody entered, by the cheapest question there is (`queue/status`).

A key that works is in use from then on. One that RunningHub refuses is forgotten; where RunningHub could not be asked
the person decides. Nothing is paid for, and asking twice changes nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations import connections, upstream
from generations.models import Connection, ConnectionKey, sealing
from generations.pipeline.watch import CURRENCIES
from generations.runninghub import Client
from generations.runninghub.errors import ReadRefused, Unreachable, UpstreamError

logger = logging.getLogger("rhweb.connect")

LEASE = timedelta(seconds=90)
State = ConnectionKey.State


def try_key(pk: int) -> bool:
    """Tries one key, unless somebody else is at it or it was replaced. True when it is in use now."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    mine = ConnectionKey.objects.filter(free, pk=pk, state=State.WAITING)
    if not mine.update(lease_until=now + LEASE):
        return False
    key = ConnectionKey.objects.select_related("connection").get(pk=pk)
    connection = key.connection
    try:
        client = upstream.client_with(connection, sealing.unseal(connection.base_url, key.sealed_key))
        found = _asked(client, connection)
    except sealing.Unreadable as error:
        return _note(key, State.REFUSED, str(error))
    except upstream.NotConfigured:
        return _note(key, State.REFUSED, _("This cannot be a key of RunningHub. Copy it again."))
    except ReadRefused as error:
        logger.info("%s refused a key that was entered: %s", connection, error.code)
        if error.reason == "key":
            return _note(key, State.REFUSED, error.member_text)
        return _note(key, State.UNREACHABLE, _odd(connection, error))
    except Unreachable as error:
        silent = error.code in ("unreachable", "no_answer")
        return _note(key, State.UNREACHABLE, _silent(connection) if silent else _odd(connection, error))
    try:
        return connections.promote(key, **found)
    except connections.NotDone as refusal:
        return _note(key, State.REFUSED, str(refusal))


def tend() -> None:
    """As `connections.tend`, for the worker."""
    connections.tend()


def _asked(client: Client, connection: Connection) -> dict[str, Any]:
    """What the account says of itself. Raises `ReadRefused`, `Unreachable` when not even its slots are told."""
    told = client.queue_status()
    if told.limit is None and told.running is None:
        raise Unreachable("no_slots")
    now = timezone.now()
    found: dict[str, Any] = {"checked_at": now, "used_outside": told.running or 0}
    found |= {"slots": told.limit} if told.limit else {}
    try:
        account = client.account_status()
    except UpstreamError as error:
        logger.info("account of %s is not known: %s", connection, error)
        return found
    found["currency"] = CURRENCIES.get(account.currency.upper(), connection.currency)
    found |= {"balance": str(account.balance)} if account.balance is not None else {}
    return found


def _silent(connection: Connection) -> str:
    where = {"where": connection.where}
    return _("%(where)s did not answer, so the key was not tried. It may be right.") % where


def _odd(connection: Connection, error: UpstreamError) -> str:
    words = {"where": connection.where, "code": error.code}
    return (
        _(
            "%(where)s gave an answer that tells nothing about the key (%(code)s). It may be right; try it again later."
        )
        % words
    )


def _note(key: ConnectionKey, state: ConnectionKey.State, sentence: str) -> bool:
    changes: dict[str, Any] = {"state": state, "sentence": sentence, "tried_at": timezone.now()}
    if state == State.REFUSED:
        changes["sealed_key"] = ""  # what is of no use is not kept
    ConnectionKey.objects.filter(pk=key.pk, state=State.WAITING).update(**changes, lease_until=None)
    return False
