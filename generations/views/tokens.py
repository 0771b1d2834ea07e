"""Tokens: everybody keeps their own; managers see those of the whole team and keep the service members."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import tokens as verbs
from accounts.models import ApiToken, Membership
from accounts.roles import Deed
from generations.forms.token import NewMachine, NewToken
from generations.views import access
from generations.views.back import back

OVER_SHOWN = 20


@never_cache
@sensitive_variables("text")
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest, team: str) -> HttpResponse:
    """The member's own, and a form for a new one, whose text is shown in the answer to its making and never again."""
    me = access.may(request, team, Deed.SEE)
    form = NewToken(me, request.POST if request.method == "POST" else None)
    text = _made(form, me, me) if request.method == "POST" and form.is_valid() else ""
    context = {
        "form": NewToken(me) if text else form,
        "text": text,
        "name": form.cleaned_data.get("name") if text else "",
        **_split(ApiToken.objects.filter(membership=me)),
    }
    with timezone.override(me.team.zone):
        return render(request, "tokens/page.html", context, status=422 if form.errors else 200)


@never_cache
@sensitive_variables("text")
@require_http_methods(["GET", "HEAD", "POST"])
def team_tokens(request: HttpRequest, team: str) -> HttpResponse:
    """Every token of the team and its service members; what is posted makes a service member."""
    actor = access.manager(request, team)
    form = NewMachine(actor, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = verbs.make_machine(actor, form.cleaned_data["name"], form.cleaned_data["role"])
        messages.success(request, _("“%(name)s” is in the team. Make a token for it.") % {"name": made.user})
        return redirect("machine", team, made.pk)
    context = {
        "form": form,
        "machines": [one for one in access.colleagues(actor) if one.user.is_machine],
        **_split(ApiToken.objects.filter(membership__team=actor.team)),
    }
    with timezone.override(actor.team.zone):
        return render(request, "tokens/team.html", context, status=422 if form.errors else 200)


@never_cache
@sensitive_variables("text")
@require_http_methods(["GET", "HEAD", "POST"])
def machine(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """The tokens of a service member, and a form for a new one."""
    actor = access.manager(request, team)
    owner = access.machine(actor, pk)
    form = NewToken(owner, request.POST if request.method == "POST" else None)
    text = _made(form, actor, owner) if request.method == "POST" and form.is_valid() else ""
    context = {
        "form": NewToken(owner) if text else form,
        "text": text,
        "name": form.cleaned_data.get("name") if text else "",
        "machine": owner,
        **_split(ApiToken.objects.filter(membership=owner)),
    }
    with timezone.override(actor.team.zone):
        return render(request, "tokens/page.html", context, status=422 if form.errors else 200)


@require_POST
def token_revoke(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """It opens nothing from now on: one's own, or for managers anybody's. Twice is as once."""
    actor = access.may(request, team, Deed.SEE)
    token = access.token(actor, pk)
    if verbs.revoke(actor, token):
        messages.success(request, _("“%(name)s” is revoked. It stopped at once.") % {"name": token.name})
    else:
        messages.info(request, _("It was revoked already."))
    return back(request, redirect("tokens", team).url)


def _made(form: NewToken, actor: Membership, owner: Membership) -> str:
    try:
        return verbs.make(actor, owner, form.cleaned_data["name"], **form.values())
    except verbs.TooMany as error:
        form.add_error(None, str(error))
        return ""


def _split(rows: Any) -> dict[str, list[ApiToken]]:
    """Those that open something, and the last ones that do not any more, newest first."""
    rows = rows.select_related("membership__user").order_by("-pk")
    over = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
    return {
        "open": list(rows.exclude(over)),
        "over": list(rows.filter(over)[:OVER_SHOWN]),
    }
