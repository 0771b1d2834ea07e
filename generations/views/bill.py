"""The bill explained, for managers: what an account lost from night to night, beside what the receipts say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Membership, audit
from accounts.roles import Deed
from generations import bill as sums
from generations.bill import Between, Cause
from generations.models import Connection
from generations.views import access
from generations.views.spreadsheet import download, plain


@dataclass(frozen=True)
class Asked:
    """A month of one connection, by its first day."""

    connection: Connection
    month: date
    spans: list[Between]
    shown: bool

    @property
    def before(self) -> str:
        return f"{self.month - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        return f"{_next(self.month):%Y-%m}"


@require_safe
def bill(request: HttpRequest, team: str) -> HttpResponse:
    """A month of the connection in use; with `connection` another one of the team's, with `month` an earlier month."""
    actor = access.may(request, team, Deed.SEE_SPENDING)
    asked = _asked(request, actor)
    lines = [
        {"one": one, "causes": [(cause, cause_words(cause)) for cause in one.causes], "cells": cells(one)}
        for one in asked.spans
    ]
    context: dict[str, Any] = {
        "asked": asked,
        "lines": lines,
        "connections": Connection.all_of(actor.team),
        "is_now": asked.month == _today(actor).replace(day=1),
        "query": f"?connection={asked.connection.pk}&month={asked.month:%Y-%m}",
    }
    with timezone.override(actor.team.zone):
        return render(request, "bill/page.html", context)


@require_safe
def bill_csv(request: HttpRequest, team: str) -> HttpResponseBase:
    """What `bill` shows, as a file."""
    actor = access.may(request, team, Deed.SEE_SPENDING)
    asked = _asked(request, actor)
    if request.method == "GET":
        after = {"connection": str(asked.connection), "month": f"{asked.month:%Y-%m}"}
        audit.note("report.exported", team=actor.team, by=actor.user, subject="bill", after=after)
    heads = ["from", "to", "currency"]
    heads += ["balance before", "balance after", "fell by"] if asked.shown else []
    heads += ["receipts", "number of receipts"]
    heads += ["difference", "unexplained", "paid in at least", "coins fell by"] if asked.shown else []
    rows = []
    for one in asked.spans:
        times = [moment.astimezone(actor.team.zone) for moment in (one.start, one.end)]
        told = cells(one)
        row: list[Any] = [*times, one.currency]
        row += [told["before"], told["after"], told["fell"]] if asked.shown else []
        row += [told["receipts"], one.number]
        row += [told[name] for name in ("drift", "unexplained", "paid_in", "coins")] if asked.shown else []
        causes = "; ".join(cause_words(cause) for cause in one.causes)
        rows.append([*row, causes])
    return download(f"{actor.team.slug}-bill-{asked.month:%Y-%m}.csv", [*heads, "causes"], rows)


def cause_words(cause: Cause) -> str:
    """A cause as a sentence without a full stop, without its amount."""
    words = {
        "unknown": _("%(n)s finished without telling a charge"),
        "cancelled": _("%(n)s cancelled, maybe charged all the same"),
        "failed": _("%(n)s failed, maybe charged all the same"),
        "released": _("%(n)s given up after a lost answer, maybe charged"),
        "unconfirmed": _("%(n)s whose answer was lost, maybe charged"),
        "started": _("%(n)s under way when this time began, maybe charged before it"),
        "ended": _("%(n)s under way when this time ended, maybe charged already"),
    }
    said = words[cause.name] % {"n": cause.number}
    if cause.unpriced:
        said += " " + _("(%(n)s of unknown price)") % {"n": cause.unpriced}
    return said


def cells(one: Between) -> dict[str, str]:
    """The figures with all their digits, the same for page and file; empty where they are not known."""
    names = ("before", "after", "fell", "receipts", "drift", "unexplained", "paid_in", "coins")
    return {name: plain(getattr(one, name)) for name in names}


def _asked(request: HttpRequest, actor: Membership) -> Asked:
    wanted = request.GET.get("connection", "")
    if wanted and not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise Http404
    return month_of(actor, int(wanted) if wanted else None, request.GET.get("month", ""))


def month_of(actor: Membership, connection: int | None, month_text: str) -> Asked:
    """A month of the connection of this id, or of the one in use. Raises `Http404`."""
    one = access.connection(actor, connection) if connection is not None else Connection.of(actor.team)
    month = _month(month_text, actor)
    zone = actor.team.zone
    start, end = datetime.combine(month, time(), zone), datetime.combine(_next(month), time(), zone)
    return Asked(one, month, sums.spans(one, actor.team, start, end), sums.is_ours_alone(one, actor.team))


def _month(text: str, actor: Membership) -> date:
    """`2026-11`; the running month when nothing is asked for, else 404."""
    if not text:
        return _today(actor).replace(day=1)
    match = re.fullmatch(r"(2[01][0-9]{2})-(0[1-9]|1[0-2])", text)
    if match is None:
        raise Http404
    return date(int(match[1]), int(match[2]), 1)


def _today(actor: Membership) -> date:
    return timezone.now().astimezone(actor.team.zone).date()


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
