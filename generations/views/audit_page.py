"""The audit trail: managers search who did what to whom, and take exactly what they see as CSV."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import trail
from accounts.models import AuditEntry, Membership, audit
from accounts.roles import Deed
from generations.views import access, spreadsheet

FIELDS = ("q", "deed", "person", "since", "until")
LONGEST = 200


@require_safe
def audit_trail(request: HttpRequest, team: str) -> HttpResponse:
    """The newest deeds first, those that fit what is asked for."""
    actor = access.may(request, team, Deed.READ_TRAIL)
    asked = _asked(request)
    wanted, cursor = _filter(asked, actor), request.GET.get("cursor", "")
    try:
        entries, after = trail.page(actor.team, wanted, cursor)
    except trail.BadCursor:
        return redirect("audit", team=team)
    here, file = reverse("audit", args=[team]), reverse("audit_export", args=[team])
    query = urlencode({name: value for name, value in asked.items() if value})
    people = access.colleagues(actor)
    context = {
        "lines": [_line(entry, actor) for entry in entries],
        "asked": asked,
        "is_asked": bool(query),
        "deeds": trail.deeds(),
        "people": people,
        "newest": f"{here}?{query}" if query else here,
        "older": f"{here}?{urlencode({**asked, 'cursor': after})}" if after else "",
        "is_older": bool(cursor),
        "export": f"{file}?{query}" if query else file,
    }
    with timezone.override(actor.team.zone):
        return render(request, "audit/page.html", context)


@require_safe
def audit_export(request: HttpRequest, team: str) -> HttpResponseBase:
    """What the page shows with the same filter, on all its pages, as CSV. That it was taken is a deed too."""
    actor = access.may(request, team, Deed.READ_TRAIL)
    asked = _asked(request)
    return export(actor, _filter(asked, actor), {name: value for name, value in asked.items() if value})


def export(actor: Membership, wanted: trail.Filter, said: dict[str, str]) -> HttpResponseBase:
    """What fits as CSV, newest first; `said` is what was asked for, as the trail notes it."""
    rows = trail.find(actor.team, wanted)
    last = rows.values_list("pk", flat=True).first() or 0
    audit.note("audit.exported", team=actor.team, by=actor.user, after=said)
    entries = rows.filter(pk__lte=last).iterator(500)
    table = (_cells(entry, actor) for entry in entries)
    return spreadsheet.download(f"audit-{actor.team.slug}.csv", _heads(), table)


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\x00", "")[:LONGEST].strip() for name in FIELDS}


def _filter(asked: dict[str, str], actor: Membership) -> trail.Filter:
    """What makes no sense finds nothing rather than everything, except a day that is none."""
    person = asked["person"]
    return trail.Filter(
        q=asked["q"],
        action=asked["deed"],
        person=(int(person) if person.isascii() and person.isdecimal() and len(person) < 19 else -1)
        if person
        else None,
        since=trail.day(asked["since"], actor.team),
        until=trail.day(asked["until"], actor.team, after=True),
    )


def _line(entry: AuditEntry, actor: Membership) -> dict[str, Any]:
    return {
        "entry": entry,
        "who": _who(entry),
        "what": trail.words_of(entry.action),
        "whom": _whom(entry),
        "changes": trail.changes(entry, actor.team.zone),
        "way": trail.way(entry),
    }


def _who(entry: AuditEntry) -> str:
    if entry.actor is not None:
        return entry.actor.display_name
    if entry.via == "command":
        return _("Whoever runs the portal")
    return entry.actor_name or (_("The portal") if entry.via == "worker" else _("Somebody"))


def _whom(entry: AuditEntry) -> str:
    """Whom or what it was done to; the name of the person beside what it was then called."""
    if entry.person is None or entry.person.email in entry.subject:
        return entry.subject
    return f"{entry.subject}, {entry.person.email}" if entry.subject else entry.person.email


def _heads() -> list[str]:
    return [
        _("When"), _("Who"), _("Email"), _("What"), _("To whom"), _("Before"), _("After"), _("Why"), _("How"),
        _("Address"), _("Browser"),
    ]  # fmt: skip


def _cells(entry: AuditEntry, actor: Membership) -> list[str]:
    line = _line(entry, actor)
    changes: list[trail.Change] = line["changes"]
    return [
        entry.at.astimezone(actor.team.zone).isoformat(timespec="seconds"),
        line["who"],
        entry.actor_name,
        line["what"],
        line["whom"],
        "; ".join(f"{one.name}: {one.before}" for one in changes if one.before),
        "; ".join(f"{one.name}: {one.after}" for one in changes if one.after),
        entry.reason,
        line["way"],
        entry.address or "",
        entry.browser,
    ]
