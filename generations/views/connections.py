"""Connections: which account at RunningHub the team uses, its own keys, and whether sending is paused.

Managers see the shared connection and those of their team, pause and resume; only owners enter, replace, choose and
remove, because a key is money. Nobody sees a key again, only its last four characters.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership
from accounts.roles import Deed
from generations import bill, progress
from generations import connections as verbs
from generations.connections import NotDone
from generations.forms.connection import NewConnection, Pause, ReplaceKey
from generations.models import Connection, ConnectionKey, Generation, sealing
from generations.models.connection import CANDIDATES
from generations.views import access, shell
from generations.views.team_page import team_page


@require_safe
def connections(request: HttpRequest, team: str) -> HttpResponse:
    """All that the team may use, the one in use first."""
    return show(request, access.may(request, team, Deed.PAUSE))


def show(
    request: HttpRequest, actor: Membership, *, fault: str = "", status: int = 200, **extra: Any
) -> HttpResponse:
    """The page; `fault` says why something was not done."""
    used = Connection.of(actor.team)
    shared = Connection.shared_of(actor.team)
    own = [one for one in Connection.all_of(actor.team) if not one.is_shared]
    rows = sorted([shared, *own], key=lambda one: (one.pk != used.pk, not one.is_shared, one.pk))
    cards = [_card(one, actor, used) for one in rows]
    context = {
        "cards": cards,
        "is_owner": actor.may(Deed.HOLD_KEYS),
        "trying": any(card["candidate"] and card["candidate"].state == "waiting" for card in cards),
        "fault": fault,
        **extra,
    }
    template = "connections/_list.html" if shell.is_part(request) else "connections/page.html"
    with timezone.override(actor.team.zone):
        return render(request, template, context, status=status)


def _card(one: Connection, actor: Membership, used: Connection) -> dict[str, Any]:
    keys = [] if one.is_shared else list(one.keys.exclude(state=ConnectionKey.State.FORGOTTEN))
    own_people = one.paused_by is None or actor.team.memberships.filter(user=one.paused_by).exists()
    return {
        "one": one,
        "is_used": one.pk == used.pk,
        "candidate": next((key for key in keys if key.state in CANDIDATES), None),
        "former": [key for key in keys if key.state == ConnectionKey.State.FORMER],
        "unreadable": _unreadable(one),
        "slots": progress.slots(one),
        "shown": bill.is_ours_alone(one, actor.team),
        "mine": Generation.objects.filter(connection=one, team=actor.team_id, status__in=_ACTIVE).count(),
        "paused_by": (one.paused_by.display_name if own_people else _("a manager of another team"))
        if one.paused_by
        else "",
        "may_choose": actor.may(Deed.HOLD_KEYS) and one.pk != used.pk and one.is_configured,
    }


_ACTIVE = ("queued", "dispatching", "unconfirmed", "running", "gathering")


def _unreadable(one: Connection) -> str:
    if one.is_shared or not one.sealed_key:
        return ""
    try:
        one.key()
    except sealing.Unreadable as error:
        return str(error)
    return ""


@sensitive_post_parameters("key")
@sensitive_variables("key", "form")
@require_http_methods(["GET", "HEAD", "POST"])
def connection_add(request: HttpRequest, team: str) -> HttpResponse:
    """A key of the team's own. It is tried by the worker; the page of connections tells what came of it."""
    actor = access.may(request, team, Deed.HOLD_KEYS)
    form = NewConnection(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            verbs.add(actor.team, actor.user, base_url=said["base_url"], name=said["name"], key=said["key"])
        except NotDone as error:
            form.add_error("key", str(error))
        else:
            messages.info(request, _("The key is being tried. Nothing is sent with it before you say so."))
            return redirect("connections", team=team)
    return shell.sheet(request, "connections/add", {"form": form})


@sensitive_post_parameters("key")
@sensitive_variables("key", "form")
@require_http_methods(["GET", "HEAD", "POST"])
def connection_key(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Another key for the same account; the one in use goes on until the new one was tried."""
    actor = access.may(request, team, Deed.HOLD_KEYS)
    one = access.own_connection(actor, pk)
    form = ReplaceKey(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            verbs.enter_key(one, actor.user, form.cleaned_data["key"])
        except NotDone as error:
            form.add_error("key", str(error))
        else:
            messages.info(request, _("The key is being tried. The one in use goes on until then."))
            return redirect("connections", team=team)
    return shell.sheet(request, "connections/key", {"form": form, "one": one})


@require_POST
def connection_candidate(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """What to do with a key that could not be tried: `again` or `anyway`."""
    actor = access.may(request, team, Deed.HOLD_KEYS)
    one = access.own_connection(actor, pk)
    if request.POST.get("action") == "anyway":
        done = verbs.use_anyway(one)
        said = _(
            "The key is taken as it is. If RunningHub refuses it, sending is paused and the managers are told."
        )
    else:
        done = verbs.try_again(one)
        said = _("The key is tried once more.")
    messages.info(request, said if done else _("There is no key that waits for this any more."))
    return redirect("connections", team=team)


@require_POST
def connection_use(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """The team sends by this connection from now on."""
    actor = access.may(request, team, Deed.HOLD_KEYS)
    one = access.connection(actor, pk)
    try:
        done = verbs.use(actor.team, one)
    except NotDone as error:
        return show(request, actor, fault=str(error), status=409)
    if done:
        said = _("The team uses “%(name)s” from now on. What was sent before goes on where it is.")
        messages.success(request, said % {"name": _name(one)})
    return redirect("connections", team=team)


@require_POST
def connection_remove(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Takes a connection out of use and forgets its keys; receipts keep its name."""
    actor = access.may(request, team, Deed.HOLD_KEYS)
    one = access.own_connection(actor, pk)
    try:
        verbs.remove(one)
    except NotDone as error:
        return show(request, actor, fault=str(error), status=409)
    said = _("“%(name)s” is removed and its key forgotten. Its receipts stay.")
    messages.success(request, said % {"name": _name(one)})
    return redirect("connections", team=team)


@require_POST
def connection_pause(request: HttpRequest, team: str, pk: int | None = None) -> HttpResponse:
    """Nothing more is sent by this connection, the one in use unless another is named, until somebody resumes it; what
    was sent goes on. Any manager may, because everybody waits.
    """
    actor = access.may(request, team, Deed.PAUSE)
    one = access.connection(actor, pk) if pk is not None else Connection.of(actor.team)
    form = Pause(request.POST)
    if not form.is_valid():
        fault = str(form.errors["reason"][0])
        if pk is None:
            return team_page(request, actor, status=422, fault=fault)
        return show(request, actor, status=422, pause_fault=fault, pause_of=one.pk)
    if verbs.pause(one, actor.team, actor.user, form.cleaned_data["reason"]):
        messages.success(request, _("Sending is paused. What was sent before goes on."))
    else:
        messages.info(request, _("It was paused already."))
    return redirect("team" if pk is None else "connections", team=team)


@require_POST
def connection_resume(request: HttpRequest, team: str, pk: int | None = None) -> HttpResponse:
    """Lets a paused connection send again: the one in use, unless another is named. Any manager may."""
    actor = access.may(request, team, Deed.PAUSE)
    one = access.connection(actor, pk) if pk is not None else Connection.of(actor.team)
    if verbs.resume(one, actor.team):
        messages.success(request, _("Sending goes on. Generations that waited are sent one after the other."))
    return redirect("team" if pk is None else "connections", team=team)


def _name(one: Connection) -> str:
    return _("the shared account") if one.is_shared else str(one)
