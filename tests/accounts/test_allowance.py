from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope, Team

PAIRS = [(m, p) for m in Measure for p in Period if m != Measure.CONCURRENT or p == Period.NONE]


def put(team: Team, **fields: Any) -> None:
    given_limit = fields.pop("limit", Decimal(5))
    mode = fields.get("mode", Mode.LIMITED)
    Allowance.put(
        team,
        **{
            "scope": Scope.DEFAULT, "measure": Measure.COUNT, "period": Period.DAY, "mode": Mode.LIMITED,
            "limit": given_limit if mode == Mode.LIMITED else None, **fields,
        },
    )  # fmt: skip


def in_force(membership: Membership) -> set[tuple[str, Decimal | None]]:
    rows = Allowance.in_force(membership.team.allowances.all(), membership)
    return {(row.scope, row.limit) for row in rows}


def test_without_any_row_nothing_binds(bob: Membership) -> None:
    assert in_force(bob) == set()


def test_the_default_binds_whoever_has_no_limit_of_their_own(bob: Membership, carol: Membership) -> None:
    put(bob.team)
    put(bob.team, scope=Scope.MEMBER, membership=bob, limit=Decimal(9))
    assert in_force(bob) == {(Scope.MEMBER, 9)}
    assert in_force(carol) == {(Scope.DEFAULT, 5)}


def test_inherit_says_the_same_as_no_row(bob: Membership) -> None:
    put(bob.team)
    put(bob.team, scope=Scope.MEMBER, membership=bob, mode=Mode.INHERIT)
    assert in_force(bob) == {(Scope.DEFAULT, 5)}


def test_unlimited_frees_a_member_from_the_default_but_not_from_the_pool(bob: Membership) -> None:
    put(bob.team)
    put(bob.team, scope=Scope.POOL, limit=Decimal(100))
    put(bob.team, scope=Scope.MEMBER, membership=bob, mode=Mode.UNLIMITED)
    assert in_force(bob) == {(Scope.POOL, 100)}


def test_a_limit_of_zero_is_a_limit(bob: Membership) -> None:
    put(bob.team, limit=Decimal(0))
    assert in_force(bob) == {(Scope.DEFAULT, 0)}


def test_another_measure_or_period_is_another_limit(bob: Membership) -> None:
    put(bob.team)
    put(bob.team, scope=Scope.MEMBER, membership=bob, period=Period.WEEK, mode=Mode.UNLIMITED)
    put(bob.team, scope=Scope.MEMBER, membership=bob, measure=Measure.SPEND, mode=Mode.UNLIMITED)
    assert in_force(bob) == {(Scope.DEFAULT, 5)}


@pytest.mark.thorough
@given(
    pools=st.dictionaries(st.sampled_from(PAIRS), st.sampled_from([Mode.LIMITED, Mode.UNLIMITED])),
    defaults=st.dictionaries(st.sampled_from(PAIRS), st.sampled_from([Mode.LIMITED, Mode.UNLIMITED])),
    own=st.dictionaries(st.sampled_from(PAIRS), st.sampled_from(list(Mode))),
    others=st.dictionaries(st.sampled_from(PAIRS), st.sampled_from(list(Mode))),
    order=st.randoms(),
)
def test_each_pair_has_at_most_one_limit_for_the_member_and_one_of_the_pool(
    pools: Any, defaults: Any, own: Any, others: Any, order: Any
) -> None:
    member = Membership(pk=1)

    def row(scope: Scope, pair: Any, mode: Mode, of: int | None = None) -> Allowance:
        return Allowance(scope=scope, measure=pair[0], period=pair[1], mode=mode, membership_id=of)

    rows = [row(Scope.POOL, pair, mode) for pair, mode in pools.items()]
    rows += [row(Scope.DEFAULT, pair, mode) for pair, mode in defaults.items()]
    rows += [row(Scope.MEMBER, pair, mode, 1) for pair, mode in own.items()]
    rows += [row(Scope.MEMBER, pair, mode, 2) for pair, mode in others.items()]
    order.shuffle(rows)
    found = Allowance.in_force(rows, member)
    expected = {(Scope.POOL, *pair) for pair, mode in pools.items() if mode == Mode.LIMITED}
    for pair in {*defaults, *own}:
        mine = own.get(pair, Mode.INHERIT)
        if mine == Mode.LIMITED:
            expected.add((Scope.MEMBER, *pair))
        elif mine == Mode.INHERIT and defaults.get(pair) == Mode.LIMITED:
            expected.add((Scope.DEFAULT, *pair))
    assert len(found) == len(expected)
    assert {(row.scope, row.measure, row.period) for row in found} == expected
    assert all(row.membership_id in (None, 1) for row in found)


def test_putting_a_limit_again_changes_it(bob: Membership) -> None:
    put(bob.team)
    put(bob.team, limit=Decimal(7), action=Action.WARN)
    row = Allowance.objects.get()
    assert (row.limit, row.action) == (7, Action.WARN)
    put(bob.team, mode=Mode.UNLIMITED)
    row.refresh_from_db()
    assert (row.mode, row.limit) == (Mode.UNLIMITED, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": None},
        {"limit": Decimal(-1)},
        {"limit": Decimal("NaN")},
        {"limit": Decimal("sNaN")},
        {"limit": Decimal("Infinity")},
        {"limit": Decimal(10) ** 12},
        {"limit": Decimal("1.5")},
        {"measure": Measure.CONCURRENT, "limit": Decimal("0.5"), "period": Period.NONE},
        {"measure": Measure.CONCURRENT},
        {"mode": Mode.INHERIT},
        {"mode": Mode.INHERIT, "scope": Scope.POOL},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_a_sentence(fields: dict[str, Any], team: Team) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        put(team, **fields)
    assert not Allowance.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": Scope.MEMBER},
        {"mode": Mode.UNLIMITED, "limit": Decimal(1)},
        {"limit": Decimal(-1)},
        {"measure": Measure.CONCURRENT, "period": Period.DAY},
    ],
)
def test_the_database_keeps_nonsense_out_too(fields: dict[str, Any], team: Team) -> None:
    sound = {
        "team": team, "scope": Scope.DEFAULT, "measure": Measure.COUNT, "period": Period.DAY,
        "mode": Mode.LIMITED, "limit": Decimal(1),
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Allowance.objects.create(**{**sound, **fields})
    Allowance.objects.create(**sound)
    with pytest.raises(IntegrityError), transaction.atomic():
        Allowance.objects.create(**sound)


def test_a_limited_row_without_a_limit_cannot_be_stored(bob: Membership) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Allowance.objects.create(
            team=bob.team, scope=Scope.POOL, measure=Measure.SPEND, period=Period.DAY, mode=Mode.LIMITED
        )
