"""Collections: all of them, one to hear in its order, and what changes them."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership, audit
from accounts.roles import Deed
from generations import keeping
from generations.forms.keeping import Shelf
from generations.keeping import shelves
from generations.models import Collection, Generation, read_id
from generations.views import access, deeds
from generations.views.back import back
from generations.views.bulk import picked
from generations.views.deeds import BadDeed
from generations.views.keep import offer
from generations.views.row import row

PAGE = 100


@require_safe
def collections(request: HttpRequest, team: str) -> HttpResponse:
    """Those that this member sees, the last changed first, with how much is in each that they see."""
    membership = access.member(request, team)
    seen = Q(items__generation__in=access.generations(membership).values("pk"))
    rows = access.collections(membership).select_related("author").annotate(count=Count("items", filter=seen))
    page = Paginator(rows.order_by("-updated_at", "-id"), PAGE).get_page(request.GET.get("page"))
    context = {"membership": membership, "page": page, "may_keep": membership.may(Deed.KEEP_ORDER)}
    with timezone.override(membership.team.zone):
        return render(request, "collections/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def collection_new(request: HttpRequest, team: str) -> HttpResponse:
    """A new collection, with what is picked in it. 422, and none is made, when that is too much at once. The same sent
    twice makes one.
    """
    membership = access.may(request, team, Deed.KEEP_ORDER)
    form = Shelf(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made, fault = _made(membership, form, picked(request))
        if made is not None:
            messages.success(request, _("The collection “%(name)s” is made.") % {"name": made.name})
            return redirect("collection", team, made.pk)
        form.add_error(None, fault)
    context = {"membership": membership, "form": form, "picks": picked(request)}
    return render(request, "collections/edit.html", context, status=422 if form.errors else 200)


@require_safe
def collection(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """What is in it, in its order, as rows that the player plays one after the other."""
    membership = access.member(request, team)
    return _show(request, membership, access.collection(membership, pk))


@require_http_methods(["GET", "HEAD", "POST"])
def collection_edit(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Its name, its description and, for its author, who sees it."""
    membership = access.member(request, team)
    closes = "is_private" in request.POST
    found = (access.closable_collection if closes else access.changeable_collection)(membership, pk)
    initial = {"name": found.name, "description": found.description, "is_private": found.is_private}
    form = Shelf(request.POST if request.method == "POST" else None, initial=initial)
    if not access.may_close_collection(membership, found):
        del form.fields["is_private"]
    if request.method == "POST" and form.is_valid():
        Collection.objects.filter(pk=pk).update(**form.cleaned_data, updated_at=timezone.now())
        messages.success(request, _("Saved."))
        return redirect("collection", team, pk)
    context = {"membership": membership, "form": form, "collection": found}
    return render(request, "collections/edit.html", context, status=422 if form.errors else 200)


@require_POST
def collection_delete(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Deletes the collection; what is in it stays in the library."""
    membership = access.member(request, team)
    found = access.changeable_collection(membership, pk)
    count = found.items.count()
    found.delete()
    after = {"name": found.name, "count": count}
    audit.note("collection.deleted", team=membership.team, by=membership.user, before=after)
    messages.success(request, _("The collection is gone. What was in it is still in the library."))
    return redirect("collections", team)


@require_POST
def collection_move(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Moves one: `move` is its id and "up" or "down"; else `item` goes right before `before`, empty for the end.

    409 with the page as it is now when either was taken out meanwhile. A script gets 204.
    """
    membership = access.may(request, team, Deed.KEEP_ORDER)
    found = access.collection(membership, pk)
    asked, _space, way = request.POST.get("move", "").partition(" ")
    item = read_id(asked or request.POST.get("item", ""))
    before = read_id(request.POST.get("before", ""))
    steps = {"up": -1, "down": 1}.get(way)
    try:
        if item is None:
            raise shelves.Gone
        if steps is not None:
            shelves.move_by(found, item, steps, _seen(membership, found))
        else:
            shelves.move_before(found, item, before)
    except shelves.Gone:
        said = _("It was taken out of the collection meanwhile. This is how the collection is now.")
        return _show(request, membership, found, said=said, status=409)
    if "HX-Request" in request.headers and "HX-Boosted" not in request.headers:
        return HttpResponse(status=204)
    return back(request, f"{reverse('collection', args=[team, pk])}#item-{item}")


@require_POST
def collection_remove(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Takes what is picked out of it."""
    membership = access.may(request, team, Deed.KEEP_ORDER)
    found = access.collection(membership, pk)
    try:
        done = deeds.do(membership, "uncollect", picked(request), {"collection": str(pk)})
    except BadDeed as bad:
        return _show(request, membership, found, said=str(bad), status=422)
    offer(request, done)
    return back(request, reverse("collection", args=[team, pk]))


def _made(membership: Membership, form: Shelf, ids: list[uuid.UUID]) -> tuple[Collection | None, str]:
    given = form.cleaned_data
    try:
        with transaction.atomic():
            made = shelves.create_once(
                membership, given["name"], given["description"], private=given["is_private"]
            )
            if ids:
                deeds.do(membership, "collect", ids, {"collection": str(made.pk)})
    except (shelves.Full, BadDeed) as fault:
        return None, str(fault)
    return made, ""


def _seen(membership: Membership, found: Collection) -> set[uuid.UUID]:
    rows = access.generations(membership).filter(collected__collection=found)
    return set(rows.values_list("pk", flat=True))


def _show(
    request: HttpRequest, membership: Membership, found: Collection, *, said: str = "", status: int = 200
) -> HttpResponse:
    seen = access.generations(membership).filter(collected__collection=found)
    order = seen.order_by("collected__place", "collected__id").values_list("pk", flat=True)
    page = Paginator(order, PAGE).get_page(request.GET.get("page"))
    start = (page.number - 1) * PAGE
    ids = list(order[start : start + PAGE + 1])
    items = _loaded(ids[:PAGE], membership)
    context: dict[str, Any] = {
        "membership": membership,
        "collection": found,
        "page": page,
        "next": ids[PAGE] if len(ids) > PAGE else None,
        "rows": [row(one) for one in items],
        "starred": keeping.starred(membership.user, [one.pk for one in items]),
        "may_keep": membership.may(Deed.KEEP_ORDER),
        "may_change": access.may_change_collection(membership, found),
        "said": said,
        "first_number": page.start_index(),
    }
    with timezone.override(membership.team.zone):
        response = render(request, "collections/page.html", context, status=status)
    if status != 200:
        response["HX-Push-Url"] = reverse("collection", args=[membership.team.slug, found.pk])
    return response


def _loaded(ids: list[uuid.UUID], membership: Membership) -> list[Generation]:
    """These generations in this order, as rows show them."""
    rows = Generation.objects.filter(pk__in=ids).select_related("author").prefetch_related("outputs")
    found = {one.pk: one for one in rows.defer("search_text", "results", "error_detail", "request_digest")}
    items = [found[pk] for pk in ids if pk in found]
    access.veil(items, access.hidden(membership))
    for one in items:
        one.team = membership.team
    return items
