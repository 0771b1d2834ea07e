"""A refusal with the ways on: what it would cost, what is left, which limit, when it resets, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Measure, Membership, Scope, User
from generations import asking, quota, vault
from generations.catalogue import pricing
from generations.catalogue.spec import ModelSpec
from generations.limit_words import limit_name
from generations.pipeline import draw, hold
from generations.templatetags.ui import money, resets
from generations.views import picker

CHEAPER = 3
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Refusal:
    """Why an order was not taken. `line` is the limit that refused; None when the price is unknown.

    With `lines`, all that refuse, it stands in the form itself and offers what needs that: to ask for more, to take it
    from the pool, to hold it. Elsewhere `where` leads to such a form. `asked` and `fault` are what was written to ask
    and what is wrong with it.
    """

    membership: Membership
    spec: ModelSpec
    params: Mapping[str, Any]
    line: quota.Line | None = None
    cost: Decimal | None = None
    currency: str = ""
    lines: Sequence[quota.Line] = ()
    is_one: bool = True
    where: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    fault: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_ask(self) -> bool:
        """Managers are asked by those who cannot change the limit themselves."""
        asks = bool(self.lines) and self.line is not None and asking.may_be_asked_for(self.line)
        return asks and not self.membership.may_manage

    @property
    def ask_amount(self) -> str:
        """What is missing, to be asked for, unless something else was written."""
        if "amount" in self.asked or self.line is None:
            return self.asked.get("amount", "")
        if not self.counts_money:
            return "1"
        short = max(Decimal(0), self.line.used + (self.cost or Decimal(0)) - self.line.limit)
        return f"{short.quantize(CENT, rounding=ROUND_UP):f}"

    @property
    def may_draw(self) -> bool:
        """Whether the pool would give what is missing, at once."""
        if not (self.lines and self.is_one and self.membership.team.pool_draw) or vault.maker(self.spec):
            return False
        lines = quota.standing(self.membership)
        return bool(draw.needed(lines, self.cost))

    @property
    def hold_until(self) -> datetime | None:
        """When it would be sent by itself; None where it cannot wait so."""
        if not (self.lines and self.is_one and hold.may_hold(self.spec)):
            return None
        return hold.due_at(self.lines)

    @property
    def is_own_cap(self) -> bool:
        return self.line is not None and self.line.scope == Scope.OWN

    @property
    def form_link(self) -> str:
        page = reverse("studio_model", kwargs={"team": self.membership.team.slug, "model": self.spec.slug})
        return page + self.where

    @property
    def counts_money(self) -> bool:
        return self.line is not None and self.line.measure == Measure.SPEND

    def _amount(self, value: Decimal | None) -> str:
        if value is None:
            return _("Unknown")
        return money(value, self.currency) if self.counts_money else f"{int(value):,}"

    @property
    def title(self) -> str:
        if self.line is None:
            return _("The price of this model is not known")
        return _("This would go over the limit “%(limit)s”") % {"limit": self.limit_words}

    @property
    def warning(self) -> str:
        """For a limit that only warns: it was sent, and somebody should know."""
        return _("This was sent and passes the limit “%(limit)s”.") % {"limit": self.limit_words}

    @property
    def step(self) -> Decimal | None:
        return self.cost if self.counts_money else Decimal(1)

    @property
    def needs(self) -> str:
        return self._amount(self.step)

    @property
    def left(self) -> str:
        return self._amount(self.line.left) if self.line else ""

    @property
    def of_words(self) -> str:
        return _("of %(limit)s") % {"limit": self._amount(self.line.limit)} if self.line else ""

    @property
    def short(self) -> str:
        if self.line is None or self.step is None:
            return ""
        return self._amount(max(Decimal(0), self.line.used + self.step - self.line.limit))

    @property
    def limit_words(self) -> str:
        line = self.line
        return limit_name(line.scope, line.measure, line.period) if line else ""

    @property
    def meter_words(self) -> str:
        if self.line is None:
            return ""
        return _("%(used)s of %(limit)s used; this would need %(needs)s") % {
            "used": self._amount(self.line.used),
            "limit": self._amount(self.line.limit),
            "needs": self.needs,
        }

    @property
    def wait_words(self) -> str:
        if self.line is None:
            return _("Estimates come with the catalogue; this model may get a price with the next one.")
        if self.line.resets_at is not None:
            when = {"when": resets(self.line.resets_at)}
            return _("The limit starts anew: %(when)s. From then on this can be sent as it is.") % when
        if self.line.measure == Measure.CONCURRENT:
            return _("As soon as one of those under way has ended, this can be sent as it is.")
        if self.is_own_cap:
            return _("You set this cap yourself, and it does not start anew by itself.")
        return _("This limit does not start anew by itself; only a manager can change it.")

    @property
    def shorter(self) -> int | None:
        """The length of text that would still fit; None where length does not decide."""
        price = self.spec.price
        if self.line is None or self.cost is None or not self.counts_money or price is None:
            return None
        text = self.params.get(price.param)
        if pricing.counts(price.unit) != "character" or not isinstance(text, str) or not self.cost:
            return None
        fits = int((self.line.left / self.cost * len(text)).to_integral_value(rounding=ROUND_DOWN))
        return fits if fits >= 1 else None

    @property
    def cheaper(self) -> Sequence[picker.Offer]:
        """Other models whose single run fits into what is left."""
        if self.line is None or not self.counts_money:
            return []
        offers = [offer for group in picker.groups(self.membership) for offer in group.offers]
        others = [one for one in offers if one.slug != self.spec.slug and one.cost is not None]
        fit = [one for one in others if (one.cost or 0) <= self.line.left]
        return sorted(fit, key=lambda one: one.kind != self.spec.kind)[:CHEAPER]

    @property
    def managers(self) -> list[User]:
        rows = Membership.objects.filter(
            team=self.membership.team_id, role__in=Membership.MANAGING, ended_at=None, user__is_active=True
        )
        return [row.user for row in rows.select_related("user").order_by("user__name", "pk")]

    @property
    def change_link(self) -> str:
        team = self.membership.team.slug
        if self.line is None:
            return reverse("team_settings", kwargs={"team": team})
        if self.line.scope == Scope.OWN:
            return reverse("own_cap", kwargs={"team": team})
        if self.line.scope == Scope.MEMBER:
            where = {"team": team, "scope": "member", "pk": self.membership.pk}
            return reverse("member_limits", kwargs=where)
        return reverse("limits", kwargs={"team": team, "scope": self.line.scope.value})
