"""Usage of one member: the limits in force, what is spent, and the last 30 days by day and by model."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Measure, Membership, Period, Scope
from accounts.roles import Deed
from generations import quota, receipts
from generations.catalogue import load
from generations.models import Connection
from generations.templatetags.ui import money
from generations.views import access, chart, shell
from generations.views.requests import waiting_of

DAYS = 30


@require_safe
def usage(request: HttpRequest, team: str) -> HttpResponse:
    """One's own usage; with `?member=<membership>` that of a colleague, for managers."""
    membership = access.member(request, team)
    whose = _whose(request, membership)
    own = whose.pk == membership.pk
    lines = shell.standing(request) if own else quota.standing(whose)
    currency = Connection.of(membership.team).currency
    dates, shares = receipts.daily(whose, DAYS)
    models = by_model(shares)
    context = {
        "whose": whose,
        "own": own,
        "elsewhere": receipts.elsewhere(receipts.of(whose), whose.team, DAYS),
        "colleagues": access.colleagues(membership) if membership.may_manage else [],
        "lines": lines,
        "tightest": shell.tightest(lines),
        "month_limit": next((line for line in lines if _limits_month(line)), None),
        "summary": receipts.summary(whose),
        "models": models,
        "total": sum((row["spent"] for row in models), Decimal(0)),
        "days": by_day(dates, shares),
        "chart": spend_per_day(dates, shares, currency),
        **(waiting_of(membership) if own else {}),
    }
    return render(request, "usage/page.html", context)


def by_model(shares: list[receipts.Share]) -> list[dict[str, Any]]:
    """Sums by model over all the days, the most expensive first."""
    rows: dict[str, dict[str, Any]] = {}
    for share in shares:
        row = rows.setdefault(
            share.model, {"title": title_of(share.model), "spent": Decimal(0), "runs": 0, "free": 0}
        )
        row["spent"] += share.spent
        row["runs"] += share.runs
        row["free"] += share.free
    ranked = sorted(rows.values(), key=lambda row: (-row["spent"], row["title"]))
    for place, row in enumerate(ranked, start=1):
        row["average"] = row["spent"] / row["runs"] if row["runs"] else None
        row["series"] = place if len(ranked) <= chart.SERIES else min(place, chart.SERIES)
    return ranked


def by_day(dates: list[date], shares: list[receipts.Share]) -> list[dict[str, Any]]:
    """Sums by day, the newest first, days without anything left out."""
    spent: dict[date, Decimal] = defaultdict(Decimal)
    runs: dict[date, int] = defaultdict(int)
    free: dict[date, int] = defaultdict(int)
    for share in shares:
        spent[share.day] += share.spent
        runs[share.day] += share.runs
        free[share.day] += share.free
    return [
        {"day": day, "spent": spent[day], "runs": runs[day], "free": free[day]}
        for day in reversed(dates)
        if day in spent
    ]


def spend_per_day(dates: list[date], shares: list[receipts.Share], currency: str) -> chart.Chart:
    """The chart: one column a day, split by model; the smallest models share the last colour."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    amounts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for share in shares:
        totals[share.model] += share.spent
        amounts[share.day, share.model] += share.spent
    shown = chart.largest(totals)
    rest = [model for model in totals if model not in shown]
    names = [title_of(model) for model in shown] + ([_("Others")] if rest else [])
    columns = []
    for day in dates:
        parts = [amounts[day, model] for model in shown]
        if rest:
            parts.append(sum((amounts[day, model] for model in rest), Decimal(0)))
        columns.append((str(day.day), _read(day, names, parts, currency), parts))
    return chart.stacked(columns, names)


def title_of(model: str) -> str:
    """What pages call a model; its slug when the catalogue does not know it any more."""
    try:
        return load.get(model).title
    except load.UnknownModel:
        return model


def _read(day: date, names: list[str], parts: list[Decimal], currency: str) -> str:
    words = {"day": date_format(day, "l j F"), "total": money(sum(parts, Decimal(0)), currency)}
    split = [f"{name} {money(part, currency)}" for name, part in zip(names, parts, strict=True) if part]
    if not split:
        return _("%(day)s: nothing.") % words
    return _("%(day)s: %(total)s. %(split)s.") % {**words, "split": ", ".join(split)}


def _whose(request: HttpRequest, membership: Membership) -> Membership:
    wanted = request.GET.get("member", "")
    if not wanted or wanted == str(membership.pk):
        return membership
    if not membership.may(Deed.SEE_SPENDING):
        raise PermissionDenied(_("Only managers see what others use."))
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise Http404
    return access.colleague(membership, int(wanted))


def _limits_month(line: quota.Line) -> bool:
    return line.scope != Scope.POOL and line.measure == Measure.SPEND and line.period == Period.MONTH
