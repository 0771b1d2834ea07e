"""Saved searches: views of the library under a name, a member's own or the team's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Membership
from generations.catalogue.text import Fault, settled, within
from generations.models import SavedSearch
from generations.views import access
from generations.views.filters import Chips

NAME_LENGTH = 60
LONGEST = 1000
MOST = 50
"""So many one person may keep."""


@dataclass(frozen=True)
class Saved:
    """One in the menu. `url` shows it; it can be removed by whoever `may_change` it."""

    search: SavedSearch
    url: str
    may_change: bool


def saved(membership: Membership) -> list[Saved]:
    """What this member may use, by name."""
    path = reverse("library", args=[membership.team.slug])
    rows = access.saved_searches(membership).select_related("author")[: 4 * MOST]
    found = [
        Saved(row, f"{path}?{row.query}", row.author_id == membership.user_id or membership.may_manage)
        for row in rows
    ]
    return sorted(found, key=lambda one: one.search.name.casefold())


@require_POST
def saved_search_save(request: HttpRequest, team: str) -> HttpResponse:
    """Keeps the filters that `query` names under `name`; one of the member's own of that name is replaced.

    What is no filter is left out, so that nothing but a view of the library can be shared.
    """
    membership = access.member(request, team)
    given = QueryDict(request.POST.get("query", "")[: 4 * LONGEST])
    query = Chips.read(given, membership).query()
    back = f"{reverse('library', args=[team])}?{query}" if query else reverse("library", args=[team])
    try:
        name = within(" ".join(settled(request.POST.get("name", "")).split()), 1, NAME_LENGTH)
    except Fault as fault:
        empty = not request.POST.get("name", "").strip()
        messages.error(request, _("Give the search a name to save it.") if empty else str(fault))
        return redirect(back)
    if not query or len(query) > LONGEST:
        messages.error(request, _("Choose a filter or type a word first; the whole library needs no name."))
        return redirect(back)
    own = SavedSearch.objects.filter(team=membership.team, author=membership.user)
    if own.exclude(name=name).count() >= MOST:
        messages.error(request, _("You have %(n)s saved searches. Remove one first.") % {"n": MOST})
        return redirect(back)
    SavedSearch.objects.update_or_create(
        team=membership.team,
        author=membership.user,
        name=name,
        defaults={
            "query": query,
            "shared": request.POST.get("shared") == "on" and membership.may_generate,
        },
    )
    messages.info(request, _("The search “%(name)s” is saved.") % {"name": name})
    return redirect(back)


@require_POST
def saved_search_remove(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Forgets the name; what it finds stays where it is."""
    membership = access.member(request, team)
    found = access.changeable_saved_search(membership, pk)
    found.delete()
    messages.info(request, _("The search “%(name)s” is removed.") % {"name": found.name})
    return redirect("library", team)
