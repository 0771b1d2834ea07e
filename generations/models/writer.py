"""One writer at a time, where the database takes only one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection, transaction

LONG_LOG = 8 * 1024 * 1024
"""Bytes of SQLite's log from which it is moved into the database; twice of what is kept of it (`rhweb.env.SQLITE`)."""

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


def checkpoint() -> bool:
    """Moves SQLite's log into the database when it has grown long. False when there was nothing to do.

    Who moves it holds the right to write, so nobody commits meanwhile: in SQLite before 3.51.3 a commit that begins
    the log anew beside a second checkpoint may be lost (sqlite.org/wal.html#walresetbug). Readers wait for nothing,
    and what they still need of the log stays in it until the next time.
    """
    file = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return False
    try:
        if Path(f"{file}-wal").stat().st_size < LONG_LOG:
            return False
    except OSError:  # there is none, or the database is in memory
        return False
    with closing(sqlite3.connect(file, isolation_level=None)) as mover, in_turn(), transaction.atomic():
        mover.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return True
