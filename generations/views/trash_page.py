"""The trash: what lies in it, until when, taking out, and emptying it before its time."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership, audit
from accounts.roles import Deed
from generations import keeping
from generations.models import Generation
from generations.models.generation import GenerationQuerySet
from generations.views import access
from generations.views.bulk import picked
from generations.views.sound import model_title

PAGE = 50


@require_safe
def trash(request: HttpRequest, team: str) -> HttpResponse:
    """What this member may take out again: their own, and for managers everything. A page at a time."""
    membership = access.member(request, team)
    rows = access.trash(membership)
    after = _place(request.GET.get("after", ""), rows)
    if after is not None:
        rows = rows.filter(trashed_at__lte=after.trashed_at).exclude(
            trashed_at=after.trashed_at, id__gte=after.pk
        )
    found = list(rows.select_related("author", "trashed_by").defer("params", "search_text")[: PAGE + 1])
    context = {
        "membership": membership,
        "rows": [{"g": one, "model_title": model_title(one.model)} for one in found[:PAGE]],
        "next": found[PAGE - 1].pk if len(found) > PAGE else "",
        "after": after,
        "days": keeping.LIVES.days,
    }
    with timezone.override(membership.team.zone):
        return render(request, "trash/page.html", context)


@require_POST
def trash_restore(request: HttpRequest, team: str) -> HttpResponse:
    """Takes what is picked out of the trash. What was removed meanwhile, or is not the member's, stays away."""
    membership = access.member(request, team)
    ids = picked(request)
    if not ids or len(ids) > keeping.MOST:
        messages.error(request, _("Choose at least one of them, and at most %(n)s.") % {"n": keeping.MOST})
        return redirect("trash", team)
    count = take_out(membership, ids)
    said = ngettext("%(n)s is in the library again.", "%(n)s are in the library again.", count)
    messages.success(request, said % {"n": count})
    return redirect("trash", team)


@require_POST
def trash_empty(request: HttpRequest, team: str) -> HttpResponse:
    """Has everything in the trash of the team removed with the next sweep. It cannot be undone, so it asks twice."""
    membership = access.may(request, team, Deed.RETAIN)
    if request.POST.get("sure") != "on":
        messages.error(request, _("Tick that you are sure: what is removed cannot be restored."))
        return redirect("trash", team)
    count = empty(membership)
    said = ngettext(
        "%(n)s is removed within a few minutes. Its receipt stays.",
        "%(n)s are removed within a few minutes. Their receipts stay.",
        count,
    )
    messages.success(request, said % {"n": count})
    return redirect("trash", team)


def take_out(membership: Membership, ids: list[uuid.UUID]) -> int:
    """Restores those of these that the member may; gives how many."""
    count = keeping.restore(_chosen(access.trash(membership), ids))
    if count:
        after = {"count": count, "generations": [str(pk) for pk in ids[:20]]}
        audit.note("generations.restored", team=membership.team, by=membership.user, after=after)
    return count


def empty(membership: Membership) -> int:
    """Has everything in the trash of the team removed with the next sweep; gives how many."""
    count = keeping.empty(access.trash(membership).order_by())
    if count:
        audit.note("trash.emptied", team=membership.team, by=membership.user, after={"count": count})
    return count


def _chosen(rows: GenerationQuerySet, ids: list[uuid.UUID]) -> GenerationQuerySet:
    return rows.order_by().filter(pk__in=ids)


def _place(text: str, rows: GenerationQuerySet) -> Generation | None:
    """The last row of the page before; one that was taken out since begins anew."""
    try:
        return rows.only("trashed_at").filter(pk=uuid.UUID(text)).first() if text else None
    except ValueError:
        return None
