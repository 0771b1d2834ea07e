"""What a generation will probably cost: the catalogue's price, corrected by what such generations cost of late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from generations.catalogue import pricing
from generations.catalogue.spec import ModelSpec
from generations.models import Connection, Generation, State, latest_of_each

SEEN = 20
"""Charges of a model that are looked at."""
CHARGED = ("params", "cost_actual")


@dataclass(frozen=True)
class Quote:
    """What one generation is expected to cost, in the currency of the connection. `cost` None: price unknown."""

    cost: Decimal | None
    currency: str
    basis: str
    as_of: date | None
    converted_from: str = ""


class Tariff:
    """What generations of a model cost on a connection: the catalogue's price, corrected by what such generations
    really cost lately. What was learned is asked of the database once, however many are quoted; `charged` are the
    params and costs of such generations, where they are known already.
    """

    def __init__(
        self, spec: ModelSpec, connection: Connection, charged: Iterable[tuple[Any, ...]] | None = None
    ) -> None:
        self.spec = spec
        self.connection = connection
        self._charged = charged

    @cached_property
    def _factor(self) -> Decimal | None:
        charged = self._charged
        if charged is None:
            charged = _receipts(self.spec.slug, self.connection).values_list(*CHARGED)[:SEEN]
        return pricing.learned(_past_costs(self.spec, self.connection, charged))

    def quote(self, params: Mapping[str, Any]) -> Quote:
        """The estimate for one generation with these params, cleaned or still being typed."""
        currency = self.connection.currency
        estimate = pricing.estimate(self.spec, params)
        if estimate.amount is None:
            return Quote(None, currency, estimate.basis, None)
        amount, converted = _in_currency(estimate.amount, estimate.currency, currency)
        if self._factor is not None:
            amount, converted = amount * self._factor, ""
        amount = amount.quantize(Decimal("0.0001"), rounding=ROUND_UP)
        return Quote(amount, currency, estimate.basis, estimate.as_of, converted)


def quote(spec: ModelSpec, params: Mapping[str, Any], connection: Connection) -> Quote:
    """The estimate for one generation, see `Tariff`."""
    return Tariff(spec, connection).quote(params)


def quotes(asked: Sequence[tuple[ModelSpec, Mapping[str, Any]]], connection: Connection) -> dict[str, Quote]:
    """`quote` of one order for each of several models, by slug, in one query for all of them."""
    charged = latest_of_each((_receipts(spec.slug, connection) for spec, _ in asked), SEEN, *CHARGED)
    return {
        spec.slug: Tariff(spec, connection, charged.get(spec.slug, [])).quote(params)
        for spec, params in asked
    }


def _in_currency(amount: Decimal, price: str, account: str) -> tuple[Decimal, str]:
    """The amount in the account's currency, and the price's currency when a rate had to be assumed."""
    rate = Decimal(str(settings.CNY_PER_USD))
    if (price, account) == ("CNY", "USD"):
        return amount / rate, price
    if (price, account) == ("USD", "CNY"):
        return amount * rate, price
    return amount, ""


def _receipts(model: str, connection: Connection) -> QuerySet[Generation]:
    """What this model was charged for on this connection, newest first."""
    return (
        Generation.objects.filter(model=model, connection=connection, currency=connection.currency)
        .filter(status=State.SUCCEEDED, finished_at__isnull=False, cost_actual__isnull=False)
        .order_by("-finished_at")
    )


def _past_costs(
    spec: ModelSpec, connection: Connection, charged: Iterable[tuple[Any, ...]]
) -> list[tuple[Decimal, Decimal]]:
    """(what the catalogue says today, what was really charged) of each."""
    pairs = []
    for params, actual in charged:
        listed = pricing.estimate(spec, params)
        if listed.amount and actual is not None:
            pairs.append((_in_currency(listed.amount, listed.currency, connection.currency)[0], actual))
    return pairs
