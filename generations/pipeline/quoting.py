"""What a generation will probably cost: the team's own price, else the catalogue's, corrected by what such generations
cost of late. What a team says about a price begins anew: only charges since then correct it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_UP, Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import Team
from generations.catalogue import pricing
from generations.catalogue.spec import ModelSpec, Price
from generations.models import Connection, Generation, State, TeamPrice, Upload, latest_of_each

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
    """What generations of a model cost a team on a connection: the price of the team or the catalogue, corrected by
    what such generations really cost lately. What was learned is asked of the database once, however many are quoted;
    `charged` are the params and costs of such generations, where they are known already. `spec` has the price that
    holds. Team None: by the catalogue, whatever a team says.
    """

    def __init__(
        self,
        spec: ModelSpec,
        connection: Connection,
        team: Team | None,
        charged: Iterable[tuple[Any, ...]] | None = None,
    ) -> None:
        self.spec = priced(spec, team)
        self.own = _own(team).get(spec.slug) if self.spec is not spec else None
        self.connection = connection
        self._charged = charged

    @cached_property
    def factor(self) -> Decimal | None:
        """By what recent charges differ from the price, None where there are too few."""
        charged = self._charged
        if charged is None:
            charged = _receipts(self.spec.slug, self.connection, self.own).values_list(*CHARGED)[:SEEN]
        return pricing.learned(_past_costs(self.spec, self.connection, charged))

    def quote(self, params: Mapping[str, Any]) -> Quote:
        """The estimate for one generation with these params, cleaned or still being typed."""
        currency = self.connection.currency
        estimate = pricing.estimate(self.spec, params, lengths=_lengths(self.spec, params))
        if estimate.amount is None:
            return Quote(None, currency, estimate.basis, None)
        amount, converted = _in_currency(estimate.amount, estimate.currency, currency)
        if self.factor is not None:
            amount, converted = amount * self.factor, ""
        amount = amount.quantize(Decimal("0.0001"), rounding=ROUND_UP)
        return Quote(amount, currency, estimate.basis, estimate.as_of, converted)


def priced(spec: ModelSpec, team: Team | None) -> ModelSpec:
    """The model with the price that holds for this team today: its own, else that of the catalogue.

    A price for each of something that the model is not asked for any more does not hold.
    """
    own = _own(team).get(spec.slug)
    if own is None or (own.param and own.param not in {param.key for param in spec.params}):
        return spec
    return replace(spec, price=price_of(own))


def price_of(own: TeamPrice) -> Price | None:
    """A team's own price as the catalogue writes one; None where the team has none any more."""
    if own.amount is None:
        return None
    return Price(
        own.amount, own.currency, own.unit, own.param, as_of=own.since, source="the team", note=own.note
    )


def quote(spec: ModelSpec, params: Mapping[str, Any], connection: Connection, team: Team | None) -> Quote:
    """The estimate for one generation of this team, see `Tariff`."""
    return Tariff(spec, connection, team).quote(params)


def tariffs(specs: Sequence[ModelSpec], connection: Connection, team: Team | None) -> dict[str, Tariff]:
    """The `Tariff` of each of several models, by slug; what was learned about all of them is one query."""
    own = _own(team)

    def receipts(slug: str) -> QuerySet[Generation]:
        return _receipts(slug, connection, own.get(slug))

    charged = latest_of_each((spec.slug for spec in specs), receipts, SEEN, *CHARGED)
    return {spec.slug: Tariff(spec, connection, team, charged.get(spec.slug, [])) for spec in specs}


def quotes(
    asked: Sequence[tuple[ModelSpec, Mapping[str, Any]]], connection: Connection, team: Team | None
) -> dict[str, Quote]:
    """`quote` of one order for each of several models, by slug, in one query for all of them."""
    found = tariffs([spec for spec, _ in asked], connection, team)
    return {spec.slug: found[spec.slug].quote(params) for spec, params in asked}


def _lengths(spec: ModelSpec, params: Mapping[str, Any]) -> dict[str, float]:
    """The seconds of the file that the price counts, by its reference; nothing where it counts something else."""
    key = spec.price.param if spec.price else ""
    if not key or not spec.param(key).type.is_media or not isinstance(params.get(key), str):
        return {}
    try:
        upload = Upload.objects.filter(pk=Upload.id_of(params[key])).only("duration").first()
    except ValueError:
        return {}
    return {params[key]: upload.duration} if upload is not None and upload.duration else {}


def _own(team: Team | None) -> Mapping[str, TeamPrice]:
    return {} if team is None else TeamPrice.of(team)


def _in_currency(amount: Decimal, price: str, account: str) -> tuple[Decimal, str]:
    """The amount in the account's currency, and the price's currency when a rate had to be assumed."""
    rate = Decimal(str(settings.CNY_PER_USD))
    if (price, account) == ("CNY", "USD"):
        return amount / rate, price
    if (price, account) == ("USD", "CNY"):
        return amount * rate, price
    return amount, ""


def _receipts(model: str, connection: Connection, own: TeamPrice | None) -> QuerySet[Generation]:
    """What this model was charged for on this connection, newest first; since a team's `own` price where it has one."""
    rows = (
        Generation.objects.filter(model=model, connection=connection, currency=connection.currency)
        .filter(status=State.SUCCEEDED, finished_at__isnull=False, cost_actual__isnull=False)
        .order_by("-finished_at")
    )
    return rows if own is None else rows.filter(finished_at__gte=own.counts_from)


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
