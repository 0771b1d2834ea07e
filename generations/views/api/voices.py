"""Voices for speech models."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from generations.catalogue import load
from generations.models import Voice
from generations.views import vault
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest
from generations.views.api.problems import answers
from generations.views.api.receipt import absolute
from generations.views.voice_card import VoiceCard

router = Router(tags=["Models"])


@router.get(
    "voices", response={200: schemas.Voices, **answers()}, operation_id="voices", summary="All voices"
)
def voices(request: ApiRequest) -> schemas.Voices:
    """The voices of the team that the token's member may see, newest first, then every system voice, on one page."""
    own = [
        own_voice(request, card)
        for card in vault.cards(request.auth.membership, archived=False)
        if card.is_made
    ]
    system = [
        schemas.Voice(
            voice_id=voice.voice_id,
            name=voice.name,
            language=voice.language,
            gender=voice.gender,
            origin="system",
        )
        for voice in load.voices()
    ]
    return schemas.Voices(items=own + system)


def own_voice(request: HttpRequest, card: VoiceCard) -> schemas.Voice:
    """A voice of the team as the API shows it."""
    voice, preview = card.voice, card.preview
    place = {"id": voice.made_by_id, "index": preview.index} if preview else {}
    return schemas.Voice.model_validate(
        {
            "voice_id": voice.voice_id,
            "name": voice.name,
            "language": voice.language or None,
            "gender": None,
            "origin": "team",
            "id": voice.pk,
            "made": voice.origin,
            "owner": voice.owner.email,
            "audience": voice.audience,
            "consent": voice.consent_at is not None,
            "may_use": card.may_use,
            "used_in": voice.times_used,
            "last_used_at": voice.last_use,
            "kept_until": Voice.kept_until(voice.last_use),
            "sample_url": absolute(request, "output_content", **place) if place else None,
        }
    )
