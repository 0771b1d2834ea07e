"""Create: pick a model, fill its form, see the cost, generate; beside it what goes on now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Membership
from generations import disk, forms, quota, uploads, vault
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.forms.posted import WAY
from generations.models import Generation
from generations.pipeline import accept, several
from generations.views import access, earlier, inputs, lyrics, ways
from generations.views.beginning import Beginning, beginning
from generations.views.drafts import drop_sent
from generations.views.plan import lines_of
from generations.views.refusal import Refusal
from generations.views.studio_page import show, usual_model

TEXT_ROOM = 8 * 1024**2
"""Bytes a posted form may have besides its file."""


@require_safe
def studio(request: HttpRequest, team: str) -> HttpResponse:
    """The form of the model this member used last."""
    membership = access.member(request, team)
    spec = usual_model(membership)
    begun = beginning(request, membership, spec)
    return show(request, membership, spec, begun.values, title=begun.title, begun=begun)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def studio_model(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """The form of one model; a POST orders a generation.

    303 to the same page when it was accepted, 422 with the filled form when something is wrong with it, 402 when a
    limit or an unknown price refuses, 409 when the same is there already and was not asked for anew, 507 while there
    is too little room for results. A form larger than this server reads is answered before its token is checked, which
    would need to read it too; that answer changes nothing.
    """
    try:
        oversized = int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_UPLOAD_BYTES + TEXT_ROOM
        if request.method == "POST" and not oversized:
            request.POST  # noqa: B018
    except (
        RequestDataTooBig,
        TooManyFieldsSent,
        TooManyFilesSent,
        MultiPartParserError,
        UnreadablePostError,
        ValueError,
    ):
        oversized = True
    answer: HttpResponse = (_too_large if oversized else _studio_model)(request, team, model)
    return answer


def _too_large(request: HttpRequest, team: str, model: str) -> HttpResponse:
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    sentence = _("This was more than can be read at once. Go back to your text and send a shorter one.")
    # A beginning of its own: to look for one in what was posted would be to read that.
    return show(request, membership, spec, errors={"": [sentence]}, begun=Beginning(), status=422)


@csrf_protect
def _studio_model(request: HttpRequest, team: str, model: str) -> HttpResponse:
    membership = access.member(request, team)
    spec = access.model(model, membership, permitted=request.method != "POST")
    if request.method == "POST":
        return _order(request, access.generating_member(request, team), spec)
    if place := request.GET.get("use"):
        values, errors = inputs.used(membership, spec, place)
        return show(request, membership, spec, values, errors=errors)
    begun = beginning(request, membership, spec)
    return show(request, membership, spec, begun.values, title=begun.title, begun=begun)


@require_http_methods(["GET", "HEAD", "POST"])
def studio_lyrics(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """The form of a song model with the words of a lyrics result in it, as they were edited. Orders nothing.

    404 for a model that takes no lyrics. Nothing is remembered: without a text it leads to the empty form.
    """
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    page = reverse("studio_model", kwargs={"team": team, "model": spec.slug})
    if spec not in lyrics.singers(membership):
        raise Http404
    if request.method != "POST":
        return redirect(page)
    words = lyrics.Words(*(request.POST.get(name, "") for name in ("title", "style", "text")))
    answer = show(request, membership, spec, lyrics.filled(spec, words), title=words.title)
    answer["HX-Push-Url"] = page
    return answer


def _order(request: HttpRequest, membership: Membership, spec: ModelSpec) -> HttpResponse:
    posted = forms.read(
        spec, request.POST, request.FILES, lambda file, param: uploads.fit(membership, file, param)
    )
    given = inputs.settled(membership, spec, posted.raw)
    for note in (*posted.notes, *given.notes):
        messages.info(request, note)
    posted = replace(posted, raw=given.raw, errors={**given.errors, **posted.errors})
    raw = posted.raw
    filled = partial(
        show,
        request,
        membership,
        spec,
        raw,
        title=posted.title or request.POST.get("_title", ""),
        many=posted.many,
        voice=posted.voice,
    )
    way = request.POST.get(WAY, "")
    if way == "ask":
        return ways.ask(request, membership, spec, posted, filled)
    try:
        if posted.errors:
            raise InvalidParams(
                {**_faults(spec, raw), **_voice_faults(membership, spec, posted), **posted.errors}
            )
        key = _once(posted)
        if not posted.many.is_one:
            return _several(request, membership, spec, posted, key)
        there = None if way or _is_sent(membership, key) else earlier.twin(membership, spec, posted)
        if there is not None:
            return filled(twin=there, status=409)
        if way == "hold":
            return ways.hold(request, membership, spec, posted, filled, key)
        came_from = earlier.origin(request, membership)
        door = ways.draw_or_accept if way == "draw" else partial(accept.accept, origin=came_from)
        accepted = door(
            membership, spec.slug, raw, title=posted.title, idempotency_key=key, voice=posted.voice
        )
    except InvalidParams as invalid:
        return filled(errors=invalid.errors, status=422)
    except quota.QuotaExceeded as exceeded:
        return filled(refusal=ways.refusal(membership, spec, posted, exceeded), status=402)
    except accept.PriceUnknown:
        refusal = Refusal(membership, spec, raw)
        return filled(refusal=refusal, status=402)
    except disk.StorageLow as low:
        return filled(errors={"": [str(low)]}, status=507)
    except accept.ModelRefused as refused:
        return filled(errors={"": [str(refused)]}, status=403)
    except accept.MayNotGenerate:
        raise PermissionDenied from None
    drop_sent(request, membership, spec)
    if not accepted.created:
        messages.info(request, _("This form was already sent; it was not sent twice."))
    for line in accepted.warnings:
        messages.warning(request, Refusal(membership, spec, raw, line).warning)
    page = reverse("studio_model", kwargs={"team": membership.team.slug, "model": spec.slug})
    answer = redirect(f"{page}?from={accepted.generation.pk}")
    answer.status_code = 303
    return answer


def _several(
    request: HttpRequest, membership: Membership, spec: ModelSpec, posted: forms.Posted, key: str
) -> HttpResponse:
    """Sends what fits and leads to the page of the order, which tells what did not."""
    lines = lines_of(spec, posted.raw, posted.many)
    taken = several.accept(
        membership,
        spec.slug,
        posted.raw,
        lines,
        title=posted.title,
        idempotency_key=key,
        origin=earlier.origin(request, membership),
    )
    drop_sent(request, membership, spec)
    if not taken.created:
        messages.info(request, _("This form was already sent; it was not sent twice."))
    for line in taken.warnings:
        messages.warning(request, Refusal(membership, spec, posted.raw, line).warning)
    answer = redirect("batch", membership.team.slug, taken.batch.pk)
    answer.status_code = 303
    return answer


def _is_sent(membership: Membership, key: str) -> bool:
    """Whether this very form was sent already, which the door says better than a twin does."""
    rows = Generation.objects.filter(team=membership.team_id, author=membership.user_id, idempotency_key=key)
    return bool(key) and rows.exists()


def _once(posted: forms.Posted) -> str:
    """One key for a form with a content: a second click finds the first order, a changed text does not."""
    if not posted.once:
        return ""
    asked = [posted.many.by_line, posted.many.copies]
    said = [posted.raw, posted.title, asked, *([asdict(posted.voice)] if posted.voice else [])]
    content = json.dumps(said, sort_keys=True).encode("utf-8", "surrogatepass")
    return f"form-{posted.once}-{hashlib.sha256(content).hexdigest()[:32]}"


def _faults(spec: ModelSpec, raw: Mapping[str, Any]) -> dict[str, list[str]]:
    try:
        spec.clean(raw)
    except InvalidParams as invalid:
        return invalid.errors
    return {}


def _voice_faults(membership: Membership, spec: ModelSpec, posted: forms.Posted) -> dict[str, list[str]]:
    """What the door would say of a new voice, so that all faults are told at once."""
    if posted.voice is None:
        return {}
    try:
        posted.voice.check(membership, needs_consent=vault.needs_consent(spec))
    except InvalidParams as invalid:
        return invalid.errors
    return {}
