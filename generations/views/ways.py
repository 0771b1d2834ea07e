"""Ways on after a refusal, chosen in the form that was refused: ask for more, take it from the pool, hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Action, Measure, Membership
from generations import asking, forms, quota
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.forms.posted import ASK_AMOUNT, ASK_LIMIT, ASK_REASON
from generations.models import Connection
from generations.pipeline import accept, draw
from generations.pipeline import hold as holding
from generations.templatetags.ui import resets
from generations.views.drafts import drop_sent, keep, with_files
from generations.views.refusal import Refusal

LONGEST = 500


def refusal(
    membership: Membership, spec: ModelSpec, posted: forms.Posted, exceeded: quota.QuotaExceeded, **more: Any
) -> Refusal:
    """The refusal as it stands in the form, with every way on."""
    return Refusal(
        membership,
        spec,
        posted.raw,
        exceeded.line,
        exceeded.cost,
        exceeded.currency,
        lines=exceeded.lines,
        is_one=posted.many.is_one and posted.voice is None,
        **more,
    )


def ask(
    request: HttpRequest,
    membership: Membership,
    spec: ModelSpec,
    posted: forms.Posted,
    filled: Callable[..., HttpResponse],
) -> HttpResponse:
    """Keeps the form as a draft, asks, and leads back to it. 402 with the form when something of it is missing."""
    named = request.POST.get(ASK_LIMIT, "")
    lines = [line for line in quota.standing(membership) if asking.may_be_asked_for(line)]
    line = next((line for line in lines if line.name == named), None)
    if line is None:
        messages.info(request, _("This limit is not in force any more. Generate once more."))
        return filled()
    given = {
        "amount": request.POST.get(ASK_AMOUNT, "").strip(),
        "reason": " ".join(request.POST.get(ASK_REASON, "").replace("\x00", "").split()),
    }
    fault: dict[str, str] = {}
    amount = _amount(given["amount"], line)
    if amount is None:
        spends = line.measure == Measure.SPEND
        fault["amount"] = _("Write an amount such as 12.50.") if spends else _("Write a whole number.")
    if not given["reason"]:
        fault["reason"] = _("Write a sentence, so that a manager can decide.")
    elif len(given["reason"]) > LONGEST:
        fault["reason"] = _("At most %(most)s characters.") % {"most": LONGEST}
    if fault or amount is None:
        exceeded = quota.QuotaExceeded([line], _cost(membership, spec, posted.raw), _currency(membership))
        return filled(
            refusal=refusal(membership, spec, posted, exceeded, asked=given, fault=fault), status=402
        )
    draft = keep(request, membership, spec, with_files(request, spec, posted))
    asking.ask(membership, line, amount, given["reason"], draft, spec.slug)
    messages.success(request, _("Asked. The managers are told, and your form is kept until they answer."))
    page = reverse("studio_model", args=[membership.team.slug, spec.slug])
    return _see(f"{page}?draft={draft.pk}")


def hold(
    request: HttpRequest,
    membership: Membership,
    spec: ModelSpec,
    posted: forms.Posted,
    filled: Callable[..., HttpResponse],
    once: str = "",
) -> HttpResponse:
    """Keeps the order until the limits that refuse it have started anew. Raises `InvalidParams`."""
    spec.clean(posted.raw)
    cost = _cost(membership, spec, posted.raw)
    refusing = [
        line for line in quota.standing(membership) if line.action == Action.BLOCK and line.refuses(cost)
    ]
    due = holding.due_at(refusing)
    if not refusing:
        messages.info(request, _("It fits now: generate."))
        return filled()
    if due is None or posted.voice is not None or not holding.may_hold(spec):
        messages.error(request, _("This cannot wait by itself: one of the limits never starts anew."))
        return filled()
    try:
        holding.hold(membership, spec, posted.raw, posted.title, due, once=once)
    except holding.TooMany:
        words = {"most": holding.MOST}
        messages.error(request, _("You hold %(most)s already. Take one back on your usage page.") % words)
        return filled()
    drop_sent(request, membership, spec)
    with timezone.override(membership.team.zone):
        messages.success(
            request, _("Held until %(when)s. It is sent then, if the limits let it.") % {"when": resets(due)}
        )
    return _see(reverse("usage", args=[membership.team.slug]))


def draw_or_accept(
    membership: Membership, model: str, raw: Mapping[str, Any], **more: Any
) -> accept.Accepted:
    """Takes from the pool what is missing; where that is not possible, the door says why."""
    try:
        if more.get("voice") is None:
            return draw.accept(membership, model, raw, **more)
    except draw.NotFromPool:
        pass
    return accept.accept(membership, model, raw, **more)


def _amount(text: str, line: quota.Line) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 < amount < Decimal(10) ** 9 or amount != round(amount, 6):
        return None
    whole = line.measure == Measure.SPEND or amount == amount.to_integral_value()
    return amount if whole else None


def _cost(membership: Membership, spec: ModelSpec, raw: Mapping[str, Any]) -> Decimal | None:
    try:
        return accept.quote(spec, spec.clean(raw), Connection.of(membership.team), membership.team).cost
    except InvalidParams:
        return None


def _currency(membership: Membership) -> str:
    return Connection.of(membership.team).currency


def _see(address: str) -> HttpResponse:
    answer = redirect(address)
    answer.status_code = 303
    return answer
