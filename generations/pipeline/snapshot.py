"""Snapshot: what the account of each connection held, once a day, so that a bill can be held against our receipts.

A day is one of UTC, because an account may serve teams of many zones. Whoever notes a day first has noted it; asking
upstream twice costs nothing. An account that does not answer is asked again until the day is over; then the day is
missing, and the span between its neighbours is longer.
"""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, date, timedelta

from django.db import IntegrityError, transaction

from generations import queue, upstream
from generations.models import AccountSnapshot, Connection, Heartbeat, database_now
from generations.pipeline.watch import CURRENCIES
from generations.runninghub.errors import UpstreamError

OFTEN = timedelta(minutes=20)
"""How often an account is asked that has not answered today."""
MOST = 2**31 - 1
logger = logging.getLogger("rhweb.snapshot")


def tend() -> bool:
    """Has the accounts asked if any was not today; at most once in a while. True when it was rung for."""
    if not due() or not Heartbeat.take("snapshot", uuid.uuid4().hex, stale_after=OFTEN):
        return False
    queue.ring_snapshots()
    return True


def due() -> list[Connection]:
    """The connections in use of which there is no snapshot of today."""
    today = _today()
    known = set(AccountSnapshot.objects.filter(day=today).values_list("connection_id", flat=True))
    return [one for one in Connection.working() if one.pk not in known and one.is_configured]


def take() -> int:
    """Asks every account that was not asked today; gives how many told something."""
    taken = 0
    for connection in due():
        try:
            taken += _take(connection)
        except Exception:
            logger.exception("the account of %s could not be written down", connection)
    return taken


def _take(connection: Connection) -> bool:
    try:
        told = upstream.get_client(connection).account_status()
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("the account of %s tells nothing: %s", connection, error)
        return False
    now = database_now()
    try:
        with transaction.atomic():
            AccountSnapshot.objects.create(
                connection=connection,
                day=now.date(),
                taken_at=now,
                balance=told.balance,
                coins=told.coins,
                currency=CURRENCIES.get(told.currency.upper(), told.currency[:3]),
                running=None if told.running is None else min(told.running, MOST),
            )
    except IntegrityError:
        return False  # another worker was quicker
    return True


def _today() -> date:
    return database_now().astimezone(UTC).date()
