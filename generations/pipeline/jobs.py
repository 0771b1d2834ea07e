"""Jobs: the threads in which a watcher lets the stages work, and how they are shared out among connections."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from django.db import connection as database
from django.utils import timezone

from generations.models import Generation, State

logger = logging.getLogger("rhweb.watch")

OF_ONE_KIND = 12
"""So many threads send, so many bring files upstream: slow answers of one kind keep no other out."""
LOOKS = 20
"""So many look: when a thousand end together each waits for its answer, and then for its turn to write."""
AHEAD = 24
"""So many rows more are claimed while threads are busy: a claim costs as much for one row as for many."""

Job = Callable[[Generation], None]


class Jobs:
    """The jobs of one kind in a slice: some at work, some waiting for their thread."""

    def __init__(self, name: str, most: int) -> None:
        self.most = most
        self.pool = ThreadPoolExecutor(most, thread_name_prefix=name)
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
        """How many more to claim; none before half of those ahead are taken up. The claim may have to wait for its
        turn to write, and the threads shall have something to do meanwhile.
        """
        room = self.most + AHEAD - len(self.busy())
        return room if 2 * room >= AHEAD else 0

    def give_back(self, back: Job) -> None:
        """Those that no thread has begun with are left to the next watcher."""
        for future, row in list(self.futures.items()):
            if future.cancel() and isinstance(row, Generation):
                back(row)

    def close(self) -> None:
        """Waits for the last, and closes the database connection of each thread."""
        wait(self.futures)
        everyone = threading.Barrier(self.most)
        for _ in range(self.most):
            self.pool.submit(self._close, everyone)
        self.pool.shutdown()

    @staticmethod
    def _close(everyone: threading.Barrier) -> None:
        """Once in each thread: the barrier keeps a fast one from taking two turns."""
        database.close()
        everyone.wait(timeout=30)


class Fair:
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


class Copies:
    """Copies that go on from slice to slice: a large file takes longer than any slice may. One pool per process.

    `most` are made at once; `ahead` more may be claimed, so that a thread that is done has the next one at hand.
    """

    def __init__(self, most: int, ahead: int = 0) -> None:
        self.most, self.ahead = most, ahead
        self.pool: ThreadPoolExecutor | None = None
        self.running: set[Future[None]] = set()
        self.fair = Fair(most + ahead)

    def room(self) -> int:
        """How many more to claim: none before half of those ahead are taken up, since a claim of many costs as one."""
        self.running = {future for future in self.running if not future.done()}
        room = self.most + self.ahead - len(self.running)
        return room if 2 * room > self.ahead else 0

    def start(self, job: Job, row: Generation) -> None:
        self.pool = self.pool or ThreadPoolExecutor(self.most, thread_name_prefix="copy")
        started = self.pool.submit(self._alone, job, row)
        self.running.add(started)
        self.fair.note(started, row.connection_id)

    def _alone(self, job: Job, row: Generation) -> None:
        """Keeps its database connection while more is waiting, and leaves none open when nothing is."""
        try:
            guarded(job, row)
        finally:
            if sum(not one.done() for one in list(self.running)) <= self.most:
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
