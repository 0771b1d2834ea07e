"""The account of one connection: what RunningHub says it holds, its slots, its keys, and the nights before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Team
from accounts.roles import Deed
from generations import bill, progress
from generations import connections as verbs
from generations.models import AccountAnswer, AccountSnapshot, Connection
from generations.templatetags.ui import money
from generations.views import access, chart, shell
from generations.views.report_chart import Drawing

NIGHTS = 60
"""Snapshots that are shown; the bill has the rest."""
FREE, SHARED, DEDICATED = "NORMAL", "SHARED", "EXCLUSIVE"


@require_safe
def account(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """What is known. Where the account also serves other teams its money and keys are not this team's business."""
    actor = access.may(request, team, Deed.PAUSE)
    one = access.connection(actor, pk)
    known = told(one, actor.team)
    context: dict[str, Any] = {
        **known,
        "one": one,
        "slots": progress.slots(one),
        "kind": _kind(known["api_type"]),
        "drawing": _drawing(known["nights"]),
    }
    template = "connections/_account.html" if shell.is_part(request) else "connections/account.html"
    with timezone.override(actor.team.zone):
        return render(request, template, context)


def told(one: Connection, team: Team) -> dict[str, Any]:
    """What this team may know of what the account said. `shown`: its money and keys are nobody else's."""
    answer = AccountAnswer.of(one)
    shown = bill.is_ours_alone(one, team)
    said: dict[str, Any] = answer.said if answer else {}
    faults = _part(said, "faults")
    return {
        "answer": answer,
        "shown": shown,
        "account": _part(said, "account") if shown else {},
        "api_type": _part(said, "account").get("api_type") or _part(said, "queue").get("key_type"),
        "queue": _part(said, "queue"),
        "keys": _keys(said.get("keys")) if shown else [],
        "faults": {name: sentence for name, sentence in faults.items() if shown or name == "queue"},
        "nights": _nights(one) if shown else [],
    }


@require_POST
def account_ask(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Has the worker ask the account anew."""
    actor = access.may(request, team, Deed.PAUSE)
    if not verbs.ask_account(access.connection(actor, pk)):
        messages.info(request, _("It was asked a moment ago."))
    return redirect("account", team=team, pk=pk)


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _keys(part: Any) -> list[dict[str, Any]]:
    return [key for key in part if isinstance(key, dict)] if isinstance(part, list) else []


def _kind(word: Any) -> str:
    """The kind of key in words (API.md 1); one that nobody documented as it came."""
    words = {
        FREE: _("consumer: pays in coins, cannot run standard models"),
        SHARED: _("enterprise, shared machines"),
        DEDICATED: _("enterprise, machines of its own"),
    }
    return words.get(word, word) if isinstance(word, str) else ""


def _nights(one: Connection) -> list[AccountSnapshot]:
    """Newest first."""
    since = timezone.now() - timedelta(days=NIGHTS)
    return list(AccountSnapshot.objects.filter(connection=one, taken_at__gt=since).order_by("-taken_at"))


def _drawing(nights: Sequence[AccountSnapshot]) -> Drawing | None:
    """The balance night by night, in the currency of the last; nothing to draw below two nights."""
    currency = nights[0].currency if nights else ""
    told = [night for night in reversed(nights) if night.balance is not None and night.currency == currency]
    if len(told) < 2 or not currency:
        return None
    columns = [(str(night.day.day), _read(night), [night.balance or Decimal(0)]) for night in told]
    words = {"first": _day(told[0]), "last": _day(told[-1])}
    words |= {"then": money(told[0].balance, currency), "now": money(told[-1].balance, currency)}
    sentence = _("%(first)s: %(then)s. %(last)s: %(now)s.") % words
    return Drawing(currency, _("Balance by night"), sentence, chart.stacked(columns, [_("Balance")]))


def _read(night: AccountSnapshot) -> str:
    return _("%(day)s: %(balance)s") % {"day": _day(night), "balance": money(night.balance, night.currency)}


def _day(night: AccountSnapshot) -> str:
    return date_format(night.day, "j F")
