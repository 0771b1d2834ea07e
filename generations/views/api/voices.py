"""Voices for speech models."""

from __future__ import annotations

from ninja import Router

from generations.catalogue import load
from generations.forms.voices import cloned
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest
from generations.views.api.problems import answers

router = Router(tags=["Models"])


@router.get(
    "voices", response={200: schemas.Voices, **answers()}, operation_id="voices", summary="All voices"
)
def voices(request: ApiRequest) -> schemas.Voices:
    """The voices that the team cloned, newest first, then every system voice, on one page."""
    own = [
        schemas.Voice(voice_id=voice.voice_id, name=voice.name, language=None, gender=None, origin="team")
        for voice in cloned(request.auth.membership.team)
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
