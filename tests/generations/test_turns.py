"""The line: who is next, and when, as arithmetic."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.pipeline.pacing import Pace
from generations.turns import HANDOVER, Holding, Turns, Waiting, forecast, left

STEADY = Pace(20, 20, 20, known=True)
TEAMS, PEOPLE = 3, 3
LINES = st.lists(st.tuples(st.integers(1, TEAMS), st.integers(1, PEOPLE)), max_size=40)
HELD = st.dictionaries(st.tuples(st.integers(1, TEAMS), st.integers(1, PEOPLE)), st.integers(0, 5))
WEIGHTS = st.fixed_dictionaries({team: st.integers(1, 10) for team in range(1, TEAMS + 1)})
MOST = st.fixed_dictionaries({team: st.none() | st.integers(1, 4) for team in range(1, TEAMS + 1)})


def waiting(line: Sequence[tuple[int, int]], pace: Pace = STEADY, ready: float = 0.0) -> list[Waiting]:
    return [Waiting(n, team, author, ready, pace) for n, (team, author) in enumerate(line)]


def order(turns: Turns) -> list[Any]:
    return [one.id for one in turns]


def slow(line: Sequence[tuple[int, int]], held: Any, weights: Any, most: Any) -> list[int]:
    """The same rule without any cleverness: look at everybody for each single turn."""
    now, team_now, todo, found = Counter(held), Counter(), dict(enumerate(line)), []
    for (team, _), count in held.items():
        team_now[team] += count
    while True:
        members: dict[tuple[int, int], int] = {}
        for n, key in sorted(todo.items()):
            if key not in members and (most[key[0]] is None or now[key] < most[key[0]]):
                members[key] = n
        heads = {
            team: min((now[key] + 1, n, key) for key, n in members.items() if key[0] == team)
            for team in {team for team, _ in members}
        }
        if not heads:
            return found
        team = min(heads, key=lambda t: ((team_now[t] + 1) / weights[t], heads[t][1]))
        _, n, key = heads[team]
        found.append(n)
        del todo[n]
        now[key] += 1
        team_now[team] += 1


@given(LINES, HELD, WEIGHTS, MOST)
def test_the_order_is_the_plain_rule(line: Any, held: Any, weights: Any, most: Any) -> None:
    assert order(Turns(waiting(line), held, weights, most)) == slow(line, held, weights, most)


@given(LINES, HELD, WEIGHTS, MOST, st.integers(1, 12))
def test_the_forecast_starts_them_in_the_order_of_dispatch(
    line: Any, held: Any, weights: Any, most: Any, room: int
) -> None:
    """Whoever is said to start at once is whom dispatch takes now, in that order."""
    free = max(0, room - sum(held.values()))
    now = order(Turns(waiting(line), held, weights, most))[:free]
    holding = [Holding(team, who, 5.0) for (team, who), count in held.items() for _ in range(count)]
    found = forecast(Turns(waiting(line), held, weights, most), holding, room, wanted=set(range(len(line))))
    places = sorted(found, key=lambda n: found[n].position)
    assert places[: len(now)] == now
    assert [n for n in places if found[n].high == 0] == now
    assert sorted(start.position for start in found.values()) == list(range(1, len(found) + 1))
    assert len(found) == len(line), "each gets its turn in the end"
    for first, second in itertools.pairwise(places):
        assert found[first].low <= found[second].low
        assert found[first].high <= found[second].high


def test_two_of_a_colleague_come_before_the_rest_of_two_hundred() -> None:
    line = [(1, 1)] * 190 + [(1, 2)] * 2
    assert order(Turns(waiting(line), {(1, 1): 10}, {}, {}))[:3] == [190, 191, 0]


def test_a_team_of_weight_three_gets_three_of_four() -> None:
    line = [(1, 1)] * 40 + [(2, 2)] * 40
    first = order(Turns(waiting(line), {}, {1: 1, 2: 3}, {}))[:40]
    assert sum(n >= 40 for n in first) == 30


def test_a_member_at_the_limit_of_the_team_waits_and_others_do_not() -> None:
    turns = Turns(waiting([(1, 1)] * 5 + [(1, 2)] * 3), {(1, 1): 1}, {}, {1: 2})
    assert order(turns) == [5, 0, 6]
    turns.end(1, 1)
    assert order(turns) == [1]


def test_what_may_not_be_sent_yet_lets_others_pass() -> None:
    late = Waiting("late", 1, 1, ready=30.0, pace=STEADY)
    turns = Turns([late, *waiting([(1, 1)])], {}, {}, {})
    assert order(turns) == [0]
    turns.advance(30.0)
    assert order(turns) == ["late"]


def test_the_tenth_of_a_line_on_two_slots_starts_after_five_rounds() -> None:
    found = forecast(Turns(waiting([(1, 1)] * 10), {}, {}, {}), [], 2, wanted={0, 1, 9})
    assert found[0].position == 1
    assert found[0].high == found[1].high == 0
    assert found[9].position == 10
    assert found[9].low == pytest.approx(4 * (20 + HANDOVER))


def test_what_runs_now_and_what_is_held_elsewhere_is_waited_for() -> None:
    turns = lambda: Turns(waiting([(1, 1)]), {(1, 1): 2}, {}, {})  # noqa: E731
    holding = [Holding(1, 1, 90.0), Holding(1, 1, 600.0)]
    assert forecast(turns(), holding, 2, wanted={0})[0].low == 90
    assert forecast(turns(), holding, 1, wanted={0})[0].low == 600, "the first leaves no slot"
    assert forecast(turns(), holding, 3, wanted={0}, gate=45)[0].low == 45
    assert forecast(turns(), holding, 0, wanted={0}) == {}, "nobody knows when others leave theirs"


def test_chance_averages_out_and_a_guess_does_not() -> None:
    known, guess = Pace(10, 20, 40, known=True), Pace(10, 20, 40, known=False)
    spreads = []
    for pace in (known, guess):
        found = forecast(Turns(waiting([(1, 1)] * 26, pace), {}, {}, {}), [], 1, wanted={1, 25})
        spreads.append([found[n].high - found[n].low for n in (1, 25)])
    assert spreads[0][1] == pytest.approx(5 * spreads[0][0], rel=0.1), "as the root of 25"
    assert spreads[1][1] == pytest.approx(25 * spreads[1][0])


@given(st.floats(0, 5000), st.floats(0.1, 600), st.booleans())
def test_what_runs_is_never_over_by_itself(elapsed: float, usual: float, known: bool) -> None:
    rest, deviation, doubt = left(Pace(usual / 2, usual, usual * 2, known), elapsed)
    assert rest > 0
    assert 0 <= deviation <= max(rest, usual)
    assert 0 <= doubt <= rest


def test_a_line_without_end_is_told_to_the_limit_only() -> None:
    found = forecast(Turns(waiting([(1, 1)] * 50), {}, {}, {}), [], 1, wanted={5, 45}, most=20)
    assert set(found) == {5}
