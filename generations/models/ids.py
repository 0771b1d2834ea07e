"""Row ids that sort by time and cannot be guessed."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import datetime

_lock = threading.Lock()
_last_moment = 0


def read_id(text: str) -> uuid.UUID | None:
    """The row id that a text from outside gives, in any form that Python takes; None when it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def uuid7() -> uuid.UUID:
    """A version 7 UUID (RFC 9562): 48 bits of milliseconds, 12 bits of their fraction, then 62 random bits.

    Ordering by id is ordering by creation, so a library page needs one index column and no tie-breaker. Within one
    process the order is strict, also between two rows of the same millisecond (RFC 9562, section 6.2, method 3).
    """
    global _last_moment
    with _lock:
        # A clock that stands still or steps back must not put a new row before an old one.
        _last_moment = max((time.time_ns() << 12) // 1_000_000, _last_moment + 1)
        moment = _last_moment
    milliseconds, fraction = moment >> 12 & (1 << 48) - 1, moment & 0xFFF
    chance = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | chance)


def uuid7_at(moment: datetime) -> uuid.UUID:
    """An id as one made at that moment has it; between two of one microsecond, chance decides."""
    micros = int(moment.timestamp() * 1_000_000)
    milliseconds, fraction = divmod(micros, 1000)
    chance = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | (fraction << 2) << 64 | 0x2 << 62 | chance)


def since(moment: datetime) -> uuid.UUID:
    """Not greater than any id made at `moment` or later."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)
