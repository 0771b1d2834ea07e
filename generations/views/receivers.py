"""Webhooks: which addresses hear what happens in the team, and the log of what they were sent."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Membership
from accounts.roles import Deed
from generations import receivers as verbs
from generations.forms.receiver import ReceiverForm
from generations.models import Delivery, Receiver
from generations.views import access

SHOWN = 50


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest, team: str) -> HttpResponse:
    """All of the team, and a form for a new one, whose secret is shown in the answer to its making."""
    actor = access.may(request, team, Deed.SEND_OUT)
    form = ReceiverForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = verbs.make(actor, form.cleaned_data["url"], form.cleaned_data["events"])
        except verbs.NotDone as error:
            form.add_error(None, str(error))
        else:
            return _log(request, actor, made, secret=secret)
    rows = Receiver.objects.filter(team=actor.team, removed_at=None).order_by("pk")
    context = {"form": form, "rows": rows, "events": verbs.EVENTS}
    with timezone.override(actor.team.zone):
        return render(request, "receivers/page.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_log(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """One of them: its log, newest first, and a form to change it."""
    actor = access.may(request, team, Deed.SEND_OUT)
    receiver = access.receiver(actor, pk)
    if request.method != "POST":
        return _log(request, actor, receiver)
    form = ReceiverForm(request.POST)
    if form.is_valid():
        verbs.change(actor, receiver, form.cleaned_data["url"], form.cleaned_data["events"])
        messages.success(request, _("The webhook is changed."))
        return redirect("webhook_log", team, pk)
    return _log(request, actor, receiver, form=form, status=422)


@require_POST
def webhook_switch(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """On or off, as `on` says. Twice is as once."""
    actor = access.may(request, team, Deed.SEND_OUT)
    on = request.POST.get("on") == "1"
    if verbs.switch(actor, access.receiver(actor, pk), on=on):
        said = _("It is told again from now on.") if on else _("It is told nothing from now on.")
        messages.success(request, said)
    return redirect("webhook_log", team, pk)


@require_POST
def webhook_remove(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Nothing is sent there any more."""
    actor = access.may(request, team, Deed.SEND_OUT)
    verbs.remove(actor, access.receiver(actor, pk))
    messages.success(request, _("The webhook is removed."))
    return redirect("webhooks", team)


@never_cache
@sensitive_variables("secret")
@require_POST
def webhook_secret(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Another secret, shown in this answer only."""
    actor = access.may(request, team, Deed.SEND_OUT)
    receiver = access.receiver(actor, pk)
    secret = verbs.renew(actor, receiver)
    return _log(request, actor, receiver, secret=secret)


@require_POST
def webhook_test(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Sends something that means nothing."""
    actor = access.may(request, team, Deed.SEND_OUT)
    receiver = access.receiver(actor, pk)
    try:
        verbs.test(receiver)
    except verbs.NotDone as error:
        return _log(request, actor, receiver, fault=str(error), status=409)
    messages.info(request, _("A test is on its way. Its answer is in the log in a moment."))
    return redirect("webhook_log", team, pk)


@require_POST
def delivery_resend(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """The same once more."""
    actor = access.may(request, team, Deed.SEND_OUT)
    delivery = access.delivery(actor, pk)
    try:
        verbs.resend(delivery)
    except verbs.NotDone as error:
        return _log(request, actor, delivery.receiver, fault=str(error), status=409)
    messages.info(request, _("It is on its way once more."))
    return redirect("webhook_log", team, delivery.receiver_id)


def _log(
    request: HttpRequest, actor: Membership, receiver: Receiver, *, status: int = 200, **extra: Any
) -> HttpResponse:
    receiver.refresh_from_db()
    waiting = receiver.deliveries.filter(state=Delivery.State.WAITING).count()
    context = {
        "receiver": receiver,
        "form": ReceiverForm(initial={"url": receiver.url, "events": receiver.events}),
        "rows": receiver.deliveries.defer("body").order_by("-pk")[:SHOWN],
        "waiting": waiting,
        **extra,
    }
    with timezone.override(actor.team.zone):
        return render(request, "receivers/log.html", context, status=status)
