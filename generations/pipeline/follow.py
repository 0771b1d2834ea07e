"""Follow: asks upstream how running tasks stand. Only upstream's own definite word ends a generation.

A failed poll, an unknown status, being overdue are no verdicts: slow down, keep the hold, look again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from generations import upstream
from generations.models import Bell, Generation, State
from generations.pipeline import dispatch, pacing, resolve, webhook
from generations.pipeline.persist import persist
from generations.runninghub.errors import ReadRefused, UpstreamError
from generations.runninghub.replies import TaskReply

logger = logging.getLogger("rhweb.follow")

LEASE = timedelta(seconds=75)
COPY_WITHIN = timedelta(hours=24)
EMPTY_LOOKS = 6
TELL_EVERY = 1.0
WISH_AGAIN = 5.0
"""Seconds until a wish to cancel that did not reach upstream is passed on again."""
MUCH = 0.08
"""The share of a duration that is worth moving a look."""


def claim(limit: int, without: Collection[int] = ()) -> list[Generation]:
    """Leases running generations whose next look has come, except those of the connections `without`."""
    rows = Generation.objects.exclude(connection__in=without) if without else Generation.objects
    if limit <= 0:
        return []
    return rows.claim(State.RUNNING, limit=limit, lease=LEASE)


def give_back(row: Generation) -> None:
    """A claimed row that nobody has begun to look at is due again."""
    Generation.objects.filter(pk=row.pk, status=State.RUNNING, lease_until__isnull=False).update(
        lease_until=None, claims=F("claims") - 1
    )


def look(row: Generation) -> None:
    """One query of one task, and what follows from it."""
    try:
        client = upstream.get_asker(row)
        _ask_to_cancel(row, client)
        reply = client.query(row.upstream_id)
    except upstream.NotConfigured:
        _later(row, 60.0)
    except UpstreamError as error:
        logger.warning("generation %s: query failed: %s", row.pk, error)
        _later(row, pacing.after_fault(row.faults + 1), faults=F("faults") + 1)
    else:
        _judge(row, reply)


def _ask_to_cancel(row: Generation, client: Any) -> None:
    """Passes the wish on until it is answered; upstream's verdict comes by the queries as ever (API.md 6)."""
    if not row.cancel_requested_at or row.cancel_sent_at:
        return
    try:
        client.cancel(row.upstream_id)
    except UpstreamError as error:
        logger.warning("generation %s: cancel failed: %s", row.pk, error)
        if not isinstance(error, ReadRefused) or error.reason in {"capacity", "fault"}:
            return
    row.cancel_sent_at = timezone.now()
    Generation.objects.filter(pk=row.pk).update(cancel_sent_at=row.cancel_sent_at)


def _judge(row: Generation, reply: TaskReply) -> None:
    now = timezone.now()
    told: dict[str, Any] = {"upstream_status": reply.status[:40], "faults": 0, **costs(reply)}
    if reply.state == "succeeded" and not reply.results and row.faults < EMPTY_LOOKS:
        _later(
            row, pacing.after_fault(row.faults + 1), faults=F("faults") + 1, upstream_status=reply.status[:40]
        )
    elif reply.state == "succeeded":
        moved = _end(
            row,
            State.GATHERING,
            results=[asdict(result) for result in reply.results],
            upstream_done_at=now,
            next_check_at=now,
            deadline_at=now + COPY_WITHIN,
            overdue_at=None,
            **told,
            **_confirmed(row),
        )
        if moved:
            _room(row)
            _tell_siblings(row)
    elif reply.state in {"failed", "cancelled"}:
        _end(
            row,
            State.FAILED if reply.state == "failed" else State.CANCELLED,
            upstream_done_at=now,
            error_code=(reply.error_code or reply.state)[:40],
            error_message=reply.error_text if reply.state == "failed" else "",
            error_detail=reply.error_detail[:4000],
            **told,
        )
        _room(row)
    else:
        pace, crowd = dispatch.lately.look(row.model, row.connection, row.size)
        elapsed = (now - (row.dispatched_at or row.created_at)).total_seconds()
        gap = pacing.next_look(elapsed, pace, crowd, row.webhook == Bell.ASKED)
        if (
            not pace.known
            and _siblings(row).filter(upstream_done_at__gt=now - timedelta(seconds=elapsed)).exists()
        ):
            gap = min(gap, pacing.after_first_finished(elapsed))
        if row.cancel_requested_at and not row.cancel_sent_at:
            gap = min(gap, WISH_AGAIN)
        _later(row, gap, **told, **_confirmed(row))


def _end(row: Generation, to: State, **changes: Any) -> bool:
    """The task ended upstream, which a bell announced or this look found; a bell that rings meanwhile counts too."""
    found_by = webhook.RANG if row.found_by == webhook.RANG else "poll" if webhook.address(row.pk) else ""
    known, move = {"found_by": row.found_by}, Generation.objects.move
    return persist(
        lambda: (
            move(row.pk, State.RUNNING, to, fence=known, found_by=found_by, **changes)
            or move(row.pk, State.RUNNING, to, **changes)
        ),
        synced=to != State.GATHERING,  # a look that was lost is made again
    )


def _confirmed(row: Generation) -> dict[str, Any]:
    """Upstream knows the task that somebody named by hand."""
    return {"error_code": "", "error_message": ""} if row.error_code == resolve.ATTACHED else {}


def costs(reply: TaskReply) -> dict[str, Any]:
    """The four cost fields as upstream wrote them, and what they come to, once there is anything to settle."""
    usage = reply.usage
    told: dict[str, Any] = {key: value[:40] for key, value in asdict(usage).items() if value is not None}
    charged = usage.charged()
    if charged is not None and reply.state != "waiting":
        told["cost_actual"] = charged
    return told


def _later(row: Generation, gap: float, **changes: Any) -> None:
    """Notes the next look, unless somebody asked for an earlier one while this one was under way."""
    now = timezone.now()
    if row.found_by == webhook.RANG:
        changes["found_by"] = ""  # it rang, but not for the end
    if row.deadline_at and now > row.deadline_at and row.overdue_at is None:
        changes["overdue_at"] = now
    known, note = {"next_check_at": row.next_check_at}, Generation.objects.note
    planned = now + timedelta(seconds=gap)
    persist(
        lambda: (
            note(row.pk, State.RUNNING, fence=known, next_check_at=planned, **changes)
            or note(row.pk, State.RUNNING, **changes)
        ),
        synced=False,
    )


def _room(row: Generation) -> None:
    """A task ended, so there is a free slot; that lifts a refusal for want of one, but no limit of requests."""
    if row.connection.full_streak:
        refused = Generation.objects.filter(connection=row.connection, status=State.QUEUED)
        if refused.filter(error_code__in=dispatch.NO_SLOT).exists():
            row.connection.note_room()


def _siblings(row: Generation) -> QuerySet[Generation]:
    return Generation.objects.filter(connection=row.connection, model=row.model)


_told: dict[tuple[str, int], float] = {}


def _tell_siblings(row: Generation) -> None:
    """One of many tasks alike finished: look at each of the others when it comes to that age, or now if it is past it.

    Only those that nobody looked at since and whose next look is much later, so that a look is moved and hardly one is
    added. Said at most once a second for each model, since a hundred that finish together say the same.
    """
    key = (row.model, row.connection_id)
    if row.dispatched_at is None or time.monotonic() - _told.get(key, 0.0) < TELL_EVERY:
        return
    _told[key] = time.monotonic()
    now = timezone.now()
    pace = dispatch.lately.look(row.model, row.connection, row.size)[0]
    took = (now - row.dispatched_at).total_seconds()
    if not pace.known:
        pace = pacing.Pace(took, took, took, known=False)
    alike = _siblings(row).filter(
        status=State.RUNNING, lease_until=None, size__gte=row.size * 0.8, size__lte=row.size * 1.25
    )
    for bell in (False, True):
        usual = timedelta(seconds=pacing.expected_at(pace, bell))
        unaware = alike.filter(dispatched_at__gt=F("updated_at") - usual * (1 - 3 * pacing.A_LITTLE))
        unaware = unaware.filter(webhook=Bell.ASKED) if bell else unaware.exclude(webhook=Bell.ASKED)
        unaware.filter(dispatched_at__lte=now - usual, next_check_at__gt=now).update(next_check_at=now)
        unaware.filter(
            dispatched_at__gt=now - usual, next_check_at__gt=F("dispatched_at") + usual * (1 + MUCH)
        ).update(next_check_at=F("dispatched_at") + usual)
