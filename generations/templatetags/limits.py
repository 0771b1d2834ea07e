"""How templates name a limit and write its amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from django import template
from django.utils.formats import number_format

from accounts.models import Measure
from generations import limit_words
from generations.templatetags.ui import money

register = template.Library()


class Limit(Protocol):
    """A line of quota or an allowance: what is limited, over which period, for whom."""

    scope: str
    measure: str
    period: str


@register.filter
def limit_name(limit: Limit) -> str:
    """A limit by its name, such as "Spend per week" or "Team pool, generations per day"."""
    return limit_words.limit_name(limit.scope, limit.measure, limit.period)


@register.simple_tag
def limit_number(limit: Limit, amount: Decimal) -> str:
    """The same as a bare number, for a field beside which the unit stands: `120.00` or `3`."""
    return f"{amount:.2f}" if limit.measure == Measure.SPEND else str(int(amount))


@register.simple_tag
def limit_amount(limit: Limit, amount: Decimal, currency: str) -> str:
    """An amount in what the limit measures: money for spend, a whole number else."""
    return money(amount, currency) if limit.measure == Measure.SPEND else number_format(int(amount))
