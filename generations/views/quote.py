"""What the form as it stands would cost, and what would be left: beside the button that spends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Measure, Team
from generations import forms, quota
from generations.catalogue import pricing
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.forms.field import Field
from generations.models import Connection
from generations.pipeline import accept
from generations.templatetags.ui import SIGNS
from generations.views import access, price_check, shell
from generations.views.plan import Plan, lines_of, plan

SOME_FILE = "upload:00000000-0000-0000-0000-000000000000"
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
    plan: Plan | None = None
    """Where several generations are asked for; `cost` is that of those which fit."""
    conflicts: Sequence[str] = ()
    """Sentences about values that do not go together or miss one another."""
    opinion: price_check.Opinion | None = None
    """RunningHub's own word about this very form."""
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
    spec = access.model(model, access.member(request, team))
    posted, many = forms.peek(spec, request.POST), forms.Many.read(request.POST)
    context = {"bill": bill(request, spec, posted, many), "alone": True, "spec": spec}
    return render(request, "studio/_quote.html", context)


def bill(request: HttpRequest, spec: ModelSpec, raw: Mapping[str, Any], many: forms.Many) -> Bill:
    """The cost of params that may be half written: what is missing is named, nothing is refused."""
    team: Team = request.membership.team  # type: ignore[attr-defined]
    spec, connection = accept.priced(spec, team), Connection.of(team)
    if not many.is_one:
        return _several(request, spec, raw, many, team)
    params = _draft(spec, raw)
    quoted = accept.quote(spec, params, connection, team)
    basis = quoted.basis
    if quoted.converted_from:
        words = {"basis": basis, "currency": quoted.converted_from}
        basis = _("%(basis)s, converted from %(currency)s") % words
    spending = [line for line in shell.standing(request) if line.measure == Measure.SPEND]
    each, counted = _per_character(spec, params, quoted.cost)
    missing, conflicts = _faults(spec, raw)
    is_rate = bool(each and spec.price and not params.get(spec.price.param))
    return Bill(
        cost=Decimal(each) * 1000 if is_rate else quoted.cost,
        currency=quoted.currency,
        basis=basis,
        line=shell.tightest(spending),
        each=each,
        counted=counted,
        missing=missing,
        conflicts=conflicts,
        is_rate=is_rate,
        opinion=price_check.opinion(team, spec, raw) if not missing and not conflicts else None,
    )


def _several(
    request: HttpRequest, spec: ModelSpec, raw: Mapping[str, Any], many: forms.Many, team: Team
) -> Bill:
    """The bill of several: how many fit into what is left, and what they come to."""
    standing, currency = shell.standing(request), Connection.of(team).currency
    line = shell.tightest([line for line in standing if line.measure == Measure.SPEND])
    try:
        lines = lines_of(spec, raw, many)
        planned = plan(spec, raw, lines, standing, team)
    except InvalidParams as invalid:
        said = [sentence for sentences in invalid.errors.values() for sentence in sentences]
        missing, conflicts = _faults(spec, {**raw, spec.prompt_param: "x"} if many.by_line else raw)
        if not missing and not conflicts:
            missing = " ".join(said[:1])
        return Bill(None, currency, "", line, missing=missing, conflicts=conflicts)
    return Bill(planned.cost, currency, "", line, plan=planned)


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


def _faults(spec: ModelSpec, raw: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The labels of settings that are not right by themselves, and what is to be said of several together."""
    try:
        spec.clean({key: _chosen(spec, key, value) for key, value in raw.items()})
    except InvalidParams as invalid:
        told = {key for key, said in invalid.errors.items() if set(said) - set(invalid.conflicts)}
        labels = [param.label for param in spec.params if param.key in told and not param.hidden]
        return ", ".join(labels[:NAMED]), invalid.conflicts
    return "", []


def _chosen(spec: ModelSpec, key: str, value: Any) -> Any:
    """A file that was chosen and not sent yet comes as its name; it counts as given."""
    param = next((param for param in spec.params if param.key == key), None)
    if param is None or not param.type.is_media or not value:
        return value
    return [SOME_FILE for _ in value] if isinstance(value, list) else SOME_FILE
