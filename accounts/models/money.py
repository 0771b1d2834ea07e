"""Money in the database: exact on every engine."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    WholeNumbers = models.BigIntegerField[
        Decimal | int | models.expressions.Combinable | None, Decimal | None
    ]
else:
    WholeNumbers = models.BigIntegerField

MICRO = Decimal("0.000001")


class MoneyField(WholeNumbers):
    """A `Decimal` amount with six places, stored as whole millionths.

    SQLite keeps decimals as binary floats, whose sums drift; whole numbers add up exactly on SQLite and PostgreSQL
    alike, so usage is the sum of the receipts to the last digit. `Sum` of this field is a `Decimal` again.
    """

    description = "Amount of money"

    def from_db_value(self, value: Any, *_: Any) -> Decimal | None:
        return None if value is None else (Decimal(int(value)) * MICRO).normalize() + Decimal("0.00")

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValidationError("Write an amount such as 12.50.") from None

    def get_prep_value(self, value: Any) -> int | None:
        amount = self.to_python(value)
        if amount is None:
            return None
        return int((amount / MICRO).to_integral_value(rounding=ROUND_HALF_UP))
