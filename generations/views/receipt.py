"""The receipt: what was expected, what is held, what was charged."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from generations.models import Generation, State
from generations.pipeline import resolve

ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """An amount, or a word where there is none. `tone` is "", "good", "warn" or "bad"."""

    label: str
    amount: Decimal | None
    word: str = ""
    tone: str = ""
    is_total: bool = False


@dataclass(frozen=True)
class Receipt:
    """`note` is the sentence below the sum; `upstream` the fields as RunningHub gave them, for managers."""

    currency: str
    lines: list[Line]
    basis: str
    note: str
    upstream: list[tuple[str, str]]


def receipt(generation: Generation) -> Receipt:
    lines, note = _sum(generation)
    basis = generation.cost_basis.strip().rstrip(".") if generation.cost_estimated is not None else ""
    return Receipt(generation.currency, lines, basis, note, _upstream(generation))


def _sum(generation: Generation) -> tuple[list[Line], str]:
    estimate, actual = generation.cost_estimated, generation.cost_actual
    unknown = _("unknown")
    first = [Line(_("Estimate"), estimate, _("price unknown"))]
    if estimate is not None:
        first.append(Line(_("Held"), estimate))
    if not generation.is_over:
        if actual is not None:
            return [*first, Line(_("Charged"), actual, is_total=True)], _(
                "RunningHub has named the price already."
            )
        total = Line(_("Still on hold"), estimate, _("nothing"), "warn" if estimate else "", is_total=True)
        return [*first, Line(_("Charged so far"), None, unknown), total], _waiting(generation)
    if generation.status == State.SUCCEEDED:
        if actual is None:
            total = Line(_("Counted"), estimate, unknown, is_total=True)
            note = _("RunningHub named no price for it, so the estimate counts.")
            if estimate is None:
                note = _(
                    "RunningHub named no price for it, and the catalogue knows none. It counts as nothing."
                )
            return [*first, Line(_("Charged"), None, _("not reported")), total], note
        if estimate is None:
            return [*first, Line(_("Charged"), actual, is_total=True)], ""
        over = actual - estimate
        difference = Line(_("Difference"), over, tone="warn" if over > 0 else "good", is_total=True)
        return [*first, Line(_("Charged"), actual), difference], ""
    charged = actual or ZERO
    if estimate is not None:
        first.append(Line(_("Released"), max(ZERO, estimate - charged)))
    total = Line(_("Charged"), charged, tone="warn" if charged else "good", is_total=True)
    return [*first, total], "" if charged else _nothing_charged(generation)


def _waiting(generation: Generation) -> str:
    if generation.cost_estimated is None:
        return _("The price of this model is unknown. What it really cost stands here when it is over.")
    if generation.status == State.UNCONFIRMED:
        return _("The hold counts against the limits until this is settled.")
    if generation.cancel_requested_at:
        return _("It is released or charged as soon as RunningHub reports the final state.")
    return _("The hold counts against the limits. It is replaced by the real cost when this is over.")


def _nothing_charged(generation: Generation) -> str:
    if generation.error_code == resolve.RELEASED:
        return _("Nothing is known to have been charged. The hold was released by a manager.")
    if generation.submitting_at is None:
        return _("It was never sent, so nothing was charged.")
    return _("RunningHub reported no charge. Nothing was charged.")


def _upstream(generation: Generation) -> list[tuple[str, str]]:
    given = [
        (_("Task"), generation.upstream_id),
        (_("State at RunningHub"), generation.upstream_status),
        ("consumeMoney", generation.consume_money),
        ("consumeCoins", generation.consume_coins),
        ("taskCostTime", generation.task_cost_time),
        ("thirdPartyConsumeMoney", generation.third_party_consume_money),
    ]
    return [(label, value) for label, value in given if value]
