"""What the form as it stands would cost, and what would be left: beside the button that spends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Measure
from generations import forms, quota
from generations.catalogue import load, pricing
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.forms.field import Field
from generations.models import Connection
from generations.pipeline import accept
from generations.templatetags.ui import SIGNS
from generations.views import access, shell

NAMED = 3
"""Settings named as missing; more than that only crowd the line."""


@dataclass(frozen=True)
class Bill:
    """`each` is what one more character of the field `counted` costs, "" where length does not matter."""

    cost: Decimal | None
    currency: str
    basis: str
    line: quota.Line | None
    each: str = ""
    counted: str = ""
    missing: str = ""
    is_rate: bool = False
    """Nothing is written yet: `cost` is that of a thousand characters, and nothing would be taken off."""

    @property
    def after(self) -> Decimal | None:
        if self.line is None:
            return None
        # Below nothing where a limit was lowered: the refusal counts it like this too.
        left = self.line.limit - self.line.used
        return left - self.taken if self.taken else max(Decimal(0), left)

    @property
    def taken(self) -> Decimal | None:
        """What one run as it stands would use of the limit."""
        return None if self.is_rate else self.cost

    @property
    def over(self) -> Decimal | None:
        """By how much it goes over the limit; None when it fits."""
        return -self.after if self.after is not None and self.after < 0 else None

    @property
    def left_plain(self) -> str:
        return "" if self.line is None else f"{self.line.limit - self.line.used:f}"

    @property
    def limit_plain(self) -> str:
        return "" if self.line is None else f"{self.line.limit:f}"

    @property
    def sign(self) -> str:
        return SIGNS.get(self.currency, f"{self.currency} ")


@require_POST
def quote(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """The two parts of the footer that tell the cost, for htmx to put in place. Changes nothing."""
    access.member(request, team)
    try:
        spec = load.get(model)
    except load.UnknownModel:
        raise Http404 from None
    posted = forms.peek(spec, request.POST)
    return render(request, "studio/_quote.html", {"bill": bill(request, spec, posted), "alone": True})


def bill(request: HttpRequest, spec: ModelSpec, raw: Mapping[str, Any]) -> Bill:
    """The cost of params that may be half written: what is missing is named, nothing is refused."""
    connection = Connection.current()
    params = _draft(spec, raw)
    quoted = accept.quote(spec, params, connection)
    basis = quoted.basis
    if quoted.converted_from:
        words = {"basis": basis, "currency": quoted.converted_from}
        basis = _("%(basis)s, converted from %(currency)s") % words
    spending = [line for line in shell.standing(request) if line.measure == Measure.SPEND]
    each, counted = _per_character(spec, params, quoted.cost)
    is_rate = bool(each and spec.price and not params.get(spec.price.param))
    return Bill(
        cost=Decimal(each) * 1000 if is_rate else quoted.cost,
        currency=quoted.currency,
        basis=basis,
        line=shell.tightest(spending),
        each=each,
        counted=counted,
        missing=_missing(spec, raw),
        is_rate=is_rate,
    )


def _draft(spec: ModelSpec, raw: Mapping[str, Any]) -> dict[str, Any]:
    params = {param.key: param.default for param in spec.params if param.default is not None}
    for key, value in raw.items():
        params[key] = value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
    return params


def _per_character(spec: ModelSpec, params: Mapping[str, Any], cost: Decimal | None) -> tuple[str, str]:
    """For a first guess while typing; the next answer from here corrects it."""
    price = spec.price
    if cost is None or price is None or pricing.counts(price.unit) != "character":
        return "", ""
    text = params.get(price.param)
    length = max(1, len(text) if isinstance(text, str) else 0)
    listed = pricing.estimate(spec, params).amount or cost
    per = int(price.unit.partition(" ")[0]) if price.unit[0].isdigit() else 1
    # The listed rate, corrected by what conversion and past charges made of it.
    each = price.amount / per * (cost / listed) if length > 1 else price.amount / per
    return f"{each:.8f}", Field(spec.param(price.param)).id


def _missing(spec: ModelSpec, raw: Mapping[str, Any]) -> str:
    try:
        spec.clean(raw)
    except InvalidParams as invalid:
        labels = [param.label for param in spec.params if param.key in invalid.errors and not param.hidden]
        return ", ".join(labels[:NAMED])
    return ""
