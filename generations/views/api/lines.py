"""Limits and their use, as the API shows them."""

from __future__ import annotations

from decimal import Decimal

from accounts.models import Measure, Scope
from generations import quota
from generations.views.api import schemas


def shown(line: quota.Line) -> schemas.Line:
    """One limit in force."""

    def number(value: Decimal) -> str | int:
        return schemas.amount(value) if line.measure == Measure.SPEND else int(value)

    return schemas.Line.model_validate(
        {
            "name": line.name,
            "scope": line.scope.value,
            "measure": line.measure.value,
            "period": line.period.value,
            "limit": number(line.limit),
            "used": number(line.used),
            "left": number(line.left),
            "action": line.action.value,
            "resets_at": line.resets_at,
        }
    )


def sentence(refusal: quota.QuotaExceeded) -> str:
    """What refuses, what the request costs and what is left."""
    line = refusal.line
    whose = {Scope.POOL: "The team", Scope.TOKEN: "This token"}.get(line.scope, "You")
    if line.measure == Measure.CONCURRENT:
        return f"{whose} may have {line.limit:f} at the same time; wait until one has ended."
    within = {"none": "in all"}.get(line.period, f"per {line.period}")
    if line.measure == Measure.COUNT:
        return f"{whose} may generate {line.limit:.0f} {within}; {line.left:.0f} are left."
    money = (
        f"{schemas.amount(line.limit)} {refusal.currency} {within}, and {schemas.amount(line.left)} is left"
    )
    cost = "an amount that is not known" if refusal.cost is None else schemas.amount(refusal.cost)
    return f"{whose} may spend {money}; this costs {cost}."
