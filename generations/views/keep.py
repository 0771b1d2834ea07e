"""Keeping order with one generation: its words, star, rating, tags, approval, who sees it, the trash."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Membership, audit
from generations import keeping
from generations.forms.keeping import Rewording
from generations.models import Generation
from generations.views import access, deeds
from generations.views.back import back
from generations.views.deeds import BadDeed, Done
from generations.views.generation_page import show

UNDO = "undo:"
"""The extra tag of a message whose deed can be taken back, before the id of the change."""


@require_POST
def generation_star(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Stars it for this person, or with `on=no` takes their star off. Twice is as once."""
    membership = access.member(request, team)
    found = access.generation(membership, pk)
    wants = request.POST.get("on") != "no"
    _do(membership, "star" if wants else "unstar", found)
    if _is_part(request):
        return render(
            request, "generation/_star.html", {"team": membership.team, "g": found, "starred": wants}
        )
    return _to_page(request, membership, found)


@require_POST
def generation_rate(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Rates it 1 to 5 for the team; 0 takes the rating away."""
    membership = access.member(request, team)
    found = access.generation(membership, pk)
    given = {"rating": request.POST.get("rating", "")}
    try:
        _do(membership, "rate", found, given)
    except BadDeed as bad:
        return _refuse(request, membership, found, str(bad))
    if _is_part(request):
        found.rating = int(given["rating"])
        context = {"team": membership.team, "membership": membership, "g": found}
        return render(request, "generation/_rate.html", context)
    return _to_page(request, membership, found)


@require_POST
def generation_edit(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Title and notes, each where it was changed. 422 with the page and what was written when it cannot be taken, 409
    when somebody else wrote there since the page was opened: with their words, and saving it again puts these there.
    """
    membership = access.member(request, team)
    found = access.changeable_generation(membership, pk)
    form = Rewording(request.POST)
    if not form.is_valid():
        return _ask_again(request, membership, found, form, code=422)
    try:
        done = keeping.reword(found, membership.user, form.words, form.began)
    except keeping.Moved as moved:
        found = access.changeable_generation(membership, pk)
        faults = {name: _theirs(name, getattr(moved.now, name)) for name in moved.theirs}
        return _ask_again(request, membership, found, form.anew(moved.now, moved.mine, faults), code=409)
    said = _("Saved.") if done else _("It was so already; nothing was changed.")
    messages.success(request, said, extra_tags=f"{UNDO}{done[0].pk}" if len(done) == 1 else "")
    return _to_page(request, membership, found)


@require_POST
def generation_tag(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Puts the tag `add` on it, or takes `remove` off."""
    membership = access.member(request, team)
    found = access.generation(membership, pk)
    remove = request.POST.get("remove", "")
    try:
        done = _do(
            membership, "untag" if remove else "tag", found, {"tag": remove or request.POST.get("add", "")}
        )
    except BadDeed as bad:
        return _refuse(request, membership, found, str(bad), tag=request.POST.get("add", "")[:80])
    if remove:
        offer(request, done)
    return _to_page(request, membership, found)


@require_POST
def generation_approve(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Approves it, or takes that back with `to=off`."""
    return _told(request, team, pk, "unapprove" if request.POST.get("to") == "off" else "approve")


@require_POST
def generation_open(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Opens it to the team, or with `to=private` keeps it to its author and the managers."""
    membership = access.member(request, team)
    access.changeable_generation(membership, pk)
    return _told(request, team, pk, "private" if request.POST.get("to") == "private" else "team")


@require_POST
def generation_trash(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Moves it to the trash. 409 while it runs, or when a voice is heard by it."""
    membership = access.member(request, team)
    found = access.changeable_generation(membership, pk)
    done = _do(membership, "trash", found)
    if done.change is None:
        return _refuse(request, membership, found, why_not(found), code=409)
    offer(request, done)
    return back(request, reverse("library", args=[team]))


@require_POST
def generation_restore(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Takes it out of the trash."""
    membership = access.member(request, team)
    found = access.changeable_generation(membership, pk)
    if keeping.restore(Generation.objects.filter(pk=pk)):
        audit.note("generations.restored", team=membership.team, by=membership.user, after={"count": 1})
        messages.success(request, _("It is in the library again."))
    else:
        messages.info(request, _("It was not in the trash any more; nothing was changed."))
    return _to_page(request, membership, found)


def why_not(found: Generation) -> str:
    """Why it cannot be thrown away."""
    if found.is_trashed:
        return _("It is in the trash already.")
    if not found.is_over:
        return _("It is still under way. Cancel it first, or wait for its end.")
    return _("A voice is heard by it, so it stays. Archive the voice if nobody shall speak with it.")


def offer(request: HttpRequest, done: Done) -> None:
    """Says what was done, with the way back where there is one."""
    tag = f"{UNDO}{done.change.pk}" if done.change is not None else ""
    messages.success(request, done.sentence, extra_tags=tag)


def _theirs(name: str, text: str) -> str:
    """What somebody else wrote meanwhile, for whoever was about to write over it."""
    if not text:
        return _("Somebody took the notes away meanwhile. Save again to put yours there.")
    if name == "title":
        said = _(
            "Somebody gave it another title meanwhile: “%(text)s”. Save again to put yours in its place."
        )
    else:
        said = _("Somebody wrote other notes meanwhile: “%(text)s”. Save again to put yours in their place.")
    return said % {"text": text}


def _ask_again(
    request: HttpRequest, membership: Membership, found: Generation, form: Rewording, *, code: int
) -> HttpResponse:
    response = show(request, membership, found, code=code, words_form=form)
    response["HX-Push-Url"] = reverse("generation", args=[membership.team.slug, found.pk])
    return response


def _told(request: HttpRequest, team: str, pk: uuid.UUID, what: str) -> HttpResponse:
    membership = access.member(request, team)
    found = access.generation(membership, pk)
    try:
        offer(request, _do(membership, what, found))
    except BadDeed as bad:
        return _refuse(request, membership, found, str(bad))
    return _to_page(request, membership, found)


def _do(who: Membership, what: str, found: Generation, given: Mapping[str, str] | None = None) -> Done:
    return deeds.do(who, what, [found.pk], given or {})


def _is_part(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def _to_page(request: HttpRequest, membership: Membership, found: Generation) -> HttpResponse:
    return back(request, reverse("generation", args=[membership.team.slug, found.pk]))


def _refuse(
    request: HttpRequest,
    membership: Membership,
    found: Generation,
    said: str,
    *,
    code: int = 422,
    **more: str,
) -> HttpResponse:
    response = show(request, membership, found, code=code, said=said, **more)
    response["HX-Push-Url"] = reverse("generation", args=[membership.team.slug, found.pk])
    return response
