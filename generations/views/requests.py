"""Requests for more: managers decide, members withdraw; and orders that are held until a limit starts anew."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Measure, Membership, Scope
from generations import asking, standings
from generations.limit_words import limit_name
from generations.models import AllowanceRequest, Connection, HeldOrder
from generations.pipeline import hold
from generations.views import access, allowances
from generations.views.arithmetic import sums
from generations.views.sound import model_title

SHOWN = 50
DECIDED = 10


@require_safe
def allowance_requests(request: HttpRequest, team: str) -> HttpResponse:
    """For managers: what is asked for, the oldest first, each with where the person stands."""
    return _page(request, access.manager(request, team))


@require_POST
def request_decide(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """For managers: `decision` is `once`, `on` or `decline`. 422 for an amount that cannot be granted."""
    actor = access.manager(request, team)
    found = access.allowance_request(actor, pk)
    decision = request.POST.get("decision")
    if decision not in ("once", "on", "decline"):
        raise Http404
    words = {"name": found.membership.user.display_name}
    try:
        if decision == "decline":
            asking.decline(found, actor, request.POST.get("answer", "").strip())
            messages.success(request, _("Declined; %(name)s is told.") % words)
            return redirect("allowance_requests", team)
        amount = amount_of(request.POST.get("amount", ""), found.measure)
        if decision == "once":
            asking.grant_once(found, actor, amount)
        else:
            asking.grant_for_good(found, actor, amount)
        messages.success(request, _("Granted; %(name)s is told.") % words)
    except ValueError as fault:
        return _page(request, actor, wrong=found.pk, fault=str(fault), status=422)
    except asking.Settled as settled:
        messages.info(request, _settled(settled.request))
    return redirect("allowance_requests", team)


@require_POST
def request_withdraw(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """For whoever asked."""
    membership = access.member(request, team)
    found = access.allowance_request(membership, pk)
    if found.membership_id != membership.pk:
        raise Http404
    try:
        asking.withdraw(found)
        messages.info(request, _("Your request is withdrawn."))
    except asking.Settled as settled:
        messages.info(request, _settled(settled.request))
    return redirect("usage", team)


@require_POST
def held_withdraw(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """For whoever holds it: it is not sent, and its form is open again."""
    membership = access.generating_member(request, team)
    draft = hold.withdraw(access.held_order(membership, pk))
    if draft is None:
        messages.info(request, _("This was sent or taken back already."))
        return redirect("usage", team)
    messages.info(request, _("It is not sent by itself any more. The form is as you filled it."))
    return redirect("draft_open", team, draft.pk)


def waiting_of(membership: Membership) -> dict[str, Any]:
    """What of one member waits: requests and held orders, for their usage page."""
    asked = AllowanceRequest.objects.filter(membership=membership, state=AllowanceRequest.State.OPEN)
    held = HeldOrder.objects.filter(membership=membership, state=HeldOrder.State.WAITING)
    return {
        "asked": [
            {"request": one, "name": limit_name(one.scope, one.measure, one.period)}
            for one in asked.order_by("pk")
        ],
        "held_orders": [
            {"order": one, "model_title": model_title(one.model)} for one in held.order_by("due_at", "pk")
        ],
    }


def open_count(membership: Membership) -> int:
    """How many requests wait for a manager of this team."""
    rows = AllowanceRequest.objects.filter(team=membership.team_id, state=AllowanceRequest.State.OPEN)
    return rows.count()


def _page(
    request: HttpRequest,
    actor: Membership,
    *,
    wrong: uuid.UUID | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    rows = AllowanceRequest.objects.filter(team=actor.team_id).select_related(
        "membership__user", "membership__team", "decided_by"
    )
    waiting = list(rows.filter(state=AllowanceRequest.State.OPEN).order_by("pk")[:SHOWN])
    decided = rows.exclude(state=AllowanceRequest.State.OPEN).order_by("-pk")[:DECIDED]
    with timezone.override(actor.team.zone):
        found = standings.everybody(actor.team, [one.membership for one in waiting]) if waiting else None
        topups = allowances.in_force(actor) if waiting else []
        currency = Connection.of(actor.team).currency
        context = {
            "requests": [
                {
                    "request": one,
                    "name": limit_name(one.scope, one.measure, one.period),
                    "model_title": model_title(one.model) if one.model else "",
                    "fault": fault if one.pk == wrong else "",
                    "given": request.POST.get("amount", "") if one.pk == wrong else "",
                    "sums": [
                        sum_
                        for sum_ in sums(place, topups, currency)
                        if sum_.line.measure == one.measure
                        and (sum_.line.scope == Scope.POOL or sum_.line.period == one.period)
                    ],
                }
                for one, place in zip(waiting, found.people if found else (), strict=True)
            ],
            "decided": [
                {"request": one, "name": limit_name(one.scope, one.measure, one.period)} for one in decided
            ],
        }
        return render(request, "allowances/requests.html", context, status=status)


def amount_of(text: str, measure: str) -> Decimal:
    """What is granted or asked for of this measure. Raises `ValueError` with a sentence."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(_("Write an amount such as 12.50.")) from None
    if not amount.is_finite() or not 0 < amount < Decimal(10) ** 9 or amount != round(amount, 6):
        raise ValueError(_("Write an amount such as 12.50."))
    if measure == Measure.COUNT and amount != amount.to_integral_value():
        raise ValueError(_("Write a whole number of generations."))
    return amount


def _settled(found: AllowanceRequest) -> str:
    words = {
        "by": found.decided_by.display_name if found.decided_by else "",
        "state": found.get_state_display(),
    }
    if found.decided_by is not None:
        return _("%(by)s was quicker; it is: %(state)s. Nothing was changed.") % words
    return _("It is not open any more: %(state)s. Nothing was changed.") % words
