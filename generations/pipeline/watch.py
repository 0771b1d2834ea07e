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
from collections import Counter
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
REFRESHES = 2
"""So many accounts are asked for their slots at once, so that unreachable ones never keep looks from others."""
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

    def start(self, job: Callable[..., None], *args: Any) -> Future[None]:
        started = self.pool.submit(job, *args)
        self.futures[started] = args[-1]
        return started

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


class _Fair:
    """What each of several connections has under way, so that one whose upstream is slow never takes all threads.

    Alone, a connection may have everything; beside others its share, rounded up, so that nothing is left unused.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.jobs: dict[Future[None], int] = {}

    def note(self, job: Future[None], connection_id: int) -> None:
        self.jobs[job] = connection_id

    def left(self, connection_id: int, among: int) -> int:
        """How many more this connection may have while `among` connections are at work."""
        share = self.most if among < 2 else -(-self.most // among)
        return share - self._busy()[connection_id]

    def full(self, among: int) -> list[int]:
        """The connections that have their share."""
        return [] if among < 2 else [one for one in self._busy() if self.left(one, among) <= 0]

    def _busy(self) -> Counter[int]:
        self.jobs = {job: connection for job, connection in self.jobs.items() if not job.done()}
        return Counter(self.jobs.values())


class _Copies:
    """Copies that go on from slice to slice: a large file takes longer than any slice may. One pool per process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.pool: ThreadPoolExecutor | None = None
        self.running: set[Future[None]] = set()
        self.fair = _Fair(most)

    def room(self) -> int:
        self.running = {future for future in self.running if not future.done()}
        return self.most - len(self.running)

    def start(self, job: Job, row: Generation) -> None:
        self.pool = self.pool or ThreadPoolExecutor(self.most, thread_name_prefix="copy")
        started = self.pool.submit(_alone, job, row)
        self.running.add(started)
        self.fair.note(started, row.connection_id)


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
    beaten, helped, turn = time.monotonic(), 0.0, 0
    refreshing: set[Future[None]] = set()
    looking, sending = _Fair(OF_ONE_KIND), _Fair(OF_ONE_KIND)
    while time.monotonic() < until:
        if time.monotonic() - beaten > BEAT_EVERY:
            if not Heartbeat.take("watcher", holder, stale_after=STALE):
                break
            beaten = time.monotonic()
        connections = Connection.working()
        many, turn = len(connections), turn + 1
        # Each is first in its turn.
        connections = [connections[(turn + place) % many] for place in range(many)]
        refreshing = {check for check in refreshing if not check.done()}
        for connection in connections:
            if connection.checked_at is None and connection.is_shared:
                refresh_connection(connection)
            elif connection.next_check_at <= timezone.now() and len(refreshing) < REFRESHES:
                refreshing.add(looks.start(_refresh, connection))
        _copy_what_waits(many)
        if not _downloads.room() and time.monotonic() - helped > HELP_EVERY:
            helped = time.monotonic()
            if Generation.objects.due(timezone.now(), State.GATHERING).exists():
                queue.ring_copier()
        calls = {connection.pk: polite(connection) for connection in connections}
        rooms = {pk: one.room(time.monotonic()) for pk, one in calls.items()}
        silent = [pk for pk, room in rooms.items() if room <= 0]
        # Of several connections one may ask a few times too often in a turn; it owes that to the next ones.
        most = min(looks.room(), max(rooms.values(), default=0))
        for row in follow.claim(most, without=[*silent, *looking.full(many)]):
            looking.note(looks.start(guarded, follow.look, row), row.connection_id)
            if row.connection_id in calls:
                calls[row.connection_id].spend(1)
        for connection in connections:
            room = sends.room() if _uploads.room() == OF_ONE_KIND else min(sends.room(), _uploads.room())
            if many > 1:
                mine = min(sending.left(connection.pk, many), _uploads.fair.left(connection.pk, many))
                room = min(room, mine)
            waiting = dispatch.claim(connection, min(calls[connection.pk].room(time.monotonic()), room))
            calls[connection.pk].spend(len(waiting))
            for row in waiting:
                if dispatch.copies_first(row):
                    _uploads.start(dispatch.send, row)
                else:
                    sending.note(sends.start(guarded, dispatch.send, row), row.connection_id)
        active = looks.busy() | sends.busy() | _downloads.running | _uploads.running
        if active:
            began = time.monotonic()
            wait(active, timeout=GLANCE, return_when=FIRST_COMPLETED)
            time.sleep(max(0.0, BREATH - (time.monotonic() - began)))
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


def _copy_what_waits(connections: int = 1) -> None:
    for row in gather.claim(_downloads.room(), without=_downloads.fair.full(connections)):
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
    waiting = rows.filter(
        status=State.QUEUED, connection__paused_at=None, connection__in=Connection.working()
    )
    if soonest is None and not flying.exists() and not waiting.exists():
        return None
    if soonest is None or waiting.exists():
        return GLANCE
    return max(0.0, float((soonest - now).total_seconds()))


def _fixed_slots(connection: Connection) -> int:
    """RUNNINGHUB_SLOTS is about the key of the environment; those of teams are asked."""
    return int(settings.RUNNINGHUB_SLOTS) if connection.is_shared else 0


def _counts_otherwise(connection: Connection, currency: str) -> bool:
    """Whether a team already counts in another currency than its account turns out to pay in; then nothing more is
    sent, because its limits would silently mean something else. The shared one was always corrected at its first look.
    """
    if connection.is_shared or not connection.is_used:
        return False
    words = (
        f"This account pays in {currency}, but the team’s sums and limits on it are in {connection.currency}. Choose "
        "another connection, and enter this key again as a new one."
    )
    if connection.pause("currency", words):
        queue.ring_alert(connection.pk)
    return True


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
        "slots": _fixed_slots(connection) or connection.slots,
        "used_outside": 0,
    }
    ours = progress.holding(connection, now).values_list("pk", flat=True)
    try:
        before = set(ours.all())
        told = upstream.get_client(connection).queue_status()
        changes["running"] = told.total
        if not _fixed_slots(connection) and told.limit:
            changes["slots"] = told.limit
            # Ours, whether they began or ended while upstream was counting.
            changes["used_outside"] = max(0, (told.running or 0) - len(before.union(ours.all())))
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("slots of %s are not known: %s", connection, error)
    try:
        account = upstream.get_client(connection).account_status()
        currency = CURRENCIES.get(account.currency.upper(), connection.currency)
        if currency == connection.currency or not _counts_otherwise(connection, currency):
            changes |= {"currency": currency}
        changes |= {"balance": str(account.balance)} if account.balance is not None else {}
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("account of %s is not known: %s", connection, error)
    Connection.objects.filter(pk=connection.pk).update(**changes)
