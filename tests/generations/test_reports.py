"""Sums over the receipts of a span, in Python too."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Period, Team
from generations import reports
from generations.models import Generation, State, Tag, Tagging
from generations.reports import By, Span, Wanted
from tests.conftest import MODEL

NOVEMBER = datetime(2026, 11, 10, 12, tzinfo=UTC)


def november(team: Team, **more: Any) -> Wanted:
    return Wanted(Span(date(2026, 11, 1), date(2026, 11, 30), team.zone), **more)


def history(make: Any, *people: Membership) -> None:
    """Receipts of every state, settled and not, in two currencies, with costs down to the millionth."""
    amounts = [
        None,
        Decimal("0.000001"),
        Decimal("0.1"),
        Decimal("0.35"),
        Decimal("12.3456"),
        Decimal("1234567.891"),
    ]
    place = 0
    for state in State:
        for estimated in amounts[:5]:
            for actual in amounts:
                place += 1
                make(
                    people[place % len(people)],
                    status=state,
                    cost_estimated=estimated,
                    cost_actual=actual,
                    currency="USD" if place % 3 == 0 else "CNY",
                    model=(MODEL, "gone--model", "kling-lip-sync--tts")[place % 3],
                    kind=("music", "speech")[place % 2],
                    created_at=NOVEMBER + timedelta(hours=place % 300),
                )


def counted(row: Generation) -> Decimal:
    """What a receipt counts for, said once more."""
    if row.cost_actual is not None:
        return row.cost_actual
    return Decimal(0) if row.status in ("failed", "cancelled") else row.cost_estimated or Decimal(0)


@pytest.mark.thorough
@pytest.mark.parametrize("by", list(By))
def test_every_report_adds_up_to_the_receipts_to_the_last_digit(
    by: By, team: Team, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    history(make_generation, bob, carol)
    rows = reports.rows(team, november(team), by)
    truth: dict[str, Decimal] = defaultdict(Decimal)
    for row in Generation.objects.all():
        truth[row.currency] += counted(row)
    assert {row.currency: row.spent for row in reports.together(rows)} == truth
    assert all(row.spent == row.charged + row.estimated for row in rows)
    assert sum(row.made for row in rows) == Generation.objects.count()
    drawn = reports.drawn(team, november(team), by)
    assert {currency: sum(found.values()) for currency, found in drawn.items()} == truth
    assert sum(row.unknown for row in rows) == sum(
        1
        for row in Generation.objects.all()
        if row.cost_actual is None
        and row.cost_estimated is None
        and row.status not in ("failed", "cancelled")
    )


@pytest.mark.thorough
def test_the_receipts_one_by_one_add_up_too(team: Team, bob: Membership, make_generation: Any) -> None:
    history(make_generation, bob)
    place = reports.RECEIPT.index("cost_counted")
    whole = sum((one[place] for one in reports.each(team, november(team))), Decimal(0))
    assert whole == sum((counted(row) for row in Generation.objects.all()), Decimal(0))


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Europe/Berlin"])
def test_days_are_those_of_the_team(zone: str, team: Team, bob: Membership, make_generation: Any) -> None:
    Team.objects.filter(pk=team.pk).update(time_zone=zone)
    team = Team.objects.get(pk=team.pk)
    start, end = november(team).span.bounds
    for moment in (start - timedelta(seconds=1), start, end - timedelta(seconds=1), end):
        make_generation(bob, created_at=moment)
    rows = reports.rows(team, november(team), By.DAY)
    assert [row.key for row in rows] == [date(2026, 11, 1), date(2026, 11, 30)]
    assert {bucket for bucket, _ in reports.drawn(team, november(team), By.DAY)["CNY"]} == {
        row.key for row in rows
    }


def test_a_long_chart_is_drawn_by_month(team: Team, bob: Membership, make_generation: Any) -> None:
    make_generation(bob, created_at=NOVEMBER)
    span = Span(date(2026, 8, 15), date(2026, 12, 2), team.zone)
    assert span.buckets() == [date(2026, month, 1) for month in (8, 9, 10, 11, 12)]
    assert list(reports.drawn(team, Wanted(span), By.DAY)["CNY"]) == [(date(2026, 11, 1), "")]


def test_spans_by_name(team: Team) -> None:
    now = datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert Span.of(Period.WEEK, team, now).first == date(2026, 2, 23)
    assert Span.month_before(team, now) == Span(date(2026, 2, 1), date(2026, 2, 28), team.zone)
    Team.objects.filter(pk=team.pk).update(time_zone="America/New_York")
    behind = Team.objects.get(pk=team.pk)
    assert Span.month_before(behind, now).first == date(2026, 1, 1)


def test_filters_join(team: Team, bob: Membership, carol: Membership, make_generation: Any) -> None:
    history(make_generation, bob, carol)
    wanted = november(team, author=bob.user_id, model=MODEL, kind="music", state="succeeded")
    truth = [
        row
        for row in Generation.objects.all()
        if (row.author_id, row.model, row.kind, row.status) == (bob.user_id, MODEL, "music", "succeeded")
    ]
    assert truth
    assert sum(row.made for row in reports.rows(team, wanted, By.STATE)) == len(truth)


def test_what_has_two_tags_counts_under_each_and_once_in_a_chart(
    team: Team, bob: Membership, make_generation: Any
) -> None:
    both, one, _untagged = (
        make_generation(bob, created_at=NOVEMBER, cost_actual=Decimal(amount)) for amount in (4, 2, 1)
    )
    rain, night = (Tag.objects.create(team=team, name=name, folded=name) for name in ("rain", "night"))
    for tag, tagged in ((rain, both), (night, both), (rain, one)):
        Tagging.objects.create(tag=tag, generation=tagged)
    rows = reports.rows(team, november(team), By.TAG)
    assert [(row.name, row.made, row.spent) for row in rows] == [("rain", 2, 6), ("night", 1, 4), ("", 1, 1)]
    assert list(reports.drawn(team, november(team), By.TAG)["CNY"].values()) == [7]
    assert [row.spent for row in reports.rows(team, november(team, tag=night.pk), By.STATE)] == [4]


def test_another_team_is_never_in_it(team: Team, zoe: Membership, make_generation: Any) -> None:
    make_generation(zoe, created_at=NOVEMBER)
    assert reports.rows(team, november(team), By.DAY) == []
    assert list(reports.each(team, november(team))) == []


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("author", [False, True])
def test_a_report_reads_its_receipts_by_an_index(by: By, author: bool, team: Team, bob: Membership) -> None:
    sqlite = connection.vendor == "sqlite"
    wanted = november(team, author=bob.user_id if author else None)
    with CaptureQueriesContext(connection) as asked:
        reports.rows(team, wanted, by)
        reports.drawn(team, wanted, by)
        list(reports.each(team, wanted))
    with connection.cursor() as cursor:
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for query in [one["sql"] for one in asked if one["sql"].startswith("SELECT")]:
            cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + query)
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
            # Of empty tables PostgreSQL takes whichever index comes first.
            assert "receipts_of_a" in plan if sqlite else "Seq Scan on generations_generation" not in plan, (
                plan
            )
    assert len(asked) == 3
