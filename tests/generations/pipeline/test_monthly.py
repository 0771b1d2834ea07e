"""The monthly report by mail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Membership, Notification, Team
from generations.models import MonthlyReport, State
from generations.pipeline import monthly

OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_managers_are_told_once_about_the_last_month(
    alice: Membership, mona: Membership, bob: Membership, vera: Membership, make_generation: Any
) -> None:
    make_generation(bob, created_at=OCTOBER, cost_actual=Decimal("2.5"))
    make_generation(
        mona, created_at=OCTOBER, cost_estimated=Decimal("0.5"), currency="USD", status=State.FAILED
    )
    make_generation(bob, created_at=NOVEMBER, cost_actual=Decimal("99"))
    assert monthly.send(NOVEMBER) == 1
    assert monthly.send(NOVEMBER) == 0
    assert sorted(one.to[0] for one in mail.outbox) == ["alice@example.com", "mona@example.com"]
    said = mail.outbox[0]
    assert "Tide Tables in October 2026: 2.50 CNY, 0.00 USD" in said.subject
    assert "2.50 CNY for 1 generation." in said.body
    assert "Bob: 2.50 CNY (1)" in said.body
    assert "Music 2.6" in said.body
    assert "99" not in said.body
    row = Notification.objects.filter(user=mona.user).get()
    assert row.link == "/t/tide/reports/?from=2026-10-01&to=2026-10-31&by=member"
    assert MonthlyReport.objects.get().told == 2


def test_the_month_is_that_of_the_team(team: Team, mona: Membership, make_generation: Any) -> None:
    Team.objects.filter(pk=team.pk).update(time_zone="America/Los_Angeles")
    make_generation(mona, created_at=datetime(2026, 9, 30, 12, tzinfo=UTC))
    make_generation(mona, created_at=OCTOBER)
    monthly.send(datetime(2026, 11, 1, 3, tzinfo=UTC))  # still October there
    assert [row.month for row in MonthlyReport.objects.all()] == [date(2026, 9, 1)]
    monthly.send(datetime(2026, 11, 1, 9, tzinfo=UTC))
    assert [row.month for row in MonthlyReport.objects.order_by("month")] == [
        date(2026, 9, 1),
        date(2026, 10, 1),
    ]


def test_nothing_made_is_nothing_told(mona: Membership, zoe: Membership, make_generation: Any) -> None:
    make_generation(zoe, created_at=OCTOBER)
    assert monthly.send(NOVEMBER) == 1
    assert {row.user for row in Notification.objects.all()} == {zoe.user}


def test_who_comes_second_tells_nobody(team: Team, mona: Membership, make_generation: Any) -> None:
    """Another worker wrote its row between our look and ours."""
    make_generation(mona, created_at=OCTOBER)
    MonthlyReport.objects.create(team=team, month=date(2026, 10, 1))
    from generations.reports import Span

    with pytest.raises(monthly.IntegrityError):
        monthly._tell(team, Span.month_before(team, NOVEMBER))
    assert not Notification.objects.exists()


def test_it_is_looked_at_now_and_then_only(mona: Membership, make_generation: Any) -> None:
    make_generation(mona, created_at=timezone.now().replace(day=1) - monthly.timedelta(days=2))
    assert monthly.send_if_due() == 1
    MonthlyReport.objects.all().delete()
    assert monthly.send_if_due() == 0
