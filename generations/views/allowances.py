"""Allowances: for each person which limit wins and why, as a sum; what was granted besides; one's own caps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership, Period, TopUp
from generations import standings
from generations.forms.topup import POOL, NewTopUp, OwnCap
from generations.models import Connection, database_now
from generations.views import access, shell
from generations.views.arithmetic import sums

SHOWN = 50


@require_safe
def allowances(request: HttpRequest, team: str) -> HttpResponse:
    """Everybody their own limits; managers those of everybody, with the pool and the top-ups."""
    membership = access.member(request, team)
    team_ = membership.team
    with timezone.override(team_.zone):
        now = database_now()
        colleagues = access.colleagues(membership) if membership.may_manage else [membership]
        page = Paginator(colleagues, SHOWN).get_page(request.GET.get("page"))
        found = standings.everybody(team_, list(page), now)
        topups = list(in_force(membership))
        currency = Connection.of(team_).currency
        context: dict[str, Any] = {
            "page": page,
            "people": [
                {
                    "membership": one.membership,
                    "sums": sums(one, topups, currency, yours=one.membership == membership),
                }
                for one in found.people
            ],
            "pool": sums(found.pool, topups, currency, why=False),
            "topups": topups if membership.may_manage else [],
        }
        return render(request, "allowances/page.html", context)


def in_force(membership: Membership) -> list[TopUp]:
    """The top-ups of the team that count now, the one that ends first at the top."""
    rows = TopUp.in_force(membership.team, database_now()).order_by("until_at", "pk")
    return list(rows.select_related("membership__user", "granted_by"))


@require_http_methods(["GET", "HEAD", "POST"])
def topup_new(request: HttpRequest, team: str) -> HttpResponse:
    """For managers: lets somebody, or the pool, use more for a while. `?member=` chooses whom."""
    actor = access.manager(request, team)
    with timezone.override(actor.team.zone):
        now = database_now()
        ends = Period.WEEK.bounds(now, actor.team.zone)[1]
        initial = {"whose": request.GET.get("member", POOL), "until": ends}
        given = request.POST if request.method == "POST" else None
        form = NewTopUp(actor.team, access.colleagues(actor), given, initial=initial)
        if request.method == "POST" and form.is_valid():
            form.save(actor.user, now)
            messages.success(request, _("The top-up is granted and counts from now on."))
            return redirect("allowances", team=team)
        return shell.sheet(request, "allowances/topup", {"form": form})


@require_POST
def topup_revoke(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """For managers: ends a top-up now. What was used of it stays used."""
    actor = access.manager(request, team)
    if access.topup(actor, pk).revoke(actor.user):
        messages.success(request, _("The top-up has ended. The limit alone counts again."))
    else:
        messages.info(request, _("This top-up was over already."))
    return redirect("allowances", team=team)


@require_http_methods(["GET", "HEAD", "POST"])
def own_cap(request: HttpRequest, team: str) -> HttpResponse:
    """For oneself: caps that bind besides the limits of the team and can only tighten them."""
    membership = access.generating_member(request, team)
    form = OwnCap(membership, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if form.save():
            messages.success(request, _("Your own caps are saved and count from now on."))
        return redirect(reverse("allowances", kwargs={"team": team}))
    return shell.sheet(request, "allowances/cap", {"form": form})
