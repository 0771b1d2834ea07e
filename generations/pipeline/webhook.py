"""Webhooks in: a doorbell that RunningHub may ring when a task ends (API.md 4).

Switched on by RHWEB_PUBLIC_URL. The address is unguessable and belongs to one generation. Nothing in the call is
believed: it makes the generation due now, and the query tells the truth. Only for an unconfirmed generation, or one
whose hold was released, is one thing read from it, the task id that was lost; that too is proved by the next query.
Polling alone suffices.
"""

from __future__ import annotations

import json
import re
import uuid

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from generations import queue
from generations.models import Generation, State
from generations.pipeline import resolve

RANG = "webhook"
TASK_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")


def token(pk: uuid.UUID) -> str:
    """Proves that whoever calls was told the address by us."""
    return salted_hmac("rhweb.webhook", pk.hex, algorithm="sha256").hexdigest()[:32]


def address(pk: uuid.UUID) -> str:
    """Where RunningHub may ring for this generation; empty while the portal has no public address."""
    if not settings.PUBLIC_URL:
        return ""
    return settings.PUBLIC_URL + reverse("webhook", kwargs={"pk": pk, "token": token(pk)})


def ring(pk: uuid.UUID, given: str, body: bytes) -> bool:
    """Takes one call, of any body. False when the token is not the generation's."""
    if not constant_time_compare(given, token(pk)):
        return False
    row = Generation.objects.filter(pk=pk).only("status", "error_code", "submitting_at").first()
    if row is None:
        return True
    task = _task_id(body)
    lost = row.status == State.UNCONFIRMED or (row.status, row.error_code) == (State.FAILED, resolve.RELEASED)
    if lost and task:
        try:
            resolve.attach(row, task)
        except resolve.TaskTaken:
            return True
    now = timezone.now()
    looks_later = Q(next_check_at__gt=now) | Q(
        lease_until__gt=now
    )  # a look under way may have come too early
    rows = Generation.objects.filter(looks_later, pk=pk, status=State.RUNNING)
    if rows.update(next_check_at=now, found_by=RANG):
        queue.ring()
    return True


def _task_id(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    task = found.get("taskId") if isinstance(found, dict) else None
    return task if isinstance(task, str) and TASK_ID.fullmatch(task) else ""
