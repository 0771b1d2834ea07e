"""One writer at a time, where the database takes only one."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

from django.db import DatabaseError, connection, transaction

logger = logging.getLogger("rhweb.writer")

T = TypeVar("T")

LONG_LOG = 8 * 1024 * 1024
"""Bytes of SQLite's log from which it is moved into the database; twice of what is kept of it (`rhweb.env.SQLITE`)."""

PATIENCE = 1.0
"""After so many seconds one goes on without the turn of the host: who holds it may be frozen. SQLite decides then."""
IMPATIENT = 10.0
"""So many seconds after that nobody of this process waits for it again."""
ASK_EVERY = 0.002
LOOK_EVERY = 0.05
"""So often, in seconds, who waits for the turn looks for itself, though nobody told it to."""

_turn = threading.RLock()
_waiting: dict[bool, deque[_Save]] = {True: deque(), False: deque()}
"""What nobody has tried to write yet, by whether it waits for the disk."""
_alone: deque[_Save] = deque()
"""What could not be written together with others."""


class _Save:
    """What one thread wants written. `taken`: another thread tried; `done`: it is committed, with this `result`.
    `told` wakes the thread, because it is done or because the turn is free.
    """

    def __init__(self, write: Callable[[], Any], synced: bool) -> None:
        self.write, self.synced = write, synced
        self.taken = self.done = False
        self.result: Any = None
        self.told = threading.Event()


class _OfHost:
    """The turn among the processes that write this database: a lock on a file beside it, which ends with its holder.

    Entered under the turn of the process, so one thread at a time has to do with it.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.held = False
        self.file: tuple[str, int] | None = None
        self.impatient_until = 0.0
        self.complained = False

    def __enter__(self) -> None:
        self.depth += 1
        if self.depth > 1:
            return
        try:
            self.held = self._take()
        except BaseException:
            self._leave()
            raise

    def __exit__(self, *exc: object) -> None:
        if self.depth > 1:
            self.depth -= 1
        else:
            self._leave()

    def forget(self) -> None:
        """What a forked child does with what its parent had: a descriptor that stays open keeps the lock."""
        if self.file:
            with suppress(OSError):
                os.close(self.file[1])

    def _leave(self) -> None:
        self.depth, self.held = 0, False
        if self.file:
            fcntl.flock(self.file[1], fcntl.LOCK_UN)

    def _take(self) -> bool:
        began = time.monotonic()
        until = began if began < self.impatient_until else began + PATIENCE
        try:
            file = self._opened()
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() >= until:
                        if until > began:
                            self.impatient_until = time.monotonic() + IMPATIENT
                        return False
                    time.sleep(ASK_EVERY)
                else:
                    return True
        except OSError as error:
            if not self.complained:
                logger.warning("Writers of this host cannot take turns, so each may wait longer: %s", error)
            self.complained = True
            return False

    def _opened(self) -> int:
        database = str(connection.settings_dict["NAME"])
        name = f"{database}-turn"
        if self.file is None or self.file[0] != name:
            if self.file is not None:
                os.close(self.file[1])
            self.file = None
            self.file = name, os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._share(self.file[1], database)
        return self.file[1]

    @staticmethod
    def _share(file: int, database: str) -> None:
        """Whoever may write the database may take the turn, also where somebody else, as root, was the first."""
        with suppress(OSError):
            like, mine = os.stat(database), os.fstat(file)
            if mine.st_mode & 0o666 != like.st_mode & 0o666:
                os.fchmod(file, like.st_mode & 0o666)
            if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
                os.fchown(file, like.st_uid, like.st_gid)


_of_host = _OfHost()


def begin_anew() -> None:
    """In a forked child: whoever had the turn in its parent does not live here."""
    global _turn, _of_host
    _of_host.forget()
    _turn, _of_host = threading.RLock(), _OfHost()
    for line in (_alone, *_waiting.values()):
        line.clear()


@contextmanager
def in_turn() -> Iterator[None]:
    """Lets the threads and processes of this host that ask for it write one after the other on SQLite.

    SQLite has one writer and no line: whoever finds it busy sleeps and tries again, up to a tenth of a second later,
    and among twenty threads most of the time is slept away. Inside a transaction the right to write is held already,
    and waiting here for somebody who waits for it would never end. For the same reason who has the turn may take it
    again.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    try:
        with _turn, _of_host:
            yield
    finally:
        _tell_next()


@contextmanager
def unsynced() -> Iterator[None]:
    """What is committed in it outlives a kill of any process, but on SQLite maybe not a loss of power.

    For what would only be done again, as leases and looks: waiting for the disk takes ten times as long as writing, and
    nobody else writes meanwhile. The next commit that waits takes all before it to the disk too, so nothing that
    is on the disk rests on something that is not.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    _sync("NORMAL")
    try:
        yield
    finally:
        try:
            _sync("FULL")
        except BaseException:
            connection.close()  # the next one waits for the disk from its start (`rhweb.env.SQLITE`)
            raise


def _sync(how: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={how}")


def _tell_next() -> None:
    """Wakes the first of each line; said after the turn was given back."""
    for line in (_alone, *_waiting.values()):
        with suppress(IndexError):
            line[0].told.set()


def together(write: Callable[[], T], *, synced: bool = True) -> T:
    """Runs `write` and commits it, on SQLite in one transaction with what other threads of this process want written.

    SQLite waits for the disk at each commit, one after the other. So whoever gets the turn writes for all who wait for
    it, and nobody goes on before that is committed. Where anything goes wrong nothing of it is, and each writes alone:
    a fault is met by the thread whose fault it is. `write` is one statement or a transaction of its own, hides no error
    of the database, and may be run twice and in another thread. Without `synced` it is committed as in `unsynced`.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return write()
    mine = _Save(write, synced)
    _waiting[synced].append(mine)
    try:
        while not mine.done:
            mine.told.clear()
            if not mine.done and not _write(mine):
                mine.told.wait(LOOK_EVERY)
    finally:
        for line in (_waiting[synced], _alone):
            with suppress(ValueError):
                line.remove(mine)
        _tell_next()
    result: T = mine.result
    return result


def _write(mine: _Save) -> bool:
    """Writes it and what else waits, where the turn of the process is free. False where it is not."""
    if not _turn.acquire(blocking=False):
        return False
    try:
        if not mine.done:
            with _of_host, nullcontext() if mine.synced else unsynced():
                if not mine.taken:
                    _write_for_all(_waiting[mine.synced])
                if not mine.done:
                    mine.result = mine.write()
                    mine.done = True
    finally:
        _turn.release()
    return True


def _write_for_all(waiting: deque[_Save]) -> None:
    saves = []
    while waiting:
        saves.append(waiting.popleft())
        saves[-1].taken = True
    if len(saves) == 1:
        return
    try:
        with transaction.atomic():
            for save in saves:
                save.result = save.write()
            if transaction.get_rollback() or connection.closed_in_transaction:
                raise DatabaseError("one of them hid an error, and nothing would be committed")
    except BaseException as error:
        _alone.extend(saves)
        if not isinstance(error, Exception):
            raise
        logger.info("%s writes could not be made together: %s", len(saves), error)
    else:
        for save in saves:
            save.done = True
            save.told.set()


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
