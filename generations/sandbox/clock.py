"""Things to be done later, each at its time, by one thread."""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable


class Clock:
    """``at(when, action)`` runs the action at or soon after ``when`` (seconds since the epoch).

    Actions run one after another and must be short; what blocks belongs into a thread of its own.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._counter = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sandbox-clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def at(self, when: float, action: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._due, (when, next(self._counter), action))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and (not self._due or self._due[0][0] > time.time()):
                    self._changed.wait(self._due[0][0] - time.time() if self._due else None)
                if self._stopping:
                    return
                action = heapq.heappop(self._due)[2]
            try:
                action()
            except Exception:
                # One broken action must not stop the time of every other task.
                traceback.print_exc(file=sys.stderr)
