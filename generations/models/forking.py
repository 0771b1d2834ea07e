"""A process may not inherit an open SQLite database.

The locks of SQLite belong to the process that took them. A forked child that inherits an open database believes it
holds its parent's locks and holds none; so whoever closes the database last takes its log away beneath that child,
and what the child commits from then on nobody else sees (sqlite.org/howtocorrupt.html, section 2.6). The queue forks
its workers: a claim that was lost in this way would be sent a second time.

To close the connections before a fork is not enough. SQLite keeps a database open as long as one of its statements
is, and a statement that failed ("database is locked") lives on in the traceback of its error until the garbage is
collected.
"""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.db.utils import InterfaceError

from generations.models.writer import begin_anew

_FILES = Path("/dev/fd")
_inherited = False


def guard() -> None:
    """Registers what is done around every fork of this process and of its children."""
    os.register_at_fork(before=let_go, after_in_child=_look_around)
    connection_created.connect(_refuse, dispatch_uid="an inherited database")


def let_go() -> None:
    """Closes this thread's connections, on SQLite also what only garbage keeps open.

    Inside a transaction nothing is closed: it is the parent's, and a child could do nothing with it.
    """
    if connection.in_atomic_block:
        return
    connections.close_all()
    if _is_open():
        gc.collect()


def _is_open() -> bool:
    """Whether this process has the file of an SQLite database open. False where the system does not tell."""
    if connection.vendor != "sqlite":
        return False
    with suppress(OSError, TypeError):
        file = os.stat(connection.settings_dict["NAME"])
        for name in os.listdir(_FILES):
            with suppress(OSError, ValueError):
                found = os.fstat(int(name))
                if (found.st_dev, found.st_ino) == (file.st_dev, file.st_ino):
                    return True
    return False


def _look_around() -> None:
    global _inherited
    begin_anew()
    _inherited = _is_open()


def _refuse(connection: Any, **more: object) -> None:
    """What would be committed here could be lost without a word, so nothing is."""
    if _inherited:
        connection.close()
        raise InterfaceError(
            "This process was forked while its parent had the SQLite database open, so it must not use it. "
            "Close every connection before the fork, or use PostgreSQL."
        )
