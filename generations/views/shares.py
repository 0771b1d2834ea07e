"""Links for outsiders, as members make them and look after them."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership
from accounts.roles import Deed
from generations import sharing
from generations.forms.share import ShareTerms
from generations.models import Generation, Output, ShareLink, State
from generations.sharing import Thing
from generations.views import access, shell
from generations.views.shared import FRAME
from generations.views.sound import takes

PAGE = 50


@require_safe
def shares(request: HttpRequest, team: str) -> HttpResponse:
    """The links that this member looks after, newest first; managers see those of the whole team."""
    membership = access.member(request, team)
    rows = access.share_links(membership).order_by("-id")
    after = request.GET.get("after", "")
    if after:
        rows = rows.filter(id__lt=access.id_in(after))
    found = list(rows[: PAGE + 1])
    leading = sharing.leading(found[:PAGE])
    context = {
        "team": membership.team,
        "membership": membership,
        "links": [(link, _state(link, leads=link.pk in leading)) for link in found[:PAGE]],
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
        "is_first": not after,
        "sees_all": membership.may(Deed.CHANGE_OTHERS),
    }
    with timezone.override(membership.team.zone):
        return render(request, "share/links.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def share_generation(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Makes a link to a generation, or with `?take=` to one output of it."""
    membership = access.may(request, team, Deed.SHARE)
    generation = access.shareable_generation(membership, pk)
    output = _take(generation, request.GET.get("take", ""))
    title = title_of(generation)
    fault = fault_of(membership, generation, output)
    return _new(request, membership, Thing(generation, output), title, fault)


@require_http_methods(["GET", "HEAD", "POST"])
def share_collection(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Makes a link to a collection, as it is whenever somebody looks."""
    membership = access.may(request, team, Deed.SHARE)
    collection = access.shareable_collection(membership, pk)
    return _new(request, membership, Thing(collection=collection), collection.name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def share_link(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """The link to copy, how often it was opened, and its terms to change."""
    membership = access.may(request, team, Deed.SHARE)
    link = access.share_link(membership, pk)
    posted = request.POST if request.method == "POST" else None
    form = ShareTerms(link.title, posted, link=link)
    if posted is not None and form.is_valid():
        if sharing.change(membership, link, form.terms):
            messages.success(request, _("The link has its new terms from now on."))
        else:
            messages.warning(request, _("The link was revoked meanwhile. Make another one."))
        return redirect("share_link", team, pk)
    leads, thing = link.pk in sharing.leading([link]), access.shared_thing(membership, link)
    context = {
        "team": membership.team,
        "membership": membership,
        "form": form,
        "link": link,
        "leads": leads,
        "state": _state(link, leads=leads),
        "name": str(thing or ""),
        "href": reverse("generation", args=[team, thing.pk]) if isinstance(thing, Generation) else "",
        "address": _address(request, link) if leads else "",
        "frame": _frame(request, link) if leads else "",
    }
    with timezone.override(membership.team.zone):
        return render(request, "share/link.html", context, status=422 if form.errors else 200)


@require_POST
def share_revoke(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """From now on the link leads nowhere: its page, its files and what is embedded elsewhere."""
    membership = access.may(request, team, Deed.SHARE)
    link = access.share_link(membership, pk)
    if sharing.revoke(membership, link):
        messages.success(request, _("The link is revoked. Nobody hears anything through it any more."))
    return redirect("shares", team)


def title_of(generation: Generation) -> str:
    """What a link to it is called unless somebody says otherwise."""
    return sharing.title_for_outsiders(generation, shows_prompt=False) or _("Untitled")


def fault_of(membership: Membership, generation: Generation, output: Output | None) -> str:
    """Why this member cannot share it as it is, "" where they can."""
    some = [output] if output else list(generation.outputs.all())
    if generation.status != State.SUCCEEDED:
        return _("It can be shared as soon as it is finished.")
    if generation.is_private and generation.author_id != membership.user_id:
        return _("It is private to its author, who alone can share it. Open to the team, others can as well.")
    if not any(sharing.is_shareable(one) for one in some):
        return _("Files of this kind may hold notes that cannot be taken off, so they are not shared.")
    return ""


def _take(generation: Generation, given: str) -> Output | None:
    if not given:
        return None
    found = [one for one in generation.outputs.all() if given.isascii() and str(one.index) == given]
    if not found:
        raise Http404
    return found[0]


def _new(
    request: HttpRequest, membership: Membership, thing: Thing, title: str, fault: str = ""
) -> HttpResponse:
    form = ShareTerms(title, request.POST if request.method == "POST" and not fault else None)
    if form.is_bound and form.is_valid():
        link = sharing.make(membership, thing, form.terms)
        return redirect("share_link", membership.team.slug, link.pk)
    context = {
        "team": membership.team,
        "membership": membership,
        "form": form,
        "fault": fault,
        "thing": thing,
        "take": _take_name(thing),
    }
    response = shell.sheet(request, "share/new", context)
    if fault and request.method == "POST":
        response.status_code = 422
    return response


def _take_name(thing: Thing) -> str:
    if thing.generation is None or thing.output is None:
        return ""
    return next(one.name for one in takes(thing.generation) if one.output.pk == thing.output.pk)


def _state(link: ShareLink, *, leads: bool) -> tuple[str, str]:
    """The look of its status and the word for it."""
    if link.revoked_at is not None:
        return "cancelled", _("Revoked")
    if link.is_expired:
        return "cancelled", _("Expired")
    if not link.is_live:
        return "late", _("In the trash")
    return ("finished", _("Works")) if leads else ("late", _("Not shown any more"))


def _address(request: HttpRequest, link: ShareLink) -> str:
    return request.build_absolute_uri(reverse("shared", args=[link.token])) if link.token else ""


def _frame(request: HttpRequest, link: ShareLink) -> str:
    token = link.token
    if not token or link.password:
        return ""
    src = request.build_absolute_uri(reverse("shared_embed", args=[token]))
    words = {"src": src, "width": FRAME[0], "height": FRAME[1], "title": link.title}
    return render(request, "share/_frame.html", words).content.decode().strip()
