"""One voice of the team: what it is, where it spoke, and what its owner and the managers may decide about it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Membership
from generations.forms.new_voice import colleagues, whole_numbers
from generations.library import HEAVY
from generations.models import Audience, Generation, State, Voice
from generations.views import access, voice_price
from generations.views.refusal import Refusal
from generations.views.sound import model_title
from generations.views.voice_card import VoiceCard

LATEST = 8
"""Generations named on the page; the library has all."""


@require_safe
def voice(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    membership = access.member(request, team)
    return show(request, membership, access.voice(membership, pk))


def show(
    request: HttpRequest,
    membership: Membership,
    found: Voice,
    *,
    posted: QueryDict | None = None,
    errors: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page. `posted` and `errors` bring a form back as it was sent, with a sentence at the field."""
    prefetch_related_objects([found], "grants__user", "made_by__outputs")
    card = VoiceCard(found, membership, timezone.now(), voice_price.Alive(membership.team).of(found))
    context: dict[str, Any] = {
        "team": membership.team,
        "membership": membership,
        "card": card,
        "voice": found,
        "recording": next(iter(access.heard(membership, [found.sample] if found.sample else [])), None),
        "model_title": model_title(found.made_by.model),
        "uses": _uses(membership, found),
        "errors": errors or {},
        "refusal": refusal,
        "spec": refusal.spec if refusal else None,
        "key": uuid.uuid4().hex,
    }
    if card.may_change:
        context |= _choices(membership, found, posted)
    with timezone.override(membership.team.zone):
        response = render(request, "voices/voice.html", context, status=status)
    if status != 200:  # the address bar keeps the page's own address, so that reloading works
        response["HX-Push-Url"] = reverse("voice", args=[membership.team.slug, found.pk])
    return response


def _uses(membership: Membership, found: Voice) -> list[Generation]:
    rows = (
        access.generations(membership)
        .filter(voice_use__voice=found, status=State.SUCCEEDED)
        .select_related("author")
    )
    return list(rows.defer("params", *HEAVY).order_by("-id")[:LATEST])


def _choices(membership: Membership, found: Voice, posted: QueryDict | None) -> dict[str, Any]:
    """What the forms offer, and what they hold: what was sent, else what is so."""
    data = posted or QueryDict()
    granted = [grant.user_id for grant in found.grants.all()]
    chosen = whole_numbers(data.getlist("members")) if "audience" in data else granted
    heirs = [
        row for row in access.colleagues(membership) if row.may_generate and row.user_id != found.owner_id
    ]
    return {
        "name": data.get("name", found.name),
        "audiences": [(one.value, data.get("audience", found.audience) == one) for one in Audience],
        "colleagues": [one for one in colleagues(membership, chosen) if one.user_id != found.owner_id],
        "heirs": heirs,
        "speaker": data.get("speaker", found.speaker),
    }
