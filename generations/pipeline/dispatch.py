"""Dispatch: sends waiting generations, each at most once.

The order of saving decides everything. A claim is committed before anything is prepared; `submitting_at` is committed
right before the bytes leave; the upstream id is saved by the very next statement after the answer. So the sweep can
tell a worker that died before the submit (back to the queue) from one that died during it (unconfirmed, never sent
again). `attempts` fences: a worker that was asleep past its lease finds the number changed and walks away.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from generations import disk, own_models, progress, queue, upstream
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec
from generations.models import Bell, Connection, Generation, Given, Rows, State, Upload
from generations.models.writer import in_turn, together
from generations.pipeline import copies, inquire, pacing, webhook
from generations.pipeline.persist import persist
from generations.pipeline.resolve import RELEASED
from generations.runninghub import Client
from generations.runninghub.errors import NotAccepted, Refused, Unclear, UpstreamError

logger = logging.getLogger("rhweb.dispatch")

PREPARING = timedelta(seconds=45)
COPYING = timedelta(minutes=15)
SUBMITTING = timedelta(seconds=100)
SETTLED_WITHIN = timedelta(days=7)
"""The deadline of a lost answer. Nothing ends such a generation but a person or a webhook that names the task."""
MODEL_FULL = "1011"
WRONG_KEY_OR_PATH = "412"
"""Upstream says the same of both (API.md 1)."""
FILE_TROUBLE = ("1001", "1013")
"""What upstream may say when a copy is gone (API.md 10 names no code for it): an address or a file it cannot use."""
NO_SLOT = ("415", "421", "814", "1520")
SENDING = (State.DISPATCHING, State.UNCONFIRMED)
"""A definite answer counts also when it came so late that the sweep had given up on it; `attempts` fences."""

lately = progress.Lately()


@Rows
def _first_due() -> QuerySet[Generation]:
    """Whether anything waits for a connection, which is asked many times a second."""
    mine: Any = Given("connection")
    return Generation.objects.due(Given("now"), State.QUEUED).filter(connection=mine).only("pk")[:1]


def claim(connection: Connection, limit: int) -> list[Generation]:
    """Takes up to `limit` generations for which there is a free slot. The lock on the connection keeps slots exact.

    The line is read before the lock is taken, so that nobody waits while it is played; who joined it in between is in
    the next one.
    """
    now = timezone.now()
    if limit <= 0 or connection.paused_at or (connection.full_until and connection.full_until > now):
        return []
    if disk.is_low():
        return []  # what could not be stored is not made
    if not _first_due(now=now, connection=connection.pk):
        return []
    first = progress.line(connection, now, limit=limit, only_due=True)
    with in_turn(), transaction.atomic():
        locked = Connection.objects.select_for_update().get(pk=connection.pk)
        if locked.paused_at or not locked.is_configured or (locked.full_until and locked.full_until > now):
            return []
        busy = progress.holding(locked, now).count()
        free = min(limit, locked.slots - locked.used_outside - busy)
        if locked.full_streak:
            free = min(free, 1)  # after a refusal one tries for all
        first = first[: max(0, free)]
        Generation.objects.filter(pk__in=first, status=State.QUEUED).turn(
            State.DISPATCHING,
            claimed_at=now,
            submitting_at=None,
            lease_until=now + PREPARING,
            claims=F("claims") + 1,
            attempts=F("attempts") + 1,
        )
    # Those cancelled in this moment are not among them. Under the lock nobody else claims on this connection.
    mine = Generation.objects.filter(status=State.DISPATCHING, claimed_at=now)
    found = mine.select_related("connection").in_bulk(first)
    return [found[pk] for pk in first if pk in found]


def copies_first(row: Generation) -> bool:
    """Whether files go upstream before the submit, which may take longer than any slice."""
    try:
        return bool(load.get(row.made_with).uploads(row.params))
    except load.UnknownModel:
        return False


def send(row: Generation) -> None:
    """Prepares and submits one claimed generation, and writes down what came of it."""
    mine = Generation.objects.filter(attempts=row.attempts)
    try:
        spec = load.get(row.made_with)
    except load.UnknownModel:
        mine.move(
            row.pk,
            State.DISPATCHING,
            State.FAILED,
            error_code="model_gone",
            error_message="This model is no longer in the catalogue. Nothing was sent and nothing was charged.",
        )
        return
    if not own_models.is_in_use(spec):
        _fail(
            row,
            "model_out_of_use",
            "This model was taken out of use. Nothing was sent and nothing was charged.",
            "",
        )
        return
    try:
        client = upstream.get_client(row.connection, submitting=True)
        addresses = _addresses(row, client, spec)
        body = spec.body(row.params, addresses, row.connection.site)
        if spec.run is not None and (password := own_models.password(spec)):
            body["accessPassword"] = password
        if doorbell := webhook.address(row.pk):
            body["webhookUrl"] = doorbell
    except upstream.NotConfigured:
        _back_to_queue(row, gap=60.0)
        return
    except own_models.PasswordLost as error:
        _fail(row, "password_lost", f"{error} Nothing was sent and nothing was charged.", "")
        return
    except Upload.DoesNotExist:
        _fail(row, "upload_gone", "A file of this generation is not there any more. Nothing was sent.", "")
        return
    except copies.BeingCopied:
        _back_to_queue(row, gap=copies.LOOK_AGAIN)
        return
    except Refused as error:
        _refused(row, error)
        return
    except (UpstreamError, OSError) as error:
        logger.warning("generation %s: inputs could not be copied upstream: %s", row.pk, error)
        told = error if isinstance(error, UpstreamError) else None
        _back_to_queue(row, gap=pacing.after_fault(row.faults + 4), faults=F("faults") + 1, error=told)
        return
    first_look = _first_look(row, bool(doorbell))

    def begin() -> bool:
        now = timezone.now()  # the lease begins when it is written, however long that was waited for
        return Generation.objects.note(
            row.pk,
            State.DISPATCHING,
            fence={"attempts": row.attempts, "submitting_at": None, "cancel_requested_at": None},
            submitting_at=now,
            lease_until=now + SUBMITTING,
            claims=row.claims,
            webhook=Bell.ASKED if doorbell else Bell.NOT_ASKED,
            key_digest=row.connection.key_digest,
        )

    is_mine = together(begin)
    if not is_mine:
        mine.filter(cancel_requested_at__isnull=False, submitting_at=None).move(
            row.pk, State.DISPATCHING, State.CANCELLED
        )
        return
    try:
        submitted = client.run(spec.run.path, body) if spec.run else client.submit(spec.endpoint, body)
    except NotAccepted as error:
        _not_accepted(row, error)
    except Refused as error:
        _refused(row, error)
        _doubt_copies(row, spec, error)
    except Unclear as error:
        lost(row, error.code, error.detail)
        _doubt_copies(row, spec, error)
    else:
        _accepted(row, submitted.upstream_id, submitted.status, *first_look)


def _addresses(row: Generation, client: Client, spec: ModelSpec) -> dict[str, str]:
    """Where upstream finds each upload, copied there first where needed: its address, for an app or a workflow its
    name (API.md 5). Raises `copies.BeingCopied`.
    """
    found, named = {}, spec.run is not None
    for reference in spec.uploads(row.params):
        upload = Upload.objects.get(pk=Upload.id_of(reference), team=row.team_id)
        address = copies.known(upload, row.connection, named=named)
        if address is None:
            Generation.objects.filter(pk=row.pk, attempts=row.attempts, status=State.DISPATCHING).update(
                lease_until=timezone.now() + COPYING
            )
            address = copies.made(upload, row.connection, client, named=named)
        found[reference] = address
    return found


def _doubt_copies(row: Generation, spec: ModelSpec, error: UpstreamError) -> None:
    """After trouble with a file the next generation sends its files anew; this one is settled as any other."""
    if error.code in FILE_TROUBLE:
        copies.forget(row.connection, [Upload.id_of(one) for one in spec.uploads(row.params)])


def _first_look(row: Generation, bell: bool) -> tuple[float, float]:
    """Seconds until the first query, and until it is overdue; asked before the submit, so that nothing but the
    upstream id is on anyone's mind after it.
    """
    pace, crowd = lately.look(row.model, row.connection, row.size)
    return pacing.next_look(0, pace, crowd + 1, bell), pacing.overdue_after(pace)


def _accepted(row: Generation, upstream_id: str, status: str, look_in: float, overdue_in: float) -> None:
    logger.info("generation %s is task %s upstream", row.pk, upstream_id)
    now = timezone.now()
    changes: dict[str, Any] = {
        "upstream_id": upstream_id,
        "upstream_status": status,
        "dispatched_at": now,
        "next_check_at": now + timedelta(seconds=look_in),
        "deadline_at": now + timedelta(seconds=overdue_in),
        "faults": 0,
        "error_code": "",
        "error_message": "",
        "error_detail": "",
    }

    def save() -> bool:
        mine = {"attempts": row.attempts}
        sent = (State.DISPATCHING, State.UNCONFIRMED)
        unwished = mine | {"cancel_requested_at": None}
        if Generation.objects.move(row.pk, sent, State.RUNNING, fence=unwished, **changes):
            return True
        at_once = changes | {
            "next_check_at": now
        }  # the wish to cancel it, which came meanwhile, is passed on
        return Generation.objects.move(
            row.pk, sent, State.RUNNING, fence=mine, **at_once
        ) or Generation.objects.move(
            row.pk,
            State.FAILED,
            State.RUNNING,
            fence=mine | {"error_code": RELEASED},
            finished_at=None,
            **changes,
        )

    try:
        saved = persist(save)
    except IntegrityError:
        lost(row, "task_taken", f"RunningHub named task {upstream_id}, which belongs to another generation.")
        return
    if not saved:
        logger.error("generation %s is task %s upstream, but its row moved on meanwhile", row.pk, upstream_id)
    if row.connection.full_streak:
        row.connection.note_room()


def give_back(row: Generation) -> None:
    """A claimed generation that nobody has begun to send goes back to its place in the line."""
    _back_to_queue(row, gap=0)


def _not_accepted(row: Generation, error: NotAccepted) -> None:
    """Certainly nothing was created: back to the queue, and the connection waits a while."""
    now = timezone.now()
    streak = row.connection.full_streak + 1
    if error.code == MODEL_FULL:
        gap = max(pacing.after_full(row.faults + 1), error.retry_after or 0)
        _back_to_queue(row, gap=gap, faults=F("faults") + 1, error=error)
        return
    gap = pacing.after_unreachable(streak) if error.code == "unreachable" else pacing.after_full(streak)
    until = now + timedelta(seconds=max(gap, error.retry_after or 0))
    persist(lambda: row.connection.note_full(now, until))
    _back_to_queue(row, gap=0, error=error)


def _back_to_queue(
    row: Generation, *, gap: float, error: UpstreamError | None = None, **changes: Any
) -> None:
    now = timezone.now()
    changes |= {
        "error_code": error.code[:40] if error else "",
        "error_message": error.member_text if error else "",
    }

    def save() -> bool:
        mine = Generation.objects.filter(attempts=row.attempts)
        ends = mine.filter(cancel_requested_at__isnull=False)
        return ends.move(row.pk, SENDING, State.CANCELLED) or mine.move(
            row.pk,
            SENDING,
            State.QUEUED,
            next_check_at=now + timedelta(seconds=gap),
            submitting_at=None,
            claimed_at=None,
            **changes,
        )

    persist(save)


def _refused(row: Generation, error: Refused) -> None:
    if error.pauses and _key_was_replaced(row.connection):
        _back_to_queue(row, gap=0)  # the key of now has not been tried
        return
    stops = error.pauses and not (error.code == WRONG_KEY_OR_PATH and _key_is_good(row.connection))
    paused = stops and persist(lambda: row.connection.pause(error.code, error.member_text))
    _fail(row, error.code, error.member_text, error.detail)
    if paused:
        queue.ring_alert(row.connection.pk)


def _key_is_good(connection: Connection) -> bool:
    """Whether the key is taken where nothing is wrong with the path, so that only this one model cannot be had."""
    try:
        upstream.get_client(connection).queue_status()
    except (UpstreamError, upstream.NotConfigured):
        return False
    return True


def _key_was_replaced(connection: Connection) -> bool:
    """Whether the connection has another key by now than the one that was just used."""
    same = Connection.objects.filter(pk=connection.pk, key_digest=connection.key_digest)
    return not persist(same.exists)


def _fail(row: Generation, code: str, text: str, detail: str) -> None:
    mine = Generation.objects.filter(attempts=row.attempts)
    persist(
        lambda: mine.move(
            row.pk,
            SENDING,
            State.FAILED,
            error_code=code[:40],
            error_message=text,
            error_detail=detail[:4000],
        )
    )


def lost(row: Generation, code: str, detail: str) -> bool:
    """The answer was lost: upstream may have it and may charge. Held, and never sent again by the program."""
    now = timezone.now()
    moved = persist(
        lambda: Generation.objects.filter(attempts=row.attempts).move(
            row.pk,
            State.DISPATCHING,
            State.UNCONFIRMED,
            next_check_at=None,
            deadline_at=now + SETTLED_WITHIN,
            error_code=code[:40],
            error_message="The answer of RunningHub was lost. It may have been charged, so it was not sent again.",
            error_detail=detail[:4000],
        )
    )
    if moved:
        inquire.begin(row)
    return moved
