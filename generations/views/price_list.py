"""The rows of the price list: what is expected of each model, what was really paid of late, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any

from accounts.models import Team
from generations import own_models
from generations.catalogue import pricing
from generations.catalogue.spec import ModelSpec, Price
from generations.models import Connection, Generation, PriceDecision, State, TeamPrice, latest_of_each
from generations.pipeline import accept

SEEN = 20
LATEST = 3
"""So many of the newest charges are held against the earlier ones."""
DEPARTS = Decimal("0.1")
PAID = ("finished_at", "params", "cost_actual", "currency")


@dataclass(frozen=True)
class Paid:
    """What the team's last runs of a model really cost, in one currency, at most SEEN of them."""

    median: Decimal
    last: Decimal
    when: datetime
    number: int
    currency: str


@dataclass(frozen=True)
class Entry:
    """One model. `price` None: unknown, and `runs` tells whether it may run all the same.

    `factor` is by what the portal corrects the price because of recent charges; `departs` says that this is more than
    a tenth, `moved` that the newest charges are more than a tenth off the earlier ones, by `moved_by` percent.
    """

    spec: ModelSpec
    price: Price | None
    own: TeamPrice | None
    factor: Decimal | None
    example: Decimal | None
    paid: Paid | None
    moved_by: int | None
    verdict: str
    runs: bool

    @property
    def departs(self) -> bool:
        return self.factor is not None and abs(self.factor - 1) > DEPARTS

    @property
    def moved(self) -> bool:
        return self.moved_by is not None

    @property
    def learned_by(self) -> int:
        """Percent by which charges differ from the price."""
        return 0 if self.factor is None else round((self.factor - 1) * 100)

    @property
    def rates(self) -> tuple[Decimal, Decimal] | None:
        """The lowest and the highest amount, where it depends on settings."""
        if self.price is None or not self.price.rules:
            return None
        amounts = [rule.amount for rule in self.price.rules]
        return min(amounts), max(amounts)


def entries(team: Team) -> list[Entry]:
    """Every model that the team has, in the order of the picker. Four queries, however many models there are."""
    connection = Connection.of(team)
    specs = own_models.offered(team, connection.site)
    tariffs = accept.tariffs(specs, connection, team)
    paid = latest_of_each((spec.slug for spec in specs), lambda slug: _charges(slug, team), SEEN, *PAID)
    return [_entry(tariffs[spec.slug], spec, team, paid.get(spec.slug, [])) for spec in specs]


def entry(spec: ModelSpec, team: Team) -> Entry:
    """One of them."""
    tariff = accept.Tariff(spec, Connection.of(team), team)
    return _entry(tariff, spec, team, _charges(spec.slug, team).values_list(*PAID)[:SEEN])


def example(spec: ModelSpec) -> Mapping[str, Any]:
    """Params of an ordinary run, of which prices are compared."""
    defaults = {param.key: param.default for param in spec.params if param.default is not None}
    return {**defaults, **spec.example}


def _charges(model: str, team: Team) -> Any:
    """What the team was charged for runs of this model, newest first."""
    rows = Generation.objects.filter(team=team, model=model, status=State.SUCCEEDED)
    return rows.filter(cost_actual__isnull=False, finished_at__isnull=False).order_by("-id")


def _entry(tariff: accept.Tariff, spec: ModelSpec, team: Team, charged: Sequence[tuple[Any, ...]]) -> Entry:
    verdict = PriceDecision.of(team).get(spec.slug, "")
    mine = [one for one in charged if one[3] == charged[0][3]]
    return Entry(
        spec=tariff.spec,
        price=tariff.spec.price,
        own=tariff.own,
        factor=tariff.factor,
        example=tariff.quote(example(spec)).cost,
        paid=_paid(mine),
        moved_by=_moved(tariff.spec, mine),
        verdict=verdict,
        runs=PriceDecision.lets_run(team, spec.slug),
    )


def _paid(charged: Sequence[tuple[Any, ...]]) -> Paid | None:
    if not charged:
        return None
    when, _, last, currency = charged[0]
    return Paid(median([one[2] for one in charged]), last, when, len(charged), currency)


def _moved(spec: ModelSpec, charged: Sequence[tuple[Any, ...]]) -> int | None:
    """By how many percent the newest charges are off the earlier ones, None where they are not, or too few.

    Of each charge its part of the listed price counts, so that a long text is no change of price.
    """
    shares = []
    for _, params, actual, _currency in charged:
        listed = pricing.estimate(spec, params).amount if spec.price is not None else Decimal(1)
        if listed and actual:
            shares.append(actual / listed)
    if len(shares) < 2 * LATEST:
        return None
    ratio = median(shares[:LATEST]) / median(shares[LATEST:])
    return round((ratio - 1) * 100) if abs(ratio - 1) > DEPARTS else None
