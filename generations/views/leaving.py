"""The page on which a membership ends: one's own, or one that a manager ends."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import memberships
from accounts.models import Membership
from generations import leaving
from generations.forms.leaving import Leave
from generations.views import access


@require_http_methods(["GET", "HEAD", "POST"])
def member_leave(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Shows what this member has and who may take over, then hands it over and ends the membership."""
    actor = access.member(request, team)
    whose = access.colleague(actor, pk)
    if not memberships.may_end(actor, whose):
        raise PermissionDenied(_("Only managers may end a membership, and only owners that of an owner."))
    posted = request.POST if request.method == "POST" else None
    form = Leave(leaving.heirs(whose), posted, initial={"role": whose.role})
    if posted is None or not form.is_valid():
        return _page(request, actor, whose, form)
    try:
        signed_out = leaving.leave(
            whose, actor, heir=form.chosen, role=form.cleaned_data["role"], stop=form.stops
        )
    except memberships.LastOwner:
        fault = _("The team would have no owner. Make somebody else an owner first.")
        return _page(request, actor, whose, form, fault)
    except memberships.Changed:
        fault = _("Somebody changed this membership in the meantime. Look again, then decide.")
        return _page(request, actor, whose, Leave(leaving.heirs(whose), initial={"role": whose.role}), fault)
    except leaving.NoHeir:
        fault = _("Who was chosen cannot take over any more. Choose somebody else.")
        return _page(request, actor, whose, form, fault)
    words = {"name": whose.user.display_name, "team": whose.team.name}
    if whose.pk != actor.pk:
        messages.success(request, _("%(name)s is not in the team any more.") % words)
        return redirect("team", team)
    if signed_out:
        request.session.flush()
    messages.success(request, _("You have left %(team)s.") % words)
    return redirect("home")


def _page(
    request: HttpRequest, actor: Membership, whose: Membership, form: Leave, fault: str = ""
) -> HttpResponse:
    context = {
        "whose": whose,
        "is_own": actor.pk == whose.pk,
        "left": leaving.look(whose),
        "form": form,
        "fault": fault,
    }
    return render(request, "team/leave.html", context, status=422 if fault or form.errors else 200)
