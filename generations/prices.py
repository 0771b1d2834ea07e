"""What managers say about prices: a price of the team's own, and whether a model of unknown price may run.

Each verb takes the team's row first, as `accept` does, and leaves an entry in the audit trail. Rows of prices are only
added, so what held on a day can always be told.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import transaction

from accounts.models import Team, User, audit
from generations.models import PriceDecision, TeamPrice

LEAST, MOST = Decimal("0.000001"), Decimal(100_000)
"""The bounds of a price of one unit. Zero would let everybody past every limit."""
DEPARTS = 5
"""So many times more or less than what was expected so far needs a second word."""
HIGH = Decimal(100)
"""What a run without any known price may cost before a second word is asked for."""


class Odd(Exception):
    """The price is far from what was expected; `before` is that, None where nothing is known."""

    def __init__(self, before: Decimal | None, after: Decimal) -> None:
        super().__init__(f"{before} would become {after}")
        self.before, self.after = before, after


def weigh(before: Decimal | None, after: Decimal) -> None:
    """Whether a run may go from this cost to that one without a second word. Raises `Odd`."""
    if before is None:
        if after > HIGH:
            raise Odd(before, after)
    elif not before / DEPARTS <= after <= before * DEPARTS:
        raise Odd(before, after)


def put(
    team: Team,
    by: User,
    model: str,
    *,
    amount: Decimal | None,
    currency: str,
    unit: str = "call",
    param: str = "",
    since: date,
    note: str = "",
) -> TeamPrice:
    """What a unit of this model costs the team from that day on; `amount` None: what the catalogue says.

    Raises `ValueError` for a price out of bounds.
    """
    if amount is not None and not (amount.is_finite() and LEAST <= amount <= MOST):
        raise ValueError(amount)
    with transaction.atomic():
        locked = Team.objects.select_for_update().get(pk=team.pk)
        before = TeamPrice.of(locked).get(model)
        made = TeamPrice.objects.create(
            team=locked,
            model=model,
            amount=amount,
            currency=currency,
            unit=unit,
            param=param,
            since=since,
            note=note,
            set_by=by,
        )
        audit.note(
            "price.changed",
            team=locked,
            by=by,
            subject=model,
            before=_told(before),
            after=_told(made),
            reason=note,
        )
    team.__dict__.pop("_prices", None)
    return made


def decide(team: Team, by: User, model: str, verdict: PriceDecision.Verdict | None) -> bool:
    """Whether this model may run while its price is unknown; None: as the team's setting says.

    False: it is so already.
    """
    with transaction.atomic():
        locked = Team.objects.select_for_update().get(pk=team.pk)
        before = PriceDecision.of(locked).get(model)
        if before == verdict:
            return False
        rows = PriceDecision.objects.filter(team=locked, model=model)
        if verdict is None:
            rows.delete()
        else:
            PriceDecision.objects.update_or_create(
                team=locked, model=model, defaults={"verdict": verdict, "decided_by": by}
            )
        words = {"before": before or "as the team", "after": verdict.value if verdict else "as the team"}
        audit.note(
            "price.changed",
            team=locked,
            by=by,
            subject=model,
            before={"unknown price": words["before"]},
            after={"unknown price": words["after"]},
        )
    team.__dict__.pop("_price_decisions", None)
    return True


def _told(price: TeamPrice | None) -> dict[str, object]:
    if price is None or price.amount is None:
        return {"amount": None, **({"since": f"{price.since}"} if price else {})}
    return {
        "amount": price.amount,
        "currency": price.currency,
        "unit": price.unit,
        "since": f"{price.since}",
    }
