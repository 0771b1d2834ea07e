"""One writer at a time, where the database takes only one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_turn = threading.RLock()


@contextmanager
def in_turn() -> Iterator[None]:
    """Lets the threads of this process write one after the other on SQLite.

    SQLite has one writer and no line: whoever finds it busy sleeps and tries again, up to a tenth of a second later,
    and among twenty threads most of the time is slept away. Inside a transaction the right to write is held already,
    and waiting here for somebody who waits for it would never end. For the same reason who has the turn may take it
    again.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with _turn:
        yield
