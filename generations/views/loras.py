"""LoRAs of the team: managers give RunningHub a file, and learn the name that inputs of RHLoraLoader take."""

from __future__ import annotations

import math

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Membership
from accounts.roles import Deed
from generations import disk, uploads
from generations import loras as verbs
from generations.models import Connection, Lora
from generations.views import access, shell


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def loras(request: HttpRequest, team: str) -> HttpResponse:
    """All of the team, and the form for another one. Who may not upload is told so before a byte is read."""
    actor = access.may(request, team, Deed.BRING_IN)
    if request.method != "POST":
        return _page(request, actor)
    if disk.is_low():
        return _page(request, actor, {"file": str(disk.StorageLow())}, status=507)
    if uploads.is_too_large(request):
        return _page(request, actor, {"file": uploads.too_large()}, status=413)
    try:
        request.POST  # noqa: B018
    except RequestDataTooBig:
        return _page(request, actor, {"file": uploads.too_large()}, status=413)
    except (TooManyFieldsSent, TooManyFilesSent, MultiPartParserError, UnreadablePostError):
        return _page(request, actor, {"file": _("The file did not arrive whole. Try again.")}, status=400)
    answer: HttpResponse = _give(request, team)
    return answer


@csrf_protect
def _give(request: HttpRequest, team: str) -> HttpResponse:
    actor = access.may(request, team, Deed.BRING_IN)
    file = request.FILES.get("file")
    if file is None:
        return _page(request, actor, {"file": _("Choose a file.")}, status=422)
    try:
        lora, made = verbs.keep(actor.team, actor.user, file, request.POST.get("name", ""))
    except verbs.NotTaken as refused:
        return _page(request, actor, {refused.field: str(refused)}, status=422)
    if made:
        messages.success(request, _("It is on its way to RunningHub."))
    else:
        messages.info(request, _("This file is there already, as “%(name)s”.") % {"name": lora.name})
    return redirect("loras", team)


@require_POST
def lora_again(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Has one that failed tried anew."""
    actor = access.may(request, team, Deed.BRING_IN)
    if not verbs.again(access.lora(actor, pk)):
        messages.info(request, _("There is nothing to try again."))
    return redirect("loras", team)


@require_POST
def lora_remove(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Takes it off the list."""
    actor = access.may(request, team, Deed.BRING_IN)
    if verbs.remove(access.lora(actor, pk), actor.user):
        messages.success(request, _("It is off the list. What RunningHub has of it stays there."))
    else:
        messages.info(request, _("It is being given just now. Look again in a moment."))
    return redirect("loras", team)


def _page(
    request: HttpRequest, actor: Membership, faults: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    rows = list(verbs.of(actor.team)[: verbs.MOST])
    context = {
        "rows": rows,
        "waits": any(row.is_waiting for row in rows),
        "connection": Connection.of(actor.team),
        "faults": faults or {},
        "name": request.POST.get("name", "")[:200] if status == 422 else "",
        "most": settings.MAX_UPLOAD_BYTES,
        "longest": verbs.NAME,
        "seconds": round(Lora.SENT_WITHIN),
        "megabits": math.ceil(settings.MAX_UPLOAD_BYTES * 8 / Lora.SENT_WITHIN / 1e6),
    }
    template = "own/_loras.html" if shell.is_part(request) and request.method == "GET" else "own/loras.html"
    with timezone.override(actor.team.zone):
        return render(request, template, context, status=status)
