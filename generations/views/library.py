"""The library: everything the team made, to find and hear. Every view of it is an address."""

from __future__ import annotations

import uuid
from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.models import Membership
from generations import library as shelf
from generations.models import Connection, Generation, Voice, read_id
from generations.pipeline import accept
from generations.vault import Hidden
from generations.views import access, offered
from generations.views.filters import MENUS, Chips
from generations.views.row import FIELDS, keeps, places, row, rows
from generations.views.saved_searches import saved

PARTS = {"pager": "library/_older.html", "results": "library/_found.html"}
REFRESHED = 100


@require_safe
def library(request: HttpRequest, team: str) -> HttpResponse:
    """The whole page; for htmx what it asks for: the list, older rows, or rows that changed meanwhile."""
    membership = access.member(request, team)
    restores = "HX-History-Restore-Request" in request.headers
    asked = "" if restores else request.headers.get("HX-Target", "")
    with timezone.override(membership.team.zone):
        if asked == "live":
            return _refresh(request, membership)
        response = _list(request, membership, asked)
    patch_vary_headers(response, ["HX-Request", "HX-Target", "HX-History-Restore-Request"])
    return response


def _list(request: HttpRequest, membership: Membership, asked: str) -> HttpResponse:
    hidden = access.hidden(membership)
    chips = Chips.read(request.GET, membership, given_voice(request.GET.get("voice", ""), membership))
    cursor = request.GET.get("cursor", "")
    broken = False
    try:
        page = shelf.page(membership, chips.wanted, cursor, without=hidden.generations, fields=FIELDS)
    except shelf.BadCursor:
        page, broken, cursor = shelf.Page([], ""), True, ""
    access.veil(page.items, hidden)
    older = asked == "pager"
    by_day = chips.wanted.sort in ("newest", "oldest")
    before = _made(membership, cursor) if older and by_day else None
    found = rows(page.items, membership, before, by_day=by_day)
    whole = not cursor and not page.next_cursor
    context = {
        "team": membership.team,
        "membership": membership,
        "chips": chips,
        "rows": found,
        "broken": broken,
        "cursor": cursor,
        "exactly": len(found) if whole else None,
        "saved": saved(membership) if not asked else (),
        "offers_save": bool(chips.hidden or _searched(request)),
        "next": chips.address(cursor=page.next_cursor) if page.next_cursor else "",
        "live": any(one.live for one in found),
        "first": _first(membership) if not (found or chips.wanted or cursor or broken) else None,
    }
    return render(request, PARTS.get(asked, "library/page.html"), context, status=400 if broken else 200)


def _searched(request: HttpRequest) -> str:
    """What the page that asks searched for until now. Typing changes nothing else, so with this, or with a filter, it
    has the form that saves a view; somebody may be writing in it.
    """
    try:
        address = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    return QueryDict(address.query).get("q", "").replace("\x00", "").strip()


@require_safe
def library_filter(request: HttpRequest, team: str, name: str) -> HttpResponse:
    """Everything that one filter of the library can be set to; for htmx the lines of its menu."""
    membership = access.member(request, team)
    if name not in MENUS:
        raise Http404
    chips = Chips.read(request.GET, membership, given_voice(request.GET.get("voice", ""), membership))
    context = {
        "team": membership.team,
        "membership": membership,
        "chips": chips,
        "chip": chips.whole(name),
        "carried": [(other, value) for other, value in chips.given.items() if other != name],
    }
    part = "HX-Request" in request.headers and "HX-Boosted" not in request.headers
    response = render(request, "library/_choices.html" if part else "library/filter.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted"])
    return response


def _refresh(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The rows that look different from what the page shows, or 204; without more to wait for, an end."""
    shown: dict[uuid.UUID, str] = {}
    for text in request.GET.getlist("live")[:REFRESHED]:
        name, _, seen = text.partition(".")
        try:
            shown[uuid.UUID(name)] = seen
        except ValueError:
            continue
    hidden = access.hidden(membership)
    found = shelf.shelf(membership, hidden.generations).filter(pk__in=shown).order_by("-id")
    loaded = _loaded(found, membership, hidden)
    stand = places(loaded)
    kept = keeps(loaded, membership)
    now = [row(one, kept, place=stand.get(one.pk)) for one in loaded]
    changed = [one for one in now if one.live != f"{one.generation.pk.hex}.{shown[one.generation.pk]}"]
    live = any(one.live for one in now)
    if live and not changed:
        return HttpResponse(status=204)
    context = {
        "team": membership.team,
        "membership": membership,
        "chips": {"is_grid": request.GET.get("show") == "grid"},
        "rows": changed,
        "live": live,
    }
    return render(request, "library/_changed.html", context)


def _loaded(found: QuerySet[Generation], membership: Membership, hidden: Hidden) -> list[Generation]:
    items = list(found.select_related("author").prefetch_related("outputs").defer(*shelf.HEAVY))
    access.veil(items, hidden)
    for one in items:
        one.team = membership.team
    return items


def given_voice(given: str, membership: Membership) -> Voice | None:
    """The voice whose work is asked for; one that this member may not see is one that is not there."""
    pk = read_id(given)
    return access.voices(membership).filter(pk=pk).first() if pk else None


def _made(membership: Membership, cursor: str) -> datetime | None:
    """When the row of the cursor was made, so that its day is not headed twice."""
    found = shelf.shelf(membership).filter(pk=uuid.UUID(cursor)) if cursor else None
    return found.values_list("created_at", flat=True).first() if found is not None else None


def _first(membership: Membership) -> dict[str, object] | None:
    """What a first try would cost, for a library that is still empty; None when the member may try nothing."""
    spec = next(iter(offered.models(membership)), None)
    if spec is None:
        return None
    return {
        "spec": spec,
        "quote": accept.quote(spec, spec.example, Connection.of(membership.team), membership.team),
    }
