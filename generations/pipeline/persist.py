"""Saving what must not be lost, also while the database is away for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from generations.models.writer import together

T = TypeVar("T")

PATIENCE = 60.0


def persist(save: Callable[[], T], *, synced: bool = True) -> T:
    """Runs `save` until the database takes it, for up to a minute; then raises its last error.

    An upstream id in memory is worth money; a restart of the database is no reason to forget it. `save` must be
    harmless to repeat, as conditional updates are, and may be run by another thread, in one transaction with what that
    one saves. Inside a transaction it runs once.
    """
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return together(save, synced=synced)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > give_up:
                raise
            connection.close()
            time.sleep(0.5)
