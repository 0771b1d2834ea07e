"""When to look: learned from what was about as much to do, with gaps that grow, and never too often."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.catalogue.size import size
from generations.pipeline import pacing

LONG = [(9000, 100.0 + n) for n in range(10)]
SHORT = [(300, 10.0 + n / 10) for n in range(10)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 0),
        ({"prompt": "x" * 120}, 120),
        ({"lyrics": "la " * 100, "style": "slow"}, 303),
        ({"duration": "30", "prompt": ""}, 450),
        ({"durationSeconds": 10}, 150),
        ({"loop": True, "speed": 1.5}, 0),
        ({"audio": "upload:0193", "seconds": float("inf")}, 0),
    ],
)
def test_how_much_is_asked_for(params: dict[str, Any], expected: int) -> None:
    assert size(params) == expected


def test_a_long_text_is_first_looked_at_when_long_texts_are_done() -> None:
    long = pacing.pace(pacing.alike([*SHORT, *LONG], 8000), 60)
    short = pacing.pace(pacing.alike([*SHORT, *LONG], 250), 60)
    assert 0.8 * 100 < pacing.next_look(0, long, 1) < 100
    assert 0.8 * 10 < pacing.next_look(0, short, 1) < 10


def test_without_enough_of_its_size_all_count() -> None:
    assert len(pacing.alike([*SHORT, *LONG[:4]], 8000)) == 14
    assert len(pacing.alike([*SHORT, *LONG], None)) == 20


def test_gaps_grow_after_the_usual_time_and_are_spread() -> None:
    pace = pacing.pace([20.0] * 10, 60)
    gaps = [pacing.next_look(age, pace, 1) for age in (21, 40, 80, 160, 320)]
    assert all(later > 1.5 * gap for gap, later in itertools.pairwise(gaps))
    assert len({pacing.next_look(0, pace, 1) for _ in range(20)}) > 10, "no crowd looks at the same moment"


@given(st.floats(0, 1e6), st.lists(st.floats(0, 1e5), max_size=50), st.integers(0, 2000))
def test_a_gap_is_never_nothing_and_never_for_ever(
    elapsed: float, durations: list[float], crowd: int
) -> None:
    gap = pacing.next_look(elapsed, pacing.pace(durations, 30), crowd)
    assert 0 <= gap <= 720


def test_no_more_calls_than_are_polite() -> None:
    calls, made = pacing.Politeness(per_second=50), 0
    for hundredth in range(1000):
        room = calls.room(hundredth / 100)
        calls.spend(room)
        made += room
    assert 50 + 490 <= made <= 50 + 500, "a second's worth at once, then fifty a second for ten seconds"
    calls.room(1000)
    assert calls.room(1000) == 50, "a long pause saves nothing up"


def test_the_cap_follows_the_slots_unless_it_is_set() -> None:
    assert [pacing.calls_a_second(slots, 0) for slots in (3, 50, 1000)] == [20, 50, 1000]
    assert pacing.calls_a_second(1000, 7.5) == 7.5


def test_a_clock_that_stands_still_gives_no_more() -> None:
    calls = pacing.Politeness(per_second=5)
    calls.spend(calls.room(10))
    assert [calls.room(10), calls.room(9), calls.room(10.5)] == [0, 0, 2]


def test_where_a_bell_will_ring_the_look_is_there_for_the_bell_that_is_lost() -> None:
    known = pacing.pace([20.0] * 10, 60)
    assert pacing.next_look(0, known, 1, bell=True) > known.slow > pacing.next_look(0, known, 1)
    unknown = pacing.pace([], 60)
    looks = [pacing.next_look(0, unknown, 1000, bell=True) for _ in range(400)]
    scouts = sum(look < unknown.usual for look in looks)
    assert 0 < scouts < 120
    assert max(looks) > unknown.slow
    assert pacing.next_look(2 * known.slow, known, 1, bell=True) < known.slow, "a lost bell is missed soon"
