"""Watch: the loop that lets the stages work, in slices of a few seconds.

Only one watcher works at a time as long as its heartbeat is fresh; several are harmless, because every claim is a
lease. A watcher that leaves makes room first and looks for work afterwards, and a message that finds a watcher at
work was sent after its row was committed; so no row can fall between the two.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db.models import Min, Q
from django.utils import timezone

from generations import progress, queue, upstream
from generations.models import Connection, Generation, Heartbeat, State
from generations.pipeline import dispatch, follow, gather, pacing
from generations.runninghub.errors import UpstreamError

logger = logging.getLogger("rhweb.watch")

SLICE = 8.0
OF_ONE_KIND = 12
"""So many threads look, so many send, so many bring files upstream: slow answers of one kind keep no other out."""
AHEAD = 24
"""So many rows more are claimed while threads are busy: a claim costs as much for one row as for many."""
BREATH = 0.015
"""Seconds between two turns of the loop, so that what ends in the meantime is followed up by one claim."""
DOWNLOADS = 4
STALE = timedelta(seconds=15)
BEAT_EVERY = 3.0
GLANCE = 0.25
HELP_EVERY = 2.0
CHECK_CONNECTION = timedelta(seconds=60)
CURRENCIES = {"CNY": "CNY", "RMB": "CNY", "USD": "USD"}

Job = Callable[[Generation], None]


class _Jobs:
    """The jobs of one kind in a slice: some at work, some waiting for their thread."""

    def __init__(self, name: str) -> None:
        self.pool = ThreadPoolExecutor(OF_ONE_KIND, thread_name_prefix=name)
        self.futures: dict[Future[None], Any] = {}

    def start(self, job: Callable[..., None], *args: Any) -> None:
        self.futures[self.pool.submit(job, *args)] = args[-1]

    def busy(self) -> set[Future[None]]:
        """Those that are not done."""
        self.futures = {future: row for future, row in self.futures.items() if not future.done()}
        return set(self.futures)

    def room(self) -> int:
        """How many more to claim; none before a thread is about to have nothing to do."""
        busy = len(self.busy())
        return OF_ONE_KIND + AHEAD - busy if busy <= OF_ONE_KIND else 0

    def give_back(self, back: Job) -> None:
        """Those that no thread has begun with are left to the next watcher."""
        for future, row in list(self.futures.items()):
            if future.cancel() and isinstance(row, Generation):
                back(row)

    def close(self) -> None:
        """Waits for the last, and closes the database connection of each thread."""
        wait(self.futures)
        everyone = threading.Barrier(OF_ONE_KIND)
        for _ in range(OF_ONE_KIND):
            self.pool.submit(self._close, everyone)
        self.pool.shutdown()

    @staticmethod
    def _close(everyone: threading.Barrier) -> None:
        """Once in each thread: the barrier keeps a fast one from taking two turns."""
        database.close()
        everyone.wait(timeout=30)


class _Copies:
    """Copies that go on from slice to slice: a large file takes longer than any slice may. One pool per process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.pool: ThreadPoolExecutor | None = None
        self.running: set[Future[None]] = set()

    def room(self) -> int:
        self.running = {future for future in self.running if not future.done()}
        return self.most - len(self.running)

    def start(self, job: Job, row: Generation) -> None:
        self.pool = self.pool or ThreadPoolExecutor(self.most, thread_name_prefix="copy")
        self.running.add(self.pool.submit(_alone, job, row))


_calls: dict[int, pacing.Politeness] = {}


def polite(connection: Connection) -> pacing.Politeness:
    """How many submits and queries this process may make now; `settings.CALLS_PER_SECOND` or what follows of slots."""
    rate = pacing.calls_a_second(connection.slots, settings.CALLS_PER_SECOND)
    known = _calls.setdefault(connection.pk, pacing.Politeness(rate))
    known.per_second = rate
    return known


_downloads = _Copies(DOWNLOADS)
_uploads = _Copies(OF_ONE_KIND)


def beat() -> None:
    """A worker is alive and executes what the queue brings."""
    Heartbeat.beat("worker")


def watch(seconds: float = SLICE) -> bool:
    """One slice. False when another watcher is at work. Rings for the next slice while anything is in flight.

    Room for the next watcher is made before the last answers are waited for, so a slow upstream stops nobody.
    """
    holder = secrets.token_hex(8)
    if not Heartbeat.take("watcher", holder, stale_after=STALE):
        return False
    looks, sends = _Jobs("look"), _Jobs("send")
    try:
        try:
            beat()
            _loop(holder, time.monotonic() + seconds, looks, sends)
        finally:
            looks.give_back(follow.give_back)
            sends.give_back(dispatch.give_back)
            Heartbeat.leave("watcher", holder)
            if next_due() is not None:
                queue.ring()
            while wait(looks.busy() | sends.busy(), timeout=BEAT_EVERY).not_done:
                beat()
    finally:
        looks.close()
        sends.close()
    return True


def _loop(holder: str, until: float, looks: _Jobs, sends: _Jobs) -> None:
    """Claims and starts jobs until the time is over or nothing is in flight."""
    beaten, helped = time.monotonic(), 0.0
    while time.monotonic() < until:
        if time.monotonic() - beaten > BEAT_EVERY:
            if not Heartbeat.take("watcher", holder, stale_after=STALE):
                break
            beaten = time.monotonic()
        connection = Connection.current()
        if connection.checked_at is None:
            refresh_connection(connection)
        elif connection.next_check_at <= timezone.now() and len(looks.busy()) < OF_ONE_KIND:
            looks.start(_refresh, connection)
        _copy_what_waits()
        if not _downloads.room() and time.monotonic() - helped > HELP_EVERY:
            helped = time.monotonic()
            if Generation.objects.due(timezone.now(), State.GATHERING).exists():
                queue.ring_copier()
        calls = polite(connection)
        due = follow.claim(min(calls.room(time.monotonic()), looks.room()))
        calls.spend(len(due))
        for row in due:
            looks.start(guarded, follow.look, row)
        room = sends.room() if _uploads.room() == OF_ONE_KIND else min(sends.room(), _uploads.room())
        waiting = dispatch.claim(connection, min(calls.room(time.monotonic()), room))
        calls.spend(len(waiting))
        for row in waiting:
            if dispatch.copies_first(row):
                _uploads.start(dispatch.send, row)
            else:
                sends.start(guarded, dispatch.send, row)
        active = looks.busy() | sends.busy() | _downloads.running | _uploads.running
        if active:
            turn = time.monotonic()
            wait(active, timeout=GLANCE, return_when=FIRST_COMPLETED)
            time.sleep(max(0.0, BREATH - (time.monotonic() - turn)))
            continue
        seconds = next_due()
        if seconds is None:
            break
        time.sleep(min(GLANCE, max(0.02, seconds)))


def copy(seconds: float = SLICE) -> None:
    """Copies results beside the watcher, in the process that was rung for it, until none is waiting.

    Decoding and measuring sound takes a core for itself. Leases keep the two from copying the same result. One helper
    at a time, so that the rest of the queue is not kept from its work.
    """
    holder = secrets.token_hex(8)
    if not Heartbeat.take("copier", holder, stale_after=STALE):
        return
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            _copy_what_waits()
            if not _downloads.running:
                break
            wait(_downloads.running, timeout=GLANCE, return_when=FIRST_COMPLETED)
    finally:
        Heartbeat.leave("copier", holder)


def _copy_what_waits() -> None:
    for row in gather.claim(_downloads.room()):
        _downloads.start(gather.gather, row)


def _alone(job: Job, row: Generation) -> None:
    try:
        guarded(job, row)
    finally:
        database.close()


def guarded(job: Job, row: Generation) -> None:
    """Runs one job at the worker's edge: a fault of ours is logged and the row is looked at again, not lost."""
    try:
        job(row)
    except Exception:
        logger.exception("generation %s: %s failed", row.pk, job.__name__)
        database.close_if_unusable_or_obsolete()
        later = timezone.now() + timedelta(seconds=20)
        rows = Generation.objects.filter(pk=row.pk, status__in=[State.RUNNING, State.GATHERING])
        rows.update(lease_until=None, next_check_at=later)


def _refresh(connection: Connection) -> None:
    try:
        refresh_connection(connection)
    except Exception:
        logger.exception("the account of %s could not be looked at", connection)
        database.close_if_unusable_or_obsolete()


def next_due() -> float | None:
    """Seconds until the next row wants something (0 when one already does), None when nothing is in flight."""
    now = timezone.now()
    rows = Generation.objects.filter(parked_at=None)
    flying = rows.filter(status__in=[State.RUNNING, State.GATHERING, State.DISPATCHING])
    free = flying.filter(Q(lease_until=None) | Q(lease_until__lt=now)).exclude(status=State.DISPATCHING)
    soonest: Any = free.aggregate(soonest=Min("next_check_at"))["soonest"]
    waiting = rows.filter(status=State.QUEUED, connection__paused_at=None, connection=Connection.current())
    if soonest is None and not flying.exists() and not waiting.exists():
        return None
    if soonest is None or waiting.exists():
        return GLANCE
    return max(0.0, float((soonest - now).total_seconds()))


def refresh_connection(connection: Connection) -> None:
    """Asks upstream now and then for its slots, what others use of them, and the balance.

    None of it is needed to work: slots and balance that cannot be read stay as they were, others are then taken to
    use none, because a submit that finds no room is only told so. Only a submit may pause a connection.
    """
    now = timezone.now()
    if connection.next_check_at > now:
        return
    mine = Connection.objects.filter(pk=connection.pk, next_check_at__lte=now)
    if not mine.update(next_check_at=now + CHECK_CONNECTION):
        return
    changes: dict[str, Any] = {
        "checked_at": now,
        "slots": settings.RUNNINGHUB_SLOTS or connection.slots,
        "used_outside": 0,
    }
    ours = progress.holding(connection, now).values_list("pk", flat=True)
    try:
        before = set(ours.all())
        told = upstream.get_client(connection).queue_status()
        if not settings.RUNNINGHUB_SLOTS and told.limit:
            changes["slots"] = told.limit
            # Ours, whether they began or ended while upstream was counting.
            changes["used_outside"] = max(0, (told.running or 0) - len(before.union(ours.all())))
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("slots of %s are not known: %s", connection, error)
    try:
        account = upstream.get_client(connection).account_status()
        changes |= {"currency": CURRENCIES.get(account.currency.upper(), connection.currency)}
        changes |= {"balance": str(account.balance)} if account.balance is not None else {}
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("account of %s is not known: %s", connection, error)
    Connection.objects.filter(pk=connection.pk).update(**changes)
