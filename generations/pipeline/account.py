"""Account: asks RunningHub what the account of a connection is, because somebody wants to see it or a day has gone by.

Three questions that cost nothing: the account, its queue, its keys. Each may be refused or answered in a shape nobody
documented, and none is needed for work: what cannot be had is a sentence on a page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from generations import queue, upstream
from generations.models import AccountAnswer, Connection
from generations.runninghub.errors import ReadRefused, UpstreamError

EVERY = timedelta(days=1)
LOST = timedelta(seconds=20)
"""A wish as old as this, at which nobody is, has lost its message."""
logger = logging.getLogger("rhweb.account")


def tend() -> None:
    """Has every account asked once a day, and those asked whose message was lost."""
    now = timezone.now()
    answers = {one.connection_id: one for one in AccountAnswer.objects.all()}
    for connection in Connection.working():
        known = answers.get(connection.pk)
        old = known is None or known.asked_at is None or known.asked_at < now - EVERY
        if connection.is_configured and (known is None or (old and not known.is_wanted)):
            if AccountAnswer.want(connection):
                queue.ring_account(connection.pk)
        elif known is not None and known.wanted_at is not None and known.wanted_at < now - LOST:
            queue.ring_account(connection.pk)


def ask(connection_id: int) -> bool:
    """Asks one account, unless nobody wants it or somebody is at it. True when it was asked."""
    row = AccountAnswer.objects.select_related("connection").filter(connection=connection_id).first()
    if row is None or not row.take():
        return False
    row.answered(_asked(row.connection))
    return True


def _asked(connection: Connection) -> dict[str, Any]:
    try:
        client = upstream.get_client(connection)
    except upstream.NotConfigured as error:
        logger.info("the account of %s cannot be asked: %s", connection, error)
        sentence = _("The key of this connection is not at hand.")
        return {"faults": dict.fromkeys(("account", "queue", "keys"), sentence)}
    said: dict[str, Any] = {}
    faults: dict[str, str] = {}
    questions: dict[str, Callable[[], Any]] = {
        "account": client.account_status,
        "queue": client.queue_status,
        "keys": client.api_keys,
    }
    for name, question in questions.items():
        try:
            said[name] = _plain(question())
        except ReadRefused as error:
            logger.info("%s does not tell its %s: %s", connection, name, error)
            faults[name] = error.member_text
        except UpstreamError as error:
            logger.info("the %s of %s is not known: %s", name, connection, error)
            faults[name] = _("RunningHub gave no answer that could be read.")
    return {**said, "faults": faults}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(item) for key, item in asdict(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return format(value, "f") if isinstance(value, Decimal) else value
