"""A limit as a sum that everybody can check: what is allowed, plus what was granted, minus what is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Action, Measure, Period, Scope, TopUp
from generations.limit_words import limit_name
from generations.quota import Line
from generations.standings import Standing, winner
from generations.templatetags.ui import money, resets

EACH = {
    Period.DAY: gettext_lazy("%(amount)s a day"),
    Period.WEEK: gettext_lazy("%(amount)s a week"),
    Period.MONTH: gettext_lazy("%(amount)s a month"),
    Period.NONE: gettext_lazy("%(amount)s in all"),
}
FROM = {
    Scope.POOL: gettext_lazy("%(limit)s for the whole team"),
    Scope.DEFAULT: gettext_lazy("%(limit)s from the team default"),
    Scope.MEMBER: gettext_lazy("%(limit)s from a limit of their own"),
    Scope.OWN: gettext_lazy("%(limit)s from the cap they set themself"),
}
FROM_YOURS = {
    **FROM,
    Scope.MEMBER: gettext_lazy("%(limit)s from a limit of your own"),
    Scope.OWN: gettext_lazy("%(limit)s from the cap you set yourself"),
}


@dataclass(frozen=True)
class Sum:
    """One limit as a sum. `wins`: it refuses first of those of its measure, and `why` says so in a sentence."""

    line: Line
    name: str
    text: str
    wins: bool = False
    why: str = ""

    @property
    def resets(self) -> str:
        """When it starts anew, in words."""
        return anew(self.line)


def amount_of(line: Line, value: Decimal, currency: str) -> str:
    """Money for a limit on spending, a whole number else."""
    if line.measure == Measure.SPEND:
        return money(value, currency)
    return number_format(int(value)).replace("-", "−")


def sums(
    standing: Standing, topups: Sequence[TopUp], currency: str, *, yours: bool = False, why: bool = True
) -> list[Sum]:
    """Every limit in force for a person, or of the pool. `topups` are those of the team that are in force now."""
    found = []
    for line in standing.lines:
        rivals = [other for other in standing.lines if other.measure == line.measure]
        wins = why and line is winner(rivals)
        found.append(
            Sum(
                line=line,
                name=limit_name(line.scope, line.measure, line.period),
                text=sentence(line, standing, topups, currency, yours=yours),
                wins=wins,
                why=_why(rivals) if wins else "",
            )
        )
    return found


def sentence(
    line: Line, standing: Standing, topups: Sequence[TopUp], currency: str, *, yours: bool = False
) -> str:
    """Such as "¥20.00 a week from the team default + ¥5.00 granted until Fri 00:00 − ¥18.20 used − ¥1.00 held = ¥5.80
    left". What is used and what is held are together the use that counts.
    """

    def shown(value: Decimal) -> str:
        return amount_of(line, value, currency)

    is_pool = line.scope == Scope.POOL
    each = _("%(amount)s at the same time") if line.measure == Measure.CONCURRENT else EACH[line.period]
    parts = [
        str((FROM_YOURS if yours else FROM)[line.scope]) % {"limit": str(each) % {"amount": shown(line.base)}}
    ]
    whose = standing.membership.pk if standing.membership and not is_pool else None
    for topup in topups if line.granted else ():
        if topup.membership_id == whose and topup.measure == line.measure:
            words = {"amount": shown(topup.amount or Decimal(0)), "when": resets(topup.until_at)}
            parts.append("+ " + _("%(amount)s granted until %(when)s") % words)
    # The held part of the pool is everybody's, which is not known beside one person's.
    held = Decimal(0) if is_pool and standing.membership else standing.held.get(line.period, Decimal(0))
    if line.measure == Measure.CONCURRENT:
        parts.append("− " + _("%(amount)s running") % {"amount": shown(line.used)})
    elif line.measure == Measure.SPEND and held:
        parts.append("− " + _("%(amount)s used") % {"amount": shown(line.used - held)})
        parts.append("− " + _("%(amount)s held") % {"amount": shown(held)})
    else:
        parts.append("− " + _("%(amount)s used") % {"amount": shown(line.used)})
    return " ".join(parts) + " " + _rest(line, currency)


def _rest(line: Line, currency: str) -> str:
    rest = line.limit - line.used
    if rest < 0:
        over = {"amount": amount_of(line, rest, currency)}
        return _("= %(amount)s, so nothing is left") % over
    return _("= %(amount)s left") % {"amount": amount_of(line, rest, currency)}


def _why(rivals: Sequence[Line]) -> str:
    blocking = [line for line in rivals if line.action == Action.BLOCK]
    if len(blocking) == 1:
        return _("It is the only one that refuses.")
    return _("Of %(n)s limits it leaves the least.") % {"n": len(blocking)}


def anew(line: Line) -> str:
    """When a limit starts anew."""
    moment: datetime | None = line.resets_at
    if line.measure == Measure.CONCURRENT:
        return _("free again when one ends")
    return _("resets %(when)s") % {"when": resets(moment)} if moment else _("never resets")
