"""The sheet of limits: of the team pool, of the default for members, or of one member."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Membership, Scope
from generations import quota, receipts
from generations.forms.limits import Limits
from generations.views import access, shell


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest, team: str, scope: str, pk: int | None = None) -> HttpResponse:
    """For managers: `pool` and `default` of the team, or `member` with the membership's id."""
    actor = access.manager(request, team)
    if scope not in Scope.values or (scope == Scope.MEMBER) != (pk is not None):
        raise Http404
    whose = access.colleague(actor, pk) if pk is not None else None
    form = Limits(actor.team, Scope(scope), whose, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.save():
        messages.success(request, _("The limits are saved and count from now on."))
        return redirect("team", team=team)
    context = {"form": form, "groups": form.groups(_use(actor, scope, whose)), "scope": scope, "whose": whose}
    if whose is not None:
        context["tightest"] = shell.tightest(quota.standing(whose))
    return shell.sheet(request, "team/limits", context)


def _use(actor: Membership, scope: str, whose: Membership | None) -> receipts.Use | None:
    if whose is not None:
        return receipts.of_one(whose)
    return receipts.of_team(actor.team) if scope == Scope.POOL else None
