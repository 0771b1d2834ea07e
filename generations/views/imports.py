"""Bringing in what was made elsewhere: several files at once, by drop or by choice."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.models import Membership
from generations import disk, uploads
from generations.forms.imports import Import
from generations.models import Generation
from generations.pipeline.adopt import adopt
from generations.views import access


@dataclass
class Outcome:
    """What became of the files: those that came in, and those that did not with the sentence why."""

    made: list[Generation] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest, team: str) -> HttpResponse:
    """The form, and its files. Whoever may not bring anything in is told so before a byte is read."""
    membership = access.generating_member(request, team)
    if request.method != "POST":
        return _page(request, membership, Import(initial={"once": uuid.uuid4().hex}))
    if disk.is_low():
        return _page(request, membership, _anew(), fault=str(disk.StorageLow()), status=507)
    if uploads.is_too_large(request):
        return _page(request, membership, _anew(), fault=_too_large(), status=413)
    try:
        request.POST  # noqa: B018
    except RequestDataTooBig:
        return _page(request, membership, _anew(), fault=_too_large(), status=413)
    except (TooManyFieldsSent, TooManyFilesSent, MultiPartParserError, UnreadablePostError):
        fault = _("The files did not arrive whole, or were more than a hundred. Try again.")
        return _page(request, membership, _anew(), fault=fault, status=400)
    answer: HttpResponse = _bring_in(request, team)
    return answer


@csrf_protect
def _bring_in(request: HttpRequest, team: str) -> HttpResponse:
    membership = access.generating_member(request, team)
    form = Import(request.POST)
    files = request.FILES.getlist("file")
    if not form.is_valid() or not files:
        return _page(request, membership, form, fault=_("Choose at least one file."), status=422)
    outcome = Outcome()
    for file in files:
        try:
            once, kind = form.cleaned_data["once"], form.cleaned_data["kind"]
            outcome.made.append(adopt(membership, file, kind=kind, once=once))
        except uploads.BadUpload as bad:
            outcome.refused.append((file.name or _("A file without a name"), bad.sentence))
    if outcome.refused:
        return _page(request, membership, form, outcome=outcome, status=422)
    if len(outcome.made) == 1:
        messages.success(request, _("It is in the library."))
        return redirect("generation", team, outcome.made[0].pk)
    messages.success(request, _said(outcome))
    return redirect("library", team)


def _page(
    request: HttpRequest,
    membership: Membership,
    form: Import,
    *,
    outcome: Outcome | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "team": membership.team,
        "membership": membership,
        "form": form,
        "fault": fault,
        "outcome": outcome,
        "said": _said(outcome) if outcome and outcome.made else "",
        "most": settings.MAX_UPLOAD_BYTES,
    }
    return render(request, "imports/page.html", context, status=status)


def _anew() -> Import:
    return Import(initial={"once": uuid.uuid4().hex})


def _said(outcome: Outcome) -> str:
    many = len(outcome.made)
    return ngettext("%(n)s file is in the library.", "%(n)s files are in the library.", many) % {"n": many}


def _too_large() -> str:
    limit = filesizeformat(settings.MAX_UPLOAD_BYTES)
    return _("Together the files may have at most %(limit)s. Bring in fewer at once.") % {"limit": limit}
