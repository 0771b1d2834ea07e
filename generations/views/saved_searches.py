"""Saved searches: views of the library under a name, a member's own or the team's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Membership
from generations.catalogue.text import Fault, settled, within
from generations.models import Given, Rows, SavedSearch
from generations.views import access
from generations.views.filters import Chips

NAME_LENGTH = 60
LONGEST = 1000
MOST = 50
"""So many one person may keep."""


class NotKept(ValueError):
    """It was not kept; the text says why, `field` what is to be changed."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Saved:
    """One in the menu. `url` shows it; it can be removed by whoever `may_change` it."""

    search: SavedSearch
    url: str
    may_change: bool


def saved(membership: Membership) -> list[Saved]:
    """What this member may use, by name."""
    path = reverse("library", args=[membership.team.slug])
    found = [
        Saved(row, f"{path}?{row.query}", row.author_id == membership.user_id or membership.may_manage)
        for row in _seen(team=membership.team_id, user=membership.user_id)
    ]
    return sorted(found, key=lambda one: one.search.name.casefold())


@Rows
def _seen() -> QuerySet[SavedSearch]:
    """As `access.saved_searches`."""
    return SavedSearch.objects.of(Given("team"), Given("user")).select_related("author")[: 4 * MOST]


@require_POST
def saved_search_save(request: HttpRequest, team: str) -> HttpResponse:
    """Keeps the filters that `query` names under `name`; one of the member's own of that name is replaced.

    What is no filter is left out, so that nothing but a view of the library can be shared.
    """
    membership = access.member(request, team)
    query = query_of(membership, request.POST.get("query", ""))
    back = f"{reverse('library', args=[team])}?{query}" if query else reverse("library", args=[team])
    try:
        kept = keep(
            membership, request.POST.get("name", ""), query, shared=request.POST.get("shared") == "on"
        )
    except NotKept as fault:
        messages.error(request, str(fault))
        return redirect(back)
    messages.info(request, _("The search “%(name)s” is saved.") % {"name": kept.name})
    return redirect(back)


def query_of(membership: Membership, text: str) -> str:
    """The filters that an address names, without whatever else it has."""
    return Chips.read(QueryDict(text[: 4 * LONGEST]), membership).query()


def keep(membership: Membership, given: str, query: str, *, shared: bool) -> SavedSearch:
    """Keeps what `query_of` gave under a name. Raises `NotKept`."""
    try:
        name = within(" ".join(settled(given).split()), 1, NAME_LENGTH)
    except Fault as fault:
        said = str(fault) if given.strip() else _("Give the search a name to save it.")
        raise NotKept("name", said) from None
    if not query or len(query) > LONGEST:
        raise NotKept("query", _("Choose a filter or type a word first; the whole library needs no name."))
    own = SavedSearch.objects.filter(team=membership.team, author=membership.user)
    if own.exclude(name=name).count() >= MOST:
        raise NotKept("name", _("You have %(n)s saved searches. Remove one first.") % {"n": MOST})
    kept, _made = SavedSearch.objects.update_or_create(
        team=membership.team,
        author=membership.user,
        name=name,
        defaults={"query": query, "shared": shared and membership.may_generate},
    )
    return kept


@require_POST
def saved_search_remove(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Forgets the name; what it finds stays where it is."""
    membership = access.member(request, team)
    found = access.changeable_saved_search(membership, pk)
    found.delete()
    messages.info(request, _("The search “%(name)s” is removed.") % {"name": found.name})
    return redirect("library", team)
