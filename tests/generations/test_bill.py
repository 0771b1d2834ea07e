"""The balance of an account beside our receipts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Team
from generations import bill
from generations.bill import Between
from generations.models import AccountSnapshot, Connection, Generation, State

FIRST = datetime(2026, 11, 2, 0, 1, tzinfo=UTC)
DAY = timedelta(days=1)
Make = Callable[..., Generation]


def snap(
    day: int, balance: str | None, *, of: Connection | None = None, currency: str = "CNY", **more: Any
) -> None:
    moment = FIRST + day * DAY
    AccountSnapshot.objects.create(
        connection=of or Connection.current(),
        day=moment.date(),
        taken_at=moment,
        balance=None if balance is None else Decimal(balance),
        currency=currency,
        **more,
    )


def charged(make: Make, who: Membership, hours: float, cost: str | None, **more: Any) -> Generation:
    """A receipt that ended so many hours after the first snapshot."""
    end = FIRST + timedelta(hours=hours)
    said = {"dispatched_at": end - timedelta(minutes=1), "upstream_done_at": end, "finished_at": end, **more}
    return make(who, cost_actual=None if cost is None else Decimal(cost), **said)


def spans(team: Team) -> list[Between]:
    return bill.spans(Connection.of(team), team, FIRST, FIRST + 40 * DAY)


def test_a_span_tells_what_the_balance_fell_and_what_our_receipts_say(
    team: Team, bob: Membership, make_generation: Make
) -> None:
    snap(0, "100")
    snap(1, "90.50")
    snap(2, "90.5")
    charged(make_generation, bob, 1, "8")
    charged(make_generation, bob, 23, "1.123456", status=State.FAILED)
    charged(make_generation, bob, -1, "50")
    newest, oldest = spans(team)
    assert (oldest.before, oldest.after, oldest.fell) == (Decimal(100), Decimal("90.50"), Decimal("9.50"))
    assert (oldest.receipts, oldest.number) == (Decimal("9.123456"), 2)
    assert oldest.drift == Decimal("0.376544") == oldest.unexplained
    assert oldest.causes == []
    assert (newest.fell, newest.receipts, newest.drift) == (0, 0, 0)


def test_a_receipt_counts_when_its_charge_was_told_and_not_when_it_was_ordered(
    team: Team, bob: Membership, make_generation: Make
) -> None:
    snap(0, "100")
    snap(1, "95")
    snap(2, "95")
    late = {"created_at": FIRST + timedelta(hours=1), "dispatched_at": FIRST + timedelta(hours=23)}
    charged(make_generation, bob, 25, "5", **late)
    newest, oldest = spans(team)
    assert (newest.receipts, newest.drift) == (5, -5)
    assert [(cause.name, cause.most) for cause in newest.causes] == [("started", Decimal(5))]
    assert (oldest.receipts, oldest.drift, oldest.unexplained) == (0, 5, 0)
    assert [(cause.name, cause.number, cause.most) for cause in oldest.causes] == [("ended", 1, Decimal(5))]


def test_every_cause_is_counted_with_what_it_could_come_to(
    team: Team, bob: Membership, make_generation: Make
) -> None:
    snap(0, "100")
    snap(1, "90")
    for status, code in (("succeeded", ""), ("cancelled", ""), ("failed", "805"), ("failed", "released")):
        charged(make_generation, bob, 2, None, status=status, error_code=code, cost_estimated=Decimal("1.5"))
    charged(make_generation, bob, 2, None, cost_estimated=None)
    charged(make_generation, bob, 2, None, status="cancelled", dispatched_at=None)  # never left the portal
    make_generation(bob, status=State.UNCONFIRMED, submitting_at=FIRST + timedelta(hours=3))
    (one,) = spans(team)
    assert {cause.name: (cause.number, cause.most, cause.unpriced) for cause in one.causes} == {
        "unknown": (2, Decimal("1.5"), 1),
        "cancelled": (1, Decimal("1.5"), 0),
        "failed": (1, Decimal("1.5"), 0),
        "released": (1, Decimal("1.5"), 0),
        "unconfirmed": (1, Decimal("0.80"), 0),
    }
    assert (one.drift, one.unexplained) == (10, Decimal("3.20"))


def test_a_balance_that_rose_was_paid_into_and_tells_no_drift(
    team: Team, bob: Membership, make_generation: Make
) -> None:
    snap(0, "10")
    snap(1, "500")
    charged(make_generation, bob, 2, "3")
    (one,) = spans(team)
    assert (one.fell, one.paid_in, one.drift, one.unexplained) == (-490, 493, None, None)


@pytest.mark.parametrize(("balance", "currency"), [(None, "CNY"), ("90", "USD")])
def test_what_was_not_told_or_is_of_another_currency_gives_no_drift(
    balance: str | None, currency: str, team: Team, bob: Membership
) -> None:
    snap(0, "100", coins=Decimal(30))
    snap(1, balance, currency=currency, coins=Decimal(12))
    (one,) = spans(team)
    assert (one.fell, one.drift, one.coins) == (None, None, 18)


def test_a_missing_night_makes_a_longer_span(team: Team, bob: Membership, make_generation: Make) -> None:
    snap(0, "100")
    snap(3, "90")
    charged(make_generation, bob, 50, "10")
    (one,) = spans(team)
    assert (one.end - one.start, one.drift) == (3 * DAY, 0)


def test_the_account_of_several_teams_is_not_shown_to_one(
    team: Team, bob: Membership, zoe: Membership, make_generation: Make
) -> None:
    snap(0, "100", coins=Decimal(3), running=7)
    snap(1, "60", coins=Decimal(1), running=9)
    charged(make_generation, bob, 2, "8")
    charged(make_generation, zoe, 2, "32")
    charged(make_generation, zoe, 2, None, status="cancelled")
    make_generation(zoe, status=State.UNCONFIRMED, submitting_at=FIRST + timedelta(hours=3))
    (one,) = spans(team)
    assert (one.receipts, one.number, one.causes) == (8, 1, [])
    assert (one.before, one.after, one.fell, one.drift, one.paid_in) == (None,) * 5
    assert (one.coins, one.running) == (None, None)


def test_whose_the_account_is(team: Team, bob: Membership, make_generation: Make) -> None:
    shared = Connection.current()
    assert bill.is_ours_alone(shared, team)
    empty = Team.objects.create(slug="empty", name="Nobody yet")
    assert bill.is_ours_alone(shared, team)
    other = Membership.objects.create(team=empty, user=bob.user, role="owner")
    assert not bill.is_ours_alone(shared, team)
    own = Connection.objects.create(team=empty, base_url="https://x.example", is_used=True)
    assert bill.is_ours_alone(shared, team)
    assert bill.is_ours_alone(own, empty)
    assert not bill.is_ours_alone(own, team)
    make_generation(other, connection=shared)
    assert not bill.is_ours_alone(shared, team)


def test_many_spans_and_receipts_ask_no_more_and_by_index(
    team: Team, bob: Membership, make_generation: Make
) -> None:
    snap(0, "100")
    snap(1, "99")

    def asked() -> list[str]:
        with CaptureQueriesContext(database) as captured:
            spans(Team.objects.get(pk=team.pk))
        return [query["sql"] for query in captured]

    few = asked()
    for day in range(2, 31):
        snap(day, "90")
        charged(make_generation, bob, 24 * day - 1, "0.1")
    many = asked()
    assert len(many) == len(few)
    sqlite = database.vendor == "sqlite"
    with database.cursor() as cursor:
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for query in many:
            if "charged_at" in query or "upstream_done_at" in query:
                cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + query)
                plan = " ".join(str(row[-1]) for row in cursor.fetchall())
                assert "charged_on_connection" in plan, plan
