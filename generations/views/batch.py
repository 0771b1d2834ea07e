"""The page of an order of several: what was made of it, what it costs, and what a limit stopped."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership
from generations import library, quota
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Batch, Draft
from generations.pipeline import accept, several
from generations.pipeline.several import Line
from generations.views import access
from generations.views.offered import not_offered
from generations.views.plan import Plan, plan
from generations.views.refusal import Refusal
from generations.views.row import keeps, row
from generations.views.sound import model_title
from generations.views.tally import tallies


@require_safe
def batch(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Its generations in their order, refreshed like those of the library."""
    membership = access.member(request, team)
    return show(request, membership, access.batch(membership, pk))


@require_POST
def batch_rest(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Sends what waits, as far as the limits let it; 402 with the reason when nothing fits."""
    membership = access.generating_member(request, team)
    found = access.batch(membership, pk)
    draft = _rest(membership, found)
    if draft is None:
        messages.info(request, _("Nothing waits here any more."))
        return redirect("batch", team, pk)
    spec = _spec(draft)
    try:
        taken = several.accept_rest(membership, draft.pk)
    except several.RestGone:
        messages.info(request, _("Nothing waits here any more."))
    except load.UnknownModel:
        messages.error(request, _("This model is no longer in the catalogue, so the rest cannot run."))
    except accept.NotOffered as error:
        messages.error(request, not_offered(error.site))
    except InvalidParams:
        messages.error(request, _("The model takes these settings no longer. Check them and generate."))
        return redirect("draft_open", team, draft.pk)
    except quota.QuotaExceeded as error:
        if spec is not None:
            refusal = Refusal(
                membership,
                spec,
                draft.params,
                error.line,
                error.cost,
                error.currency,
                where=f"?draft={draft.pk}",
            )
            return show(request, membership, found, refusal=refusal, spec=spec, code=402)
    except accept.PriceUnknown:
        if spec is not None:
            refusal = Refusal(membership, spec, draft.params)
            return show(request, membership, found, refusal=refusal, spec=spec, code=402)
    else:
        said = ngettext("%(n)s more is sent.", "%(n)s more are sent.", taken.taken) % {"n": taken.taken}
        messages.info(request, said)
        if spec is not None:
            for line in taken.warnings:
                messages.warning(request, Refusal(membership, spec, draft.params, line).warning)
    return redirect("batch", team, pk)


def show(
    request: HttpRequest, membership: Membership, found: Batch, *, code: int = 200, **extra: Any
) -> HttpResponse:
    hidden = access.hidden(membership)
    tally = tallies(membership, [found], hidden)[found.pk]
    rows = library.shelf(membership).filter(batch=found).order_by("batch_place")
    shown = list(rows.select_related("author").prefetch_related("outputs").defer(*library.HEAVY))
    access.veil(shown, hidden)
    for one in shown:
        one.team = membership.team
    kept = keeps(shown, membership)
    draft = _rest(membership, found)
    context = {
        "membership": membership,
        "batch": found,
        "model_title": model_title(found.model),
        "rows": [row(one, kept) for one in shown],
        "live": any(not one.is_over for one in shown),
        "tally": tally,
        "draft": draft,
        "plan": _plan(membership, draft) if draft else None,
        **extra,
    }
    with timezone.override(membership.team.zone):
        return render(request, "batch/page.html", context, status=code)


def _rest(membership: Membership, found: Batch) -> Draft | None:
    """What waits of it, for its author."""
    rows = Draft.objects.filter(batch=found, team=membership.team_id, author=membership.user_id)
    return rows.first()


def _spec(draft: Draft) -> ModelSpec | None:
    try:
        return load.get(draft.model)
    except load.UnknownModel:
        return None


def _plan(membership: Membership, draft: Draft) -> Plan | None:
    spec = _spec(draft)
    if spec is None:
        return None
    lines = [Line(**line) for line in draft.lines]
    try:
        return plan(spec, draft.params, lines, quota.standing(membership), membership.team)
    except InvalidParams:
        return None
