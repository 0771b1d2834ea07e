"""Usage of one member."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations.models import State
from generations.views import chart

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/usage/"


def limit(team: Team, measure: Measure, period: Period, amount: str, **more: Any) -> None:
    more = {"scope": Scope.DEFAULT, "mode": Mode.LIMITED, "limit": Decimal(amount), **more}
    Allowance.put(team, measure=measure, period=period, **more)


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_everybody_of_the_team_sees_their_own(
    client_of: Clients, alice: Membership, bob: Membership, vera: Membership
) -> None:
    for membership in (alice, bob, vera):
        assert client_of(membership).get(PAGE).status_code == 200


def test_strangers_and_people_who_are_not_signed_in_see_nothing(
    client: Client, client_of: Clients, bob: Membership, zoe: Membership
) -> None:
    assert client_of(zoe).get(PAGE).status_code == 404
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_sums_are_of_the_one_member_and_of_what_counts(
    client_of: Clients, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    make_generation(bob, cost_estimated=Decimal("2.00"), cost_actual=Decimal("1.50"))
    make_generation(bob, status=State.FAILED, cost_estimated=Decimal("9.00"))
    make_generation(bob, status=State.RUNNING, cost_estimated=Decimal("0.25"))
    make_generation(carol, cost_estimated=Decimal("100.00"))
    words = text(client_of(bob).get(PAGE).content.decode())
    assert "Today ¥1.75 2 generations" in words
    assert "Generations this month 2" in words
    assert "On hold ¥0.25" in words
    assert "Estimated, then charged ¥1.50 estimated ¥2.00" in words
    assert "¥100.00" not in words


def test_every_limit_in_force_shows_what_is_left_and_when_it_resets(
    client_of: Clients, bob: Membership, team: Team, make_generation: Any
) -> None:
    limit(team, Measure.SPEND, Period.WEEK, "120")
    limit(team, Measure.SPEND, Period.MONTH, "50", action=Action.WARN)
    limit(team, Measure.COUNT, Period.DAY, "7")
    limit(team, Measure.CONCURRENT, Period.NONE, "2")
    limit(team, Measure.SPEND, Period.NONE, "900", scope=Scope.POOL)
    make_generation(bob, cost_estimated=Decimal("10.00"))
    words = text(client_of(bob).get(PAGE).content.decode())
    assert re.search(r"Spend per week ¥10.00 ¥120.00 ¥110.00 \w{3} 00:00 Refused", words)
    assert re.search(r"Spend per month tightest ¥10.00 ¥50.00 ¥40.00 .{3,14} Only a warning", words)
    assert re.search(r"Generations per day 1 7 6 \w{3} 00:00", words)
    assert "Running at the same time 0 2 2 when one ends" in words
    assert "Team pool, spend ever ¥10.00 ¥900.00 ¥890.00 never" in words


def test_an_unknown_cost_is_said_and_not_taken_for_nothing(
    client_of: Clients, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, cost_estimated=None)
    words = text(client_of(bob).get(PAGE).content.decode())
    assert "The cost of 1 generation of this month is not known yet" in words


def test_days_follow_the_clock_of_the_team(
    client_of: Clients, bob: Membership, team: Team, make_generation: Any
) -> None:
    Team.objects.filter(pk=team.pk).update(time_zone="Pacific/Kiritimati")
    team.refresh_from_db()
    here = timezone.now().astimezone(team.zone)
    late = here.replace(hour=23, minute=59) - timedelta(days=3)
    early = here.replace(hour=0, minute=1) - timedelta(days=2)
    make_generation(bob, created_at=late, cost_estimated=Decimal("1.00"))
    make_generation(bob, created_at=early, cost_estimated=Decimal("2.00"))
    html = client_of(bob).get(PAGE).content.decode()
    assert f"{late:%A} {late.day} {late:%B}: ¥1.00." in html
    assert f"{early:%A} {early.day} {early:%B}: ¥2.00." in html


def test_a_model_that_left_the_catalogue_is_still_counted(
    client_of: Clients, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, model="gone--model", cost_estimated=Decimal("3.00"))
    assert "gone--model ¥3.00" in text(client_of(bob).get(PAGE).content.decode())


def test_managers_see_a_colleague_and_members_do_not(
    client_of: Clients,
    alice: Membership,
    mona: Membership,
    bob: Membership,
    zoe: Membership,
    make_generation: Any,
) -> None:
    make_generation(bob, cost_estimated=Decimal("4.44"))
    asked = f"{PAGE}?member={bob.pk}"
    for manager in (alice, mona):
        html = client_of(manager).get(asked).content.decode()
        assert "Usage of Bob" in html
        assert "¥4.44" in html
    assert client_of(bob).get(f"{PAGE}?member={alice.pk}").status_code == 403
    assert client_of(bob).get(asked).status_code == 200
    assert client_of(alice).get(f"{PAGE}?member={zoe.pk}").status_code == 404


@pytest.mark.parametrize("value", ["0", "-1", "x", "9" * 30, "1 or 1=1", "\x00", "１"])
def test_a_strange_member_is_not_there(client_of: Clients, alice: Membership, value: str) -> None:
    assert client_of(alice).get(PAGE, {"member": value}).status_code == 404


def test_more_rows_cost_no_more_queries(
    client_of: Clients, alice: Membership, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    client = client_of(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE, {"member": bob.pk}).status_code == 200
        return len(captured)

    make_generation(bob)
    client.get(PAGE)
    few = queries()
    for n in range(12):
        make_generation(bob, model=f"model-{n}", created_at=timezone.now() - timedelta(days=n))
    assert queries() == few


def test_the_largest_models_get_a_colour_and_the_rest_share_one() -> None:
    totals = {f"m{n}": Decimal(n) for n in range(1, 8)}
    assert chart.largest(totals) == ["m7", "m6", "m5", "m4"]
    assert chart.largest({"a": Decimal(1), "b": Decimal(2)}) == ["b", "a"]


@pytest.mark.parametrize(
    ("highest", "top"),
    [
        ("0", "1"),
        ("0.05", "0.08"),
        ("0.8", "0.8"),
        ("5.3", "8"),
        ("8.1", "10"),
        ("99", "100"),
        ("100", "100"),
    ],
)
def test_the_chart_ends_at_a_round_number_that_holds_everything(highest: str, top: str) -> None:
    assert chart.ceiling(Decimal(highest)) == Decimal(top)


def test_the_bars_of_a_day_stand_on_each_other() -> None:
    drawn = chart.stacked(
        [("1", "one", [Decimal(2), Decimal(0), Decimal(6)]), ("2", "two", [Decimal(0)] * 3)], ["a", "b", "c"]
    )
    first, second = drawn.columns
    assert [(bar.series, bar.y, bar.height) for bar in first.bars] == [
        (1, "75.00", "25.00"),
        (3, "0.00", "75.00"),
    ]
    assert not second.bars
    assert drawn.ticks == [8, 6, 4, 2, 0]
    assert drawn.width == 20
