"""The price list, for everybody of the team; managers change what stands in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership
from generations import prices as verbs
from generations.catalogue import pricing
from generations.catalogue.spec import ModelSpec, Price
from generations.forms.price import OwnPrice
from generations.models import Connection, PriceDecision, TeamPrice
from generations.pipeline import accept
from generations.templatetags.ui import money
from generations.views import access, price_list


@require_safe
def prices(request: HttpRequest, team: str) -> HttpResponse:
    """Every model: what is expected, what was paid of late, and what changed."""
    membership = access.member(request, team)
    entries = price_list.entries(membership.team)
    context = {
        "entries": entries,
        "unknown": sum(1 for entry in entries if entry.price is None),
        "changed": sum(1 for entry in entries if entry.departs or entry.moved),
        "refuses": membership.team.unknown_price == "refuse",
    }
    with timezone.override(membership.team.zone):
        return render(request, "prices/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def price(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """A price of the team's own for one model."""
    actor = access.manager(request, team)
    spec = access.model(model, actor, permitted=False)
    form = OwnPrice(actor.team, spec, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _accepted(actor, spec, form):
        currency = Connection.of(actor.team).currency
        own = form.price(currency)
        verbs.put(
            actor.team,
            actor.user,
            spec.slug,
            amount=own.amount,
            currency=own.currency,
            unit=own.unit,
            param=own.param,
            since=own.as_of,
            note=form.cleaned_data["note"],
        )
        said = _("%(model)s is estimated at %(price)s from %(day)s on.")
        words = {"model": spec.title, "price": money(own.amount, currency), "day": f"{own.as_of}"}
        messages.success(request, said % words)
        return redirect("prices", team=team)
    context: dict[str, Any] = {
        "form": form,
        "entry": price_list.entry(spec, actor.team),
        "listed": spec.price,
        "odd": form.odd,
        "history": TeamPrice.objects.filter(team=actor.team, model=spec.slug)
        .select_related("set_by")
        .order_by("-pk")[:5],
    }
    return render(request, "prices/edit.html", context, status=422 if form.errors else 200)


@require_POST
def price_end(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """The team has no price of its own for this model any more."""
    actor = access.manager(request, team)
    spec = access.model(model, actor, permitted=False)
    own = TeamPrice.of(actor.team).get(spec.slug)
    if own is not None:
        today = timezone.now().astimezone(actor.team.zone).date()
        verbs.put(actor.team, actor.user, spec.slug, amount=None, currency=own.currency, since=today)
        messages.success(request, _("%(model)s has the catalogue’s price again.") % {"model": spec.title})
    return redirect("prices", team=team)


@require_POST
def price_decide(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Whether this model may run while its price is unknown: `allow`, `refuse`, or as the team's settings say."""
    actor = access.manager(request, team)
    spec = access.model(model, actor, permitted=False)
    said = request.POST.get("verdict", "")
    verdict = PriceDecision.Verdict(said) if said in PriceDecision.Verdict.values else None
    if verbs.decide(actor.team, actor.user, spec.slug, verdict):
        words = {"model": spec.title}
        if PriceDecision.lets_run(actor.team, spec.slug):
            messages.success(request, _("%(model)s may run while its price is unknown.") % words)
        else:
            messages.success(request, _("%(model)s is refused while its price is unknown.") % words)
    return redirect("prices", team=team)


def _accepted(actor: Membership, spec: ModelSpec, form: OwnPrice) -> bool:
    """Whether this price may be taken at once; else the form asks whether it is meant."""
    connection = Connection.of(actor.team)
    wanted = form.price(connection.currency)
    try:
        verbs.weigh(*before_and_after(actor, spec, wanted))
    except verbs.Odd as odd:
        if form.cleaned_data["sure"]:
            return True
        form.ask_again(odd)
        form.add_error(None, question(odd, connection.currency))
        return False
    return True


def before_and_after(actor: Membership, spec: ModelSpec, wanted: Price) -> Any:
    """What an ordinary run is expected to cost now, or was paid of late, and would cost then."""
    params = price_list.example(spec)
    before = accept.quote(spec, params, Connection.of(actor.team), actor.team).cost
    after = pricing.estimate(replace(spec, price=wanted), params).amount
    if after is None or before is None:
        entry = price_list.entry(spec, actor.team)
        return (entry.paid.median if entry.paid else before), after if after is not None else wanted.amount
    return before, after


def question(odd: verbs.Odd, currency: str) -> str:
    """Asks whether so unusual a price is meant."""
    words = {"after": money(odd.after, currency), "before": money(odd.before, currency)}
    if odd.before is None:
        said = _("An ordinary run would be estimated at %(after)s. Confirm it if this is meant.")
    else:
        said = _(
            "An ordinary run would be estimated at %(after)s instead of %(before)s. Confirm it if this is meant."
        )
    return said % words
