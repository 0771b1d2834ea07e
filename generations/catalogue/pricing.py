"""What a generation will probably cost, before it is made.

An unknown price is a state and never zero. Amounts are rounded up to a ten-thousandth, so that a hold is not
smaller than the charge it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from statistics import median
from typing import Any

from generations.catalogue.number import shown
from generations.catalogue.rules import as_text
from generations.catalogue.spec import ModelSpec, Price

STEP = Decimal("0.0001")
ONE_UNIT = "upload:one-unit"
"""Stands for a file that is as long as one unit of the price."""
ENOUGH = 3
"""Charges that have to be seen before an estimate follows them."""
NEWEST = 20
"""Charges looked at: older ones may be of another price."""

_SMALLEST, _LARGEST = Decimal("0.000001"), Decimal(10**9)
NOUNS = ("call", "character", "second", "image", "take")
"""What a unit can count. Takes are the songs that one run is asked for."""
_UNIT = re.compile(r"(?:([1-9][0-9]*) )?([a-z]+?)s?")


@dataclass(frozen=True)
class Estimate:
    """`amount` is None when the price is unknown; `basis` is the reckoning, without a full stop."""

    amount: Decimal | None
    currency: str
    basis: str
    as_of: date | None
    is_starting_price: bool


def estimate(
    spec: ModelSpec,
    params: Mapping[str, Any],
    *,
    factor: Decimal | None = None,
    lengths: Mapping[str, float] | None = None,
) -> Estimate:
    """The cost of one generation with these params, cleaned or still being typed.

    Characters are code points of the counted text, at least one. Where the seconds of a given file are counted,
    `lengths` has them by its reference. `factor` comes from `learned`. The amount of a known price is never zero.
    """
    price = spec.price
    if price is None:
        return Estimate(None, "", "Price unknown", as_of=None, is_starting_price=False)
    amount = _rate(price, params)
    quantity = _quantity(price, params, {ONE_UNIT: float(_per(price)), **(lengths or {})})
    if amount is None or quantity is None:
        return Estimate(None, price.currency, "Price unknown for these settings", price.as_of, price.starting)
    basis = _basis(price, amount, quantity)
    total = amount * quantity / _per(price)
    if factor is not None and factor > 0:
        total *= factor
        if factor != 1:
            basis += ", adjusted to recent charges"
    total = max(STEP, total.quantize(STEP, rounding=ROUND_UP))
    return Estimate(total, price.currency, basis, price.as_of, price.starting)


def learned(pairs: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """The median of actual over estimate in (estimate, actual) pairs, newest first; None below three pairs.

    Pairs with an estimate or a charge of zero say nothing about the price and are passed over.
    """
    usable = [(e, a) for e, a in pairs if _counts(e) and _counts(a)]
    if len(usable) < ENOUGH:
        return None
    ratio = median([actual / estimated for estimated, actual in usable[:NEWEST]])
    return max(STEP, ratio.quantize(STEP, rounding=ROUND_UP))


def _counts(amount: Decimal) -> bool:
    return amount.is_finite() and _SMALLEST <= amount <= _LARGEST


def is_unit(text: str) -> bool:
    """True for a unit the reckoning knows."""
    match = _UNIT.fullmatch(text)
    return match is not None and match[2] in NOUNS


def counts(unit: str) -> str:
    """What a unit counts: one of NOUNS, "" for no unit."""
    match = _UNIT.fullmatch(unit)
    return match[2] if match else ""


def _per(price: Price) -> Decimal:
    match = _UNIT.fullmatch(price.unit)
    return Decimal(match[1] or 1) if match else Decimal(1)


def _rate(price: Price, params: Mapping[str, Any]) -> Decimal | None:
    if not price.rules:
        return price.amount
    for rule in price.rules:
        if all(as_text(params.get(key)) == value for key, value in rule.when):
            return rule.amount
    return None


def _quantity(price: Price, params: Mapping[str, Any], lengths: Mapping[str, float]) -> Decimal | None:
    match counts(price.unit):
        case "call":
            return Decimal(1)
        case "character":
            text = params.get(price.param)
            return Decimal(max(1, len(text) if isinstance(text, str) else 0))
        case "second" | "image" | "take":
            counted = params.get(price.param)
            if isinstance(counted, str) and counted in lengths:
                return _number(Decimal(str(round(lengths[counted], 1))))
            return _number(counted)
    return None


def _number(value: object) -> Decimal | None:
    """A positive number, also when a LIST carries it as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        value = Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int):
        value = Decimal(value)
    return value if isinstance(value, Decimal) and value.is_finite() and 0 < value < 10**9 else None


def _basis(price: Price, amount: Decimal, quantity: Decimal) -> str:
    rate = f"{amount:f}"
    if counts(price.unit) == "call":
        return f"{'from ' if price.starting else ''}{rate} for each run"
    noun = counts(price.unit) + ("" if quantity == 1 else "s")
    per = "each" if _per(price) == 1 else f"per {_per(price):,f}"
    return f"{shown(quantity)} {noun} {'from' if price.starting else 'at'} {rate} {per}"
