"""Create: pick a model, fill its form, see the cost, generate; beside it what goes on now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Membership
from generations import forms, quota, uploads
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.pipeline import accept
from generations.views import access
from generations.views.refusal import Refusal
from generations.views.studio_page import earlier_values, show, usual_model

TEXT_ROOM = 8 * 1024**2
"""Bytes a posted form may have besides its file."""


@require_safe
def studio(request: HttpRequest, team: str) -> HttpResponse:
    """The form of the model this member used last."""
    membership = access.member(request, team)
    return show(request, membership, usual_model(membership))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def studio_model(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """The form of one model; a POST orders a generation.

    303 to the same page when it was accepted, 422 with the filled form when something is wrong with it, 402
    when a limit or an unknown price refuses. A form larger than this server reads is answered before its
    token is checked, which would need to read it too; that answer changes nothing.
    """
    try:
        oversized = int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_UPLOAD_BYTES + TEXT_ROOM
        if request.method == "POST" and not oversized:
            request.POST  # noqa: B018
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError, ValueError):
        oversized = True
    answer: HttpResponse = (_too_large if oversized else _studio_model)(request, team, model)
    return answer


def _too_large(request: HttpRequest, team: str, model: str) -> HttpResponse:
    membership, spec = access.generating_member(request, team), _spec(model)
    sentence = _("This was more than can be read at once. Go back to your text and send a shorter one.")
    return show(request, membership, spec, errors={"": [sentence]}, status=422)


@csrf_protect
def _studio_model(request: HttpRequest, team: str, model: str) -> HttpResponse:
    membership, spec = access.member(request, team), _spec(model)
    if request.method == "POST":
        return _order(request, access.generating_member(request, team), spec)
    values, title = earlier_values(request, membership, spec)
    return show(request, membership, spec, values, title=title)


def _order(request: HttpRequest, membership: Membership, spec: ModelSpec) -> HttpResponse:
    posted = forms.read(
        spec, request.POST, request.FILES, lambda file, kind: uploads.store(membership, file, expected=kind)
    )
    raw, title = posted.raw, posted.title or request.POST.get("_title", "")
    try:
        if posted.errors:
            raise InvalidParams({**_faults(spec, raw), **posted.errors})
        key = _once(posted)
        accepted = accept.accept(membership, spec.slug, raw, title=posted.title, idempotency_key=key)
    except InvalidParams as invalid:
        return show(request, membership, spec, raw, errors=invalid.errors, title=title, status=422)
    except quota.QuotaExceeded as exceeded:
        refusal = Refusal(membership, spec, raw, exceeded.line, exceeded.cost, exceeded.currency)
        return show(request, membership, spec, raw, title=title, refusal=refusal, status=402)
    except accept.PriceUnknown:
        refusal = Refusal(membership, spec, raw)
        return show(request, membership, spec, raw, title=title, refusal=refusal, status=402)
    except accept.MayNotGenerate:
        raise PermissionDenied from None
    if not accepted.created:
        messages.info(request, _("This form was already sent; it was not sent twice."))
    for line in accepted.warnings:
        messages.warning(request, Refusal(membership, spec, raw, line).warning)
    page = reverse("studio_model", kwargs={"team": membership.team.slug, "model": spec.slug})
    answer = redirect(f"{page}?from={accepted.generation.pk}")
    answer.status_code = 303
    return answer


def _once(posted: forms.Posted) -> str:
    """One key for a form with a content: a second click finds the first order, a changed text does not."""
    if not posted.once:
        return ""
    content = json.dumps([posted.raw, posted.title], sort_keys=True).encode("utf-8", "surrogatepass")
    return f"form-{posted.once}-{hashlib.sha256(content).hexdigest()[:32]}"


def _faults(spec: ModelSpec, raw: Mapping[str, Any]) -> dict[str, list[str]]:
    try:
        spec.clean(raw)
    except InvalidParams as invalid:
        return invalid.errors
    return {}


def _spec(model: str) -> ModelSpec:
    try:
        return load.get(model)
    except load.UnknownModel:
        raise Http404 from None
