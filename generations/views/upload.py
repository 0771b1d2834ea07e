"""Uploads: a file that is sent ahead of the form it belongs to, and the bytes of one."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership
from generations import disk, forms, media, own_models, uploads
from generations.catalogue import load
from generations.catalogue.param import ParamSpec
from generations.views import access
from generations.views.content import send


@csrf_exempt
@require_POST
def upload_add(request: HttpRequest, team: str) -> HttpResponse:
    """Keeps the posted `file` for the param of the model that the address names (`?model=…&param=…`).

    201 with the line of the form that holds the upload. A refusal is a sentence as plain text: 422 when the param
    does not take the file, 413 when it is too large to be read at all, 400 when the form did not arrive whole.
    Who may not upload is told so before a byte is read.
    """
    _param(request, access.generating_member(request, team))
    if disk.is_low():
        return _said(str(disk.StorageLow()), 507)
    if uploads.is_too_large(request):
        return _too_large()
    try:
        request.POST  # noqa: B018
    except RequestDataTooBig:
        return _too_large()
    except (TooManyFieldsSent, TooManyFilesSent, MultiPartParserError, UnreadablePostError):
        return _said(_("The file did not arrive whole. Try again."), 400)
    answer: HttpResponse = _upload_add(request, team)
    return answer


@csrf_protect
def _upload_add(request: HttpRequest, team: str) -> HttpResponse:
    membership = access.generating_member(request, team)
    param = _param(request, membership)
    file = request.FILES.get("file")
    if file is None:
        return _said(_("Choose a file."), 422)
    try:
        kept = uploads.fit(membership, file, param)
    except uploads.BadUpload as bad:
        return _said(bad.sentence, 422)
    field = forms.Field(param, files=[forms.of_upload(kept.upload, membership.team, kept.note)])
    return render(request, "studio/fields/_chosen.html", {"field": field, "file": field.files[0]}, status=201)


def _param(request: HttpRequest, membership: Membership) -> ParamSpec:
    try:
        spec = own_models.get(request.GET.get("model", ""), membership.team)
        param = spec.param(request.GET.get("param", ""))
    except (load.UnknownModel, KeyError):
        raise Http404 from None
    if not param.type.is_media or param.hidden:
        raise Http404
    return param


def _too_large() -> HttpResponse:
    return _said(uploads.too_large(), 413)


def _said(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")


@require_safe
def upload_content(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponseBase:
    """The file as the member gave it, whole or in ranges, to members of its team."""
    upload = access.upload(access.member(request, team), pk)
    return send(
        request,
        upload.file,
        size=upload.bytes,
        content_type=upload.content_type,
        sha256=upload.sha256,
        modified=upload.created_at,
        filename=media.safe_filename(Path(upload.name).stem, upload.extension),
    )
