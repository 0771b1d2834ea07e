"""The inbox of managers: what the program may not decide."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership
from accounts.roles import Deed
from generations.models import Generation
from generations.pipeline import resolve
from generations.views import access
from generations.views.case import case, cases, record

SHOWN = 50


@require_safe
def inbox(request: HttpRequest, team: str) -> HttpResponse:
    """What waits for a decision, the oldest first."""
    return _page(request, access.may(request, team, Deed.SETTLE))


@require_safe
def inbox_case(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """One case by itself, for the page that waits for RunningHub's word on it; 204 until the word is there."""
    membership = access.may(request, team, Deed.SETTLE)
    found = case(access.generation(membership, pk))
    if not request.headers.get("HX-Request"):
        return redirect("inbox", team)
    if found.is_asked:
        return HttpResponse(status=204)
    with timezone.override(membership.team.zone):
        return render(request, "inbox/_case.html", {"team": membership.team, "case": found})


@require_POST
def inbox_release(request: HttpRequest, team: str) -> HttpResponse:
    """Releases the holds of all that were chosen. What was settled meanwhile stays as it is."""
    membership = access.may(request, team, Deed.SETTLE)
    chosen = list(dict.fromkeys(_ids(request)))[:SHOWN]
    if not chosen:
        return _page(request, membership, fault=_("Choose at least one of them."), status=422)
    done = 0
    for pk in chosen:
        try:
            done += resolve.release(access.generation(membership, pk))
        except (Http404, PermissionDenied):
            continue
    if done:
        said = ngettext(
            "%(n)s hold is released. It was not sent again.",
            "%(n)s holds are released. They were not sent again.",
            done,
        )
        messages.success(request, said % {"n": done})
    if rest := len(chosen) - done:
        said = ngettext(
            "%(n)s was settled already; nothing was changed.",
            "%(n)s were settled already; nothing was changed.",
            rest,
        )
        messages.info(request, said % {"n": rest})
    return redirect("inbox", team)


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    found = []
    for text in request.POST.getlist("chosen"):
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _page(
    request: HttpRequest, membership: Membership, *, fault: str = "", status: int = 200
) -> HttpResponse:
    hidden = access.hidden(membership)
    rows = resolve.undecided(membership.team).exclude(pk__in=hidden.generations)
    count = rows.count()
    shown = list(rows.select_related("author", "connection").order_by("pk")[:SHOWN])
    access.veil(shown, hidden)
    found = cases([_of(row, membership) for row in shown], membership.team)
    context = {
        "team": membership.team,
        "membership": membership,
        "cases": found,
        "more": count - len(found),
        "may_release": sum(one.may_release for one in found),
        "record": record(found[0].generation.connection, "") if found else "",
        "fault": fault,
    }
    with timezone.override(membership.team.zone):
        return render(request, "inbox/page.html", context, status=status)


def _of(row: Generation, membership: Membership) -> Generation:
    row.team = membership.team
    return row
