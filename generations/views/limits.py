"""The sheet of limits: of the team pool, of the default for members, or of one member."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Membership, Scope
from generations import quota, receipts, standings
from generations.forms.limits import Limits
from generations.models import Connection
from generations.views import access, shell
from generations.views.allowances import in_force
from generations.views.arithmetic import Sum, sums

SHEETS = (Scope.POOL, Scope.DEFAULT, Scope.MEMBER)
NAMED = 20
"""People for whom a change is told one by one."""


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest, team: str, scope: str, pk: int | None = None) -> HttpResponse:
    """For managers: `pool` and `default` of the team, or `member` with the membership's id."""
    actor = access.manager(request, team)
    if scope not in SHEETS or (scope == Scope.MEMBER) != (pk is not None):
        raise Http404
    whose = access.colleague(actor, pk) if pk is not None else None
    form = Limits(actor.team, Scope(scope), whose, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"scope": scope, "whose": whose}
    if "preview" in request.POST:
        if form.is_valid() and form.is_fresh():
            context["meaning"] = meaning(actor, whose, form)
    elif request.method == "POST" and form.is_valid() and form.save():
        messages.success(request, _("The limits are saved and count from now on."))
        return redirect("team", team=team)
    context |= {"form": form, "groups": form.groups(_use(actor, scope, whose))}
    if whose is not None:
        context["tightest"] = shell.tightest(quota.standing(whose))
    return shell.sheet(request, "team/limits", context)


def meaning(actor: Membership, whose: Membership | None, form: Limits) -> list[tuple[str, list[Sum]]]:
    """What saving this would mean now: for each whom it concerns, their limits as sums."""
    people = [whose] if whose else access.colleagues(actor) if form.scope == Scope.DEFAULT else []
    with timezone.override(actor.team.zone):
        found = standings.everybody(actor.team, people, rows=form.would_be())
        return sums_of(actor, found, pool=form.scope == Scope.POOL)


def sums_of(actor: Membership, found: standings.Standings, *, pool: bool) -> list[tuple[str, list[Sum]]]:
    """The limits of these people that are not the pool's, and with `pool` those of the pool, by name."""
    topups = in_force(actor)
    currency = Connection.of(actor.team).currency
    told = [(_("Team pool"), sums(found.pool, topups, currency, why=False))] if pool else []
    for one in found.people[:NAMED]:
        own = [line for line in one.lines if line.scope != Scope.POOL]
        if one.membership is not None and own:
            lines = sums(replace(one, lines=own), topups, currency, why=False)
            told.append((one.membership.user.display_name, lines))
    return told


def _use(actor: Membership, scope: str, whose: Membership | None) -> receipts.Use | None:
    if whose is not None:
        return receipts.of_one(whose)
    return receipts.of_team(actor.team) if scope == Scope.POOL else None
