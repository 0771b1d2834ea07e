"""When to look again and when to worry: pure arithmetic, no clock, no database. All times in seconds."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

KNOWN_FROM = 5
"""From so many finished generations on, their durations are trusted more than the catalogue's guess."""
A_LITTLE = 0.01
"""The share of a duration by which a sibling is looked at later than the first one was found done."""
MANY = 100
"""So many tasks alike at once, of which nothing is known yet, are left alone for longer: few looks tell about all."""
LIKE = 2.0
"""Sizes that differ by less than this factor are about as much to do."""
LEAST = 50
"""Sizes below it do not matter."""
CALLS_AT_LEAST = 20.0
SCOUTS = 0.1
"""The share of tasks alike that is looked at early although their bells will ring."""
SCOUTS_OF_MANY = 0.2
"""The share of very many tasks alike that finds out how long it takes; the first of it that is done tells the others,
who are hardly asked about in vain then.
"""
BELL_RINGS_WITHIN = 3.0
"""Seconds that a bell may take. Looked at before, a task would be asked about twice."""


@dataclass(frozen=True)
class Pace:
    """How long a model takes: nearly never less than `fast`, half of the time `usual`, seldom more than `slow`."""

    fast: float
    usual: float
    slow: float
    known: bool


def pace(durations: Sequence[float], guess: float) -> Pace:
    """Learned from past durations, else from the guess of the catalogue."""
    if len(durations) < KNOWN_FROM:
        return Pace(guess * 0.5, guess, guess * 2, known=False)
    ordered = sorted(durations)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    usual = max(0.1, at(0.5))
    return Pace(max(0.1, at(0.1)), usual, max(at(0.9), usual * 1.25), known=True)


def alike(known: Sequence[tuple[int, float]], size: int | None) -> list[float]:
    """The seconds of those (size, seconds) whose size is about `size`; all of them when too few are."""
    if size is not None:
        mine = max(size, LEAST)
        near = [seconds for other, seconds in known if 1 / LIKE < max(other, LEAST) / mine < LIKE]
        if len(near) >= KNOWN_FROM:
            return near
    return [seconds for _, seconds in known]


@dataclass
class Politeness:
    """How many calls may be made: so many a second, and after a pause as many as a second gives at once.

    `now` is any clock that only goes forward, in seconds. Each process counts its own calls: of several watchers on
    several hosts each may make as many, which does not happen for long, since one watches at a time. Several threads
    may ask and spend.
    """

    per_second: float
    left: float = 0.0
    seen: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def room(self, now: float) -> int:
        """How many calls may begin now."""
        with self.lock:
            passed = 1.0 if self.seen is None else max(0.0, now - self.seen)
            self.left = min(self.per_second, self.left + passed * self.per_second)
            self.seen = max(now, self.seen or now)
            return int(self.left)

    def spend(self, calls: int) -> None:
        """So many were begun."""
        with self.lock:
            self.left -= calls


def calls_a_second(slots: int, wished: float) -> float:
    """The politeness cap of a connection: the one that is set, else as many calls as it has slots, at least 20."""
    return wished if wished > 0 else max(CALLS_AT_LEAST, float(slots))


def next_look(elapsed: float, pace: Pace, crowd: int, bell: bool = False) -> float:
    """Seconds until the next query of a task that runs since `elapsed`.

    Learned: the first look a little before the fast end (so that a model that became faster is noticed), the next at
    the usual time, then gaps that grow with the age. Not learned: gaps in proportion to the age, wide in a crowd of
    tasks alike, because their looks are spread by chance and the first one found finished tells about the others.

    Where a `bell` is to ring at the end, the look is there for the bell that is lost: after the time that most need,
    except for a few in a crowd that find out how long it takes.
    """
    if bell and elapsed < pace.slow and (pace.known or (crowd > 4 and random.random() > SCOUTS)):
        gap = pace.slow * 1.1 + BELL_RINGS_WITHIN - elapsed
    elif pace.known:
        early = pace.fast * 0.85
        if elapsed < early:
            gap = early - elapsed
        elif elapsed < pace.usual * 0.97:
            gap = pace.usual * 1.01 - elapsed
        else:
            gap = max(1.0, elapsed * 0.15)
    elif elapsed < 0.5:
        gap = min(6.0, max(2.0, pace.fast * 0.5))
        gap = gap if crowd <= 4 else 6.0 if crowd <= MANY else 10.0
        if crowd > MANY and random.random() > SCOUTS_OF_MANY:
            gap = max(gap, pace.usual)
    else:
        gap = max(1.5, elapsed * (0.25 if crowd <= 4 else 0.5 if crowd <= 20 else 1.0))
    if elapsed > 20 * pace.slow:
        gap = max(gap, 300.0)
    spread = 0.03 if pace.known else 0.1 if crowd <= 20 else 0.2
    return min(gap, 600.0) * random.uniform(1 - spread, 1 + spread)


def expected_at(pace: Pace, bell: bool) -> float:
    """The age at which a task is worth a look once others like it have ended."""
    return pace.usual * (1 + A_LITTLE) + (BELL_RINGS_WITHIN if bell else 0.0)


def after_first_finished(elapsed: float) -> float:
    """The gap when tasks alike already finish, while this one still runs."""
    return max(1.0, elapsed * 0.15)


def after_fault(faults: int) -> float:
    """Backoff of repeatable calls that went wrong `faults` times in a row: 1 s doubling to 5 minutes, with jitter."""
    return min(300.0, math.ldexp(0.5, min(faults, 10))) * random.uniform(0.8, 1.2)


def after_full(streak: int) -> float:
    """How long to wait after upstream had no room `streak` times in a row: 30, 60, 120 s (API.md 12)."""
    return (30.0, 60.0, 120.0)[min(max(streak, 1), 3) - 1]


def after_unreachable(streak: int) -> float:
    """How long to wait when upstream could not be reached at all: 5 s doubling to 2 minutes."""
    return min(120.0, math.ldexp(5.0, min(max(streak, 1) - 1, 6))) * random.uniform(0.9, 1.1)


def overdue_after(pace: Pace) -> float:
    """From which age a running task is shown as overdue. It is followed all the same."""
    return max(1800.0, 5 * pace.slow)
