"""Many at once: what the bar does with what is chosen, the page that asks for a word, and the way back."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts import roles
from accounts.models import Membership
from accounts.roles import Deed
from generations import keeping
from generations.models import Alteration, read_id
from generations.views import access, deeds
from generations.views.back import back, ours
from generations.views.deeds import BadDeed
from generations.views.keep import offer

ASKED = {"tag": "tag", "untag": "tag", "collect": "collection"}
"""The deeds that need a word first, and the name of it in their form."""


@require_POST
def library_bulk(request: HttpRequest, team: str) -> HttpResponse:
    """Does `deed` with every `pick` and goes back to where the bar was. 422 with a sentence when it cannot be."""
    membership = access.member(request, team)
    deed, _colon, rating = request.POST.get("deed", "").partition(":")
    if deed in ASKED and not request.POST.get(ASKED[deed]):
        return _ask(request, membership, deed)
    try:
        done = deeds.do(membership, deed, picked(request), {**request.POST.dict(), "rating": rating})
    except BadDeed as bad:
        return _ask(request, membership, deed, fault=str(bad))
    offer(request, done)
    return back(request, reverse("library", args=[team]))


@require_http_methods(["GET", "HEAD"])
def library_choose(request: HttpRequest, team: str) -> HttpResponse:
    """Asks which tag or which collection; what is picked stands in the address."""
    membership = access.may(request, team, Deed.KEEP_ORDER)
    return _ask(request, membership, request.GET.get("deed", ""), status=200)


@require_POST
def undo(request: HttpRequest, team: str) -> HttpResponse:
    """Takes a deed of one's own back, as far as nobody has changed it since."""
    membership = access.member(request, team)
    change = access.change(membership, access.id_in(request.POST.get("change", "")))
    done = take_back(membership, change)
    if done is None:
        messages.info(request, _("That was taken back already, or it is too long ago."))
        return back(request, reverse("library", args=[team]))
    if done.done:
        said = ngettext("%(n)s is as it was.", "%(n)s are as they were.", done.done) % {"n": done.done}
        messages.success(request, said)
    if done.left:
        said = ngettext(
            "%(n)s was changed by somebody since or is not yours to change, so it stays as it is.",
            "%(n)s were changed by somebody since or are not yours to change, so they stay as they are.",
            done.left,
        )
        messages.info(request, said % {"n": done.left})
    return back(request, reverse("library", args=[team]))


def take_back(membership: Membership, change: Alteration) -> keeping.Undone | None:
    """Undoes a deed of the member's own. None: somebody was first, or it is too long ago."""
    if not deeds.may_undo(membership, change):
        raise PermissionDenied(roles.refusal(Deed.KEEP_ORDER))
    done = keeping.undo(change, access.undoable(membership, change), access.collections(membership))
    if done is not None and done.done and change.what in ("approve", "open", "trash"):
        action = {"approve": "generations.unapproved", "open": "generations.opened"}
        deeds.note(membership, action.get(change.what, "generations.restored"), change)
    return done


def picked(request: HttpRequest) -> list[uuid.UUID]:
    """What is chosen, each once; what is no id was chosen by nobody."""
    given = request.POST if request.method == "POST" else request.GET
    found = [read_id(text) for text in given.getlist("pick")]
    return list(dict.fromkeys(pk for pk in found if pk is not None))


def _ask(
    request: HttpRequest, membership: Membership, deed: str, *, fault: str = "", status: int = 0
) -> HttpResponse:
    """The page between: what is chosen, and the word that is missing."""
    ids = picked(request)
    asks = ASKED.get(deed, "")
    if asks and not membership.may(Deed.KEEP_ORDER):
        raise PermissionDenied(roles.refusal(Deed.KEEP_ORDER))
    if asks and not fault and request.method == "POST" and not ids:
        fault = _("Choose at least one of them.")
    given = request.POST if request.method == "POST" else request.GET
    rows = access.generations(membership).filter(pk__in=ids[: keeping.MOST])
    shown = list(rows.only("title", "kind").order_by("-id")[:10])
    context = {
        "membership": membership,
        "deed": deed,
        "asks": asks,
        "ids": ids,
        "shown": shown,
        "more": max(0, len(ids) - len(shown)),
        "tags": keeping.team_tags(membership.team) if asks == "tag" else (),
        "shelves": access.collections(membership).order_by("-updated_at")[:200]
        if asks == "collection"
        else (),
        "value": given.get("tag", "")[:80],
        "next": ours(request, given.get("next", ""), reverse("library", args=[membership.team.slug])),
        "fault": fault,
    }
    response = render(request, "library/choose.html", context, status=status or (422 if fault else 200))
    if request.method == "POST":
        response["HX-Push-Url"] = "false"
    return response
