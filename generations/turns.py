"""Whose turn it is, and when it comes: pure arithmetic, no clock, no database. All times in seconds from now.

Dispatch and forecast ask the same `Turns`, so what a page says about the line is what happens to it. Teams take turns
by what they hold for their weight, members of a team by what they hold, and what a member asked for first goes first.
So the two generations of a newcomer come before the eleventh of somebody who holds ten slots, whoever asked earlier.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from generations.pipeline.pacing import Pace

Z = 1.2816
"""Nine of ten values lie above the mean less so many deviations, and nine of ten below it and so many more."""
HANDOVER = 1.0
"""From the end of one task to the start of the next: it has to be found, and the next one sent."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that waits. `ready`: it is not sent before; `pace`: how long it will hold its slot."""

    id: Any
    team: int
    author: int
    ready: float = 0.0
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """One that holds a slot, for about `left` more, `deviation` give or take; `doubt` is nobody's chance."""

    team: int
    author: int
    left: float
    deviation: float = 0.0
    doubt: float = 0.0


class Turns:
    """A line from which `take` takes one after another. What is taken holds a slot until `end`.

    `held` is how many slots each (team, author) holds, `weights` and `most` are by team: how many slots it gets for
    each one of a team of weight 1, and how many one of its members may hold (None: as many as there are).
    """

    def __init__(
        self,
        waiting: Iterable[Waiting],
        held: Mapping[tuple[int, int], int],
        weights: Mapping[int, int],
        most: Mapping[int, int | None],
    ) -> None:
        self._held = Counter(held)
        self._of_team: Counter[int] = Counter()
        for (team, _), count in held.items():
            self._of_team[team] += count
        self._weights, self.most = weights, most
        self._ready: dict[tuple[int, int], list[tuple[Any, int, Waiting]]] = {}
        self._members: dict[int, list[tuple[int, Any, int, int]]] = {}
        self._stamps: Counter[tuple[int, int]] = Counter()
        self._later: list[tuple[float, int, Waiting]] = []
        self._numbers = itertools.count()
        self.now = 0.0
        self.ids: set[Any] = set()
        for one in waiting:
            self.ids.add(one.id)
            if one.ready > 0:
                heapq.heappush(self._later, (one.ready, next(self._numbers), one))
            else:
                self._queue(one)
        for key in list(self._ready):
            self._offer(key)

    @property
    def length(self) -> int:
        """How many stood in it at first."""
        return len(self.ids)

    @property
    def next_ready(self) -> float | None:
        """When the next of those that may not be sent yet may be."""
        return self._later[0][0] if self._later else None

    def advance(self, now: float) -> None:
        """Time goes by: whoever may be sent by now stands in the line."""
        self.now = max(self.now, now)
        while self._later and self._later[0][0] <= self.now:
            one = heapq.heappop(self._later)[2]
            self._queue(one)
            self._offer((one.team, one.author))

    def take(self) -> Waiting | None:
        """The one whose turn it is, which now holds a slot. None when nobody may be sent."""
        found: tuple[tuple[float, Any], tuple[int, int]] | None = None
        for team in list(self._members):
            head = self._head(team)
            if head is None:
                continue
            _, oldest, _, author = head
            rank = ((self._of_team[team] + 1) / max(1, self._weights.get(team, 1)), oldest)
            if found is None or rank < found[0]:
                found = (rank, (team, author))
        if found is None:
            return None
        key = found[1]
        one = heapq.heappop(self._ready[key])[2]
        self._held[key] += 1
        self._of_team[key[0]] += 1
        self._offer(key)
        return one

    def end(self, team: int, author: int) -> None:
        """One of this member's ended, and its slot is free."""
        self._held[team, author] -= 1
        self._of_team[team] -= 1
        self._offer((team, author))

    def __iter__(self) -> Iterator[Waiting]:
        """The order in which they go while nothing ends."""
        return iter(self.take, None)

    def _queue(self, one: Waiting) -> None:
        line = self._ready.setdefault((one.team, one.author), [])
        heapq.heappush(line, (one.id, next(self._numbers), one))

    def _offer(self, key: tuple[int, int]) -> None:
        """Puts the member's first one up anew; what was put up before is stale."""
        team, author = key
        self._stamps[key] += 1
        line, most = self._ready.get(key), self.most.get(team)
        if line and (most is None or self._held[key] < most):
            entry = (self._held[key] + 1, line[0][0], self._stamps[key], author)
            heapq.heappush(self._members.setdefault(team, []), entry)

    def _head(self, team: int) -> tuple[int, Any, int, int] | None:
        """The member of the team whose turn it is; a team without one is forgotten until it has one again."""
        members = self._members[team]
        while members and members[0][2] != self._stamps[team, members[0][3]]:
            heapq.heappop(members)
        if not members:
            del self._members[team]
            return None
        return members[0]


class Start(NamedTuple):
    """`position` 1 is next. It starts in `low` to `high` seconds, nine times in ten not before and not after."""

    position: int
    low: float
    high: float


class _Moment(NamedTuple):
    """A time that is only known about: chance averages out over a chain of tasks, doubt adds up."""

    mean: float = 0.0
    variance: float = 0.0
    early: float = 0.0
    late: float = 0.0

    def after(self, pace: Pace) -> _Moment:
        """When a task of this pace ends that starts then."""
        mean = self.mean + pace.usual + HANDOVER
        if pace.known:
            deviation = max(0.0, pace.slow - pace.fast) / (2 * Z)
            return _Moment(mean, self.variance + deviation**2, self.early, self.late)
        # A guess of the catalogue is wrong in the same direction for all that follow it.
        return _Moment(
            mean,
            self.variance,
            self.early + max(0.0, pace.usual - pace.fast),
            self.late + max(0.0, pace.slow - pace.usual),
        )

    def not_before(self, mean: float) -> _Moment:
        return self if self.mean >= mean else _Moment(mean)

    def start(self, position: int) -> Start:
        spread = Z * self.variance**0.5
        return Start(position, max(0.0, self.mean - spread - self.early), self.mean + spread + self.late)


def left(pace: Pace, elapsed: float) -> tuple[float, float, float]:
    """What is left of a task that runs since `elapsed`: about, its deviation, its doubt (see `Holding`)."""
    if elapsed < pace.usual:
        rest = pace.usual - elapsed
        if not pace.known:
            return rest, 0.0, rest / 2
        return rest, min(rest, max(0.0, pace.slow - pace.fast) / (2 * Z)), 0.0
    rest = max(1.0, (pace.slow - elapsed) / 2, elapsed * 0.15)
    return rest, rest / 2, 0.0


def forecast(
    turns: Turns,
    holding: Sequence[Holding],
    room: int,
    *,
    wanted: set[Any],
    gate: float = 0.0,
    most: int = 1000,
) -> dict[Any, Start]:
    """When each of `wanted` starts, by id: the line played through, task by task, on `room` slots.

    Nothing is sent before `gate`. Those that stand behind the first `most` are left out, and all when there is no
    room at all: nobody knows when others leave theirs. `turns` is used up.
    """
    found: dict[Any, Start] = {}
    if room <= 0 or not wanted:
        return found
    numbers = itertools.count()
    ends: list[tuple[float, int, _Moment, int, int]] = []
    for held in holding:
        moment = _Moment(held.left, held.deviation**2, min(held.doubt, held.left), held.doubt)
        ends.append((moment.mean, next(numbers), moment, held.team, held.author))
    heapq.heapify(ends)
    idle = [_Moment()] * max(0, room - len(ends))
    owed = max(0, len(ends) - room)
    """So many of those that end leave no slot, because fewer slots are there than are held."""
    position, now = 0, gate
    low = high = 0.0
    while position < most and len(found) < len(wanted):
        turns.advance(now)
        while ends and ends[0][0] <= now:
            _, _, moment, team, author = heapq.heappop(ends)
            turns.end(team, author)
            if owed:
                owed -= 1
            else:
                idle.append(moment)
        while idle and position < most and (one := turns.take()) is not None:
            position += 1
            moment = idle.pop().not_before(now)
            start = moment.start(position)
            low, high = (
                max(low, start.low),
                max(high, start.high),
            )  # nobody starts before who stands before them
            if one.id in wanted:
                found[one.id] = Start(position, low, high)
            end = moment.after(one.pace) if one.pace else moment
            heapq.heappush(ends, (end.mean, next(numbers), end, one.team, one.author))
        coming = [time for time in (ends[0][0] if ends else None, turns.next_ready) if time is not None]
        if not coming:
            break
        now = max(now, min(coming))
    return found
