"""A form that asks for several generations: its lines as orders, what they would cost, and sending them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Team
from generations import forms, quota
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.catalogue.text import Fault, settled, within
from generations.forms.posted import COPIES, TITLE_LENGTH
from generations.models import Connection
from generations.pipeline import several
from generations.pipeline.accept import Tariff
from generations.pipeline.several import MOST, Line


def lines_of(spec: ModelSpec, raw: Mapping[str, Any], many: forms.Many) -> list[Line]:
    """What several generations say, in order. Raises `InvalidParams` at the main text, or at the copies.

    Only a model with a main text can be asked by the line; without one the copies alone count.
    """
    text = raw.get(spec.prompt_param)
    if many.by_line and spec.prompt_param and isinstance(text, str):
        said: list[tuple[str, str | None]] = list(many.texts(text))
        if not said:
            raise InvalidParams({spec.prompt_param: [_("Write at least one line.")]})
    else:
        said = [("", None)]
    if len(said) * many.copies > MOST:
        sentence = _("This would be %(n)s generations; at most %(most)s can be sent at once.")
        raise InvalidParams({COPIES: [sentence % {"n": len(said) * many.copies, "most": MOST}]})
    for place, (title, _text) in enumerate(said, start=1):
        try:
            within(settled(title), None, TITLE_LENGTH)
        except Fault as fault:
            where = _("The title of line %(n)s: %(fault)s") % {"n": place, "fault": fault}
            raise InvalidParams({spec.prompt_param: [where]}) from None
    each = [(title, text) for title, text in said for _copy in range(many.copies)]
    return [Line(place, text, title) for place, (title, text) in enumerate(each, start=1)]


@dataclass(frozen=True)
class Plan:
    """What several generations would come to: `fit` of `many` within the limits, for `cost` together.

    `rest_cost` is what those that do not fit would cost. A sum is None when the price of one is unknown.
    """

    many: int
    fit: int
    cost: Decimal | None
    rest_cost: Decimal | None

    @property
    def rest(self) -> int:
        return self.many - self.fit

    @property
    def total(self) -> Decimal | None:
        return None if self.cost is None or self.rest_cost is None else self.cost + self.rest_cost


def plan(
    spec: ModelSpec,
    raw: Mapping[str, Any],
    lines: list[Line],
    standing: list[quota.Line],
    team: Team,
) -> Plan:
    """The plan for a form as it stands. Raises `InvalidParams` when it cannot be sent."""
    wanted = several.orders(spec, raw, lines, Tariff(spec, Connection.of(team), team))
    costs = [order.estimate.cost for order in wanted]
    room = quota.room(standing, costs)
    return Plan(len(costs), room.fit, _sum(costs[: room.fit]), _sum(costs[room.fit :]))


def _sum(costs: list[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
