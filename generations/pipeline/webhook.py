"""Webhooks in: a doorbell that RunningHub may ring when a task ends (API.md 4).

Switched on by RHWEB_PUBLIC_URL. The address is unguessable and belongs to one generation. Nothing in the call is
believed: it makes the generation due now, and the query tells the truth. Only for an unconfirmed generation, or one
whose hold was released, is one thing read from it, the task id that was lost; it is a question to RunningHub, and the
task is attached only if RunningHub knows it as this generation's (`inquire`). Polling alone suffices.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from generations import queue
from generations.models import Bell, Generation, Given, Heartbeat, Inquiry, Question, Rows, State, Update
from generations.models.writer import together
from generations.pipeline import resolve

PATH = re.compile(r"/hooks/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9a-f]{32})\Z")
AGAIN_AFTER = timedelta(seconds=10)
"""A second bell brings another look when the last one is so long ago."""
WATCHED = timedelta(seconds=10)
"""A watcher that beat so lately sees by itself that a row is due."""
RANG = "webhook"
"""What `found_by` says of an end that a bell announced."""
TASK_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")
LOOKED_AT = ("status", "error_code", "webhook", "dispatched_at", "next_check_at", "lease_until", "updated_at")


class NotYet(Exception):
    """The bell says what cannot be used now and will be soon; upstream rings again when it is told so."""


_rung = Rows(lambda: Generation.objects.filter(pk=Given("pk")).only(*LOOKED_AT))

_make_due = Update(
    lambda: Generation.objects.filter(
        Q(next_check_at__gt=Given("now")) | Q(lease_until__gt=Given("now")),
        pk=Given("pk"),
        status=State.RUNNING,
    ),
    next_check_at=Given("now"),
    webhook=Bell.RANG,
    found_by=RANG,
)


def token(pk: uuid.UUID) -> str:
    """Proves that whoever calls was told the address by us."""
    return salted_hmac("rhweb.webhook", pk.hex, algorithm="sha256").hexdigest()[:32]


def address(pk: uuid.UUID) -> str:
    """Where RunningHub may ring for this generation; empty while the portal has no public address."""
    if not settings.PUBLIC_URL:
        return ""
    return settings.PUBLIC_URL + reverse("webhook", kwargs={"pk": pk, "token": token(pk)})


def names(url: str) -> str:
    """The id, in hex, of the generation that an address of ours belongs to; "" for any other address.

    Only one that carries the right token counts, so nobody can write such an address for another's generation.
    """
    found = PATH.search(urlsplit(url).path)
    if found is None:
        return ""
    pk = uuid.UUID(found[1])
    return pk.hex if constant_time_compare(found[2], token(pk)) else ""


def ring(pk: uuid.UUID, given: str, body: bytes) -> bool:
    """Takes one call, of any body. False when the token is not the generation's, which costs no query.

    One query finds that nothing is to be done. Only a running generation that is not looked at anyway is written to.
    Raises `NotYet` while the submit itself is not answered, and while RunningHub is asked for another task.
    """
    if not constant_time_compare(given, token(pk)):
        return False
    row = next(iter(_rung(pk=pk)), None)
    if row is None:
        return True
    now = timezone.now()
    if row.status == State.RUNNING:
        _look_now(row, now)
    elif row.status == State.DISPATCHING:
        raise NotYet
    elif row.webhook == Bell.ASKED and row.dispatched_at:
        Generation.objects.filter(pk=pk, webhook=Bell.ASKED).update(webhook=Bell.RANG)
    elif row.status == State.UNCONFIRMED or (row.status, row.error_code) == (State.FAILED, resolve.RELEASED):
        # Not believed: RunningHub is asked whether this task exists and whose webhook it has.
        task = _task_id(body)
        if task and Inquiry.ask(row, Question.TASK, by=None, task=task):
            queue.ring_inquiry()
        elif task and not Inquiry.objects.filter(generation=row, task=task).exists():
            raise NotYet
    return True


def _look_now(row: Generation, now: datetime) -> None:
    """Makes a running generation due. Bells in a row bring one look in a while, so that nobody can order thousands."""
    planned = row.next_check_at is None or row.next_check_at > now
    under_way = row.lease_until is not None and row.lease_until > now  # it may have come too early
    if not planned and not under_way:
        return
    if row.webhook == Bell.RANG and row.updated_at > now - AGAIN_AFTER:
        return
    # Of a thousand tasks that end together the bells ring together too. One that is lost is made good by a look.
    rung = together(lambda: _make_due(pk=row.pk, now=now), synced=False)
    if rung and not Heartbeat.is_fresh("watcher", WATCHED):
        queue.ring()


def _task_id(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    task = found.get("taskId") if isinstance(found, dict) else None
    return task if isinstance(task, str) and TASK_ID.fullmatch(task) else ""
