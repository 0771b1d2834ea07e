"""A clock that can be set: what Django takes for the time, in this process and in those forked from it.

Only the process's idea of time moves. The database keeps its own, and so do `time.monotonic`, which measures how long
something takes, and the file system.
"""

from __future__ import annotations

import datetime as real
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, real.datetime)


class Clock(metaclass=_AnyDatetime):
    """Stands where `django.utils.timezone` looks for `datetime`. `ahead` is in seconds and shared over a fork."""

    shared = mmap.mmap(-1, 16)

    def __init__(self, *args: Any) -> None:
        raise TypeError("this is no datetime but a clock")

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> real.datetime:
        return real.datetime.now(tz) + real.timedelta(seconds=cls.ahead() + cls.own)

    own = 0.0
    """What this process alone is ahead."""

    @classmethod
    def ahead(cls) -> float:
        return float(struct.unpack("d", cls.shared[:8])[0])

    @classmethod
    def set_ahead(cls, seconds: float) -> None:
        cls.shared[:8] = struct.pack("d", seconds)


@contextmanager
def moved(seconds: float = 0.0) -> Iterator[type[Clock]]:
    """Inside, the clock of Django is so many seconds ahead, or behind."""
    kept = timezone.datetime
    Clock.set_ahead(seconds)
    timezone.datetime = Clock  # type: ignore[misc, assignment]
    try:
        yield Clock
    finally:
        timezone.datetime = kept  # type: ignore[misc]
        Clock.set_ahead(0.0)
