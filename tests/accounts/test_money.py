from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Allowance, Measure, MoneyField, Period, Scope, Team
from tests.effort import tries

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("999999999.999999"), places=6)
FEW = settings(
    max_examples=tries(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def keep(team: Team, amounts: list[Decimal]) -> None:
    """Rows with these amounts, in any table that has the field."""
    Allowance.objects.all().delete()
    places = [(m, p) for m in (Measure.SPEND, Measure.COUNT) for p in Period]
    Allowance.objects.bulk_create(
        Allowance(team=team, scope=Scope.POOL if n % 2 else Scope.DEFAULT, measure=m, period=p, limit=amount)
        for n, ((m, p), amount) in enumerate(
            zip([q for q in places for _ in range(2)], amounts, strict=False)
        )
    )


@FEW
@given(amount=AMOUNTS)
def test_an_amount_comes_back_exactly(amount: Decimal, team: Team) -> None:
    keep(team, [amount])
    assert Allowance.objects.get().limit == amount
    assert Allowance.objects.filter(limit=amount).exists()
    assert Allowance.objects.filter(limit__lte=amount).exists()
    assert not Allowance.objects.filter(limit__lt=amount).exists()


@FEW
@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=16))
def test_a_sum_is_exact_to_the_last_digit(amounts: list[Decimal], team: Team) -> None:
    keep(team, amounts)
    total = Allowance.objects.aggregate(total=Sum("limit"))["total"]
    assert isinstance(total, Decimal)
    assert total == sum(amounts)


def test_tenths_add_up_to_one(team: Team) -> None:
    keep(team, [Decimal("0.1")] * 10)
    assert Allowance.objects.aggregate(total=Sum("limit"))["total"] == 1


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("0", "0.00"),
        ("5", "5.00"),
        ("1000", "1000.00"),
        ("0.1", "0.10"),
        ("0.0013", "0.0013"),
        ("12.345678", "12.345678"),
    ],
)
def test_an_amount_is_written_with_two_to_six_decimals(kept: str, shown: str, team: Team) -> None:
    keep(team, [Decimal(kept)])
    assert str(Allowance.objects.get().limit) == shown


def test_more_than_six_decimals_are_rounded_half_up(team: Team) -> None:
    keep(team, [Decimal("0.0000005")])
    assert Allowance.objects.get().limit == Decimal("0.000001")


@pytest.mark.parametrize("value", ["abc", "", "1,5", object()])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        MoneyField().to_python(value)
