"""AI apps and workflows of the team: managers bring them in, settle what they ask for, and look what changed since."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Membership
from accounts.roles import Deed
from generations import loras
from generations import own_models as verbs
from generations.catalogue.text import Fault
from generations.forms.own_model import BringIn, Settling
from generations.models import PriceDecision, TeamModel, TeamPrice
from generations.views import access, picker


@require_http_methods(["GET", "HEAD", "POST"])
def own_models(request: HttpRequest, team: str) -> HttpResponse:
    """All of the team, and a form to bring in another one."""
    actor = access.may(request, team, Deed.BRING_IN)
    form = BringIn(request.POST if request.method == "POST" else None, initial={"source": "app"})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = verbs.add(actor.team, actor.user, said["source"], said["pasted"])
        except verbs.NotDone as error:
            form.add_error("pasted", str(error))
        else:
            return redirect("own_model", team, made.pk)
    rows = TeamModel.objects.filter(team=actor.team).order_by("-pk")
    titles = dict(verbs.current_forms().filter(model__team=actor.team).values_list("model_id", "data__title"))
    context = {
        "form": form,
        "rows": [(row, titles.get(row.pk) or (row.found or {}).get("title") or row.upstream) for row in rows],
    }
    return render(request, "own/page.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def own_model(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """One of them: how the fetching stands, then the form that settles it. A POST makes it the one in use, or with
    `way=take` opens what was ticked and saves nothing.
    """
    actor = access.may(request, team, Deed.BRING_IN)
    model = access.own_model(actor, pk)
    form = Settling(
        model, verbs.latest(model), picker.kind_labels(), request.POST if request.method == "POST" else None
    )
    if request.method != "POST" or form.is_taking:
        return _show(request, actor, model, form)
    if not form.base:
        messages.info(request, _("There is nothing to settle yet."))
        return redirect("own_model", team, pk)
    if not form.is_valid():
        return _show(request, actor, model, form, status=422)
    try:
        spec = verbs.settle(model, actor.user, form.data, form.password, form.mark)
    except verbs.Moved as moved:
        model = access.own_model(actor, pk)
        form = Settling(model, verbs.latest(model), picker.kind_labels(), request.POST)
        form.fault = str(moved)
        return _show(request, actor, model, form, status=422)
    except (Fault, verbs.NotDone) as fault:
        form.fault = str(fault)
        return _show(request, actor, model, form, status=422)
    messages.success(request, _("“%(title)s” is settled, and in use from now on.") % {"title": spec.title})
    return redirect("own_model", team, pk)


def _show(
    request: HttpRequest, actor: Membership, model: TeamModel, form: Settling, status: int = 200
) -> HttpResponse:
    title = (
        form.latest.title if form.latest else (model.found or {}).get("title") or model.get_source_display()
    )
    context: dict[str, Any] = {
        "one": model,
        "title": title,
        "form": form,
        "loras": loras.names(actor.team) if any(one.takes_lora for one in form.inputs) else [],
        "is_waiting": model.state == TeamModel.State.WAITING,
        "price": TeamPrice.of(actor.team).get(model.slug),
        "runs_unpriced": PriceDecision.lets_run(actor.team, model.slug),
    }
    details = getattr(request, "htmx", None)
    part = details and details.target == "own-state" and not details.boosted
    template = "own/_state.html" if part else "own/model.html"
    with timezone.override(actor.team.zone):
        answer = render(request, template, context, status=status)
    if part and not context["is_waiting"]:
        answer["HX-Refresh"] = "true"  # the form stands below, and is another one now
    return answer


@require_POST
def own_model_refresh(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Has its form fetched again; nothing is replaced by that."""
    actor = access.may(request, team, Deed.BRING_IN)
    if not verbs.refresh(access.own_model(actor, pk), actor.user):
        messages.info(request, _("It is being fetched already."))
    return redirect("own_model", team, pk)


@require_POST
def own_model_leave(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Leaves it as it is settled, whatever was fetched."""
    actor = access.may(request, team, Deed.BRING_IN)
    if verbs.pass_over(access.own_model(actor, pk)):
        messages.success(request, _("It stays as it was settled."))
    else:
        messages.info(request, _("There is nothing to leave."))
    return redirect("own_model", team, pk)


@require_POST
def own_model_switch(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Takes it out of use, or with `offered=1` back into it."""
    actor = access.may(request, team, Deed.BRING_IN)
    model, offered = access.own_model(actor, pk), request.POST.get("offered") == "1"
    if verbs.switch(model, actor.user, offered=offered):
        said = _("It is in use again.") if offered else _("It is out of use. What it made stays.")
        messages.success(request, said)
    return redirect("own_model", team, pk)
