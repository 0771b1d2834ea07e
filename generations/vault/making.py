"""A voice comes to be: its row is inserted with the generation that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Membership
from generations.catalogue.clean import InvalidParams
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.spec import ModelSpec
from generations.models import Audience, Generation, Origin, Upload, Voice, VoiceGrant
from generations.vault.ids import allot, is_taken
from generations.vault.wish import NAME, Wish

NEW_VOICE = "new_voice"
TAKEN = gettext_noop("This id is taken or was used before. Choose another, or leave it empty.")


def maker(spec: ModelSpec) -> ParamSpec | None:
    """The param that gives a new voice its id; None for a model that makes no voice."""
    return next((param for param in spec.params if param.widget == NEW_VOICE), None)


def needs_consent(spec: ModelSpec) -> bool:
    """Whether the voices of this model are those of people: it makes them from a recording."""
    return maker(spec) is not None and any(param.type is ParamType.AUDIO for param in spec.params)


def with_id(spec: ModelSpec, params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Cleaned params of a model that makes voices, with an id allotted from `name` where none is given.

    Raises `InvalidParams` for an id that somebody has.
    """
    param = maker(spec)
    if param is None:
        return dict(params)
    given = params.get(param.key)
    if given and is_taken(given):
        raise InvalidParams({param.key: [_(TAKEN)]})
    return {**params, param.key: given or allot(name, param)}


def anew(spec: ModelSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Params of an earlier generation for another one: without the id of its voice, which is given only once."""
    param = maker(spec)
    return {key: value for key, value in params.items() if param is None or key != param.key}


def make(generation: Generation, spec: ModelSpec, locked: Membership, wish: Wish | None) -> Voice | None:
    """The row of the voice that `generation` makes, inside the transaction that inserts it; None when it makes none.

    Without a wish the voice is called by its id and belongs to its author alone. Raises `InvalidParams` when another
    team was given the same id in this moment.
    """
    param = maker(spec)
    if param is None:
        return None
    said = wish or Wish()
    voice_id = str(generation.params[param.key])
    agreed = said.consents and needs_consent(spec)
    voice = Voice(
        team=locked.team,
        owner=locked.user,
        voice_id=voice_id,
        name=" ".join(said.name.split()) or voice_id[:NAME],
        language=said.language.strip(),
        origin=Origin.CLONED if needs_consent(spec) else Origin.DESIGNED,
        made_by=generation,
        sample=_sample(spec, generation),
        audience=said.audience,
        speaker=" ".join(said.speaker.split()) if needs_consent(spec) else "",
        consent_at=timezone.now() if agreed else None,
        consent_by=locked.user if agreed else None,
    )
    try:
        with transaction.atomic():
            voice.save(force_insert=True)
    except IntegrityError:
        raise InvalidParams({param.key: [_(TAKEN)]}) from None
    if said.audience == Audience.SOME:
        VoiceGrant.objects.bulk_create(VoiceGrant(voice=voice, user_id=user) for user in set(said.members))
    return voice


def _sample(spec: ModelSpec, generation: Generation) -> Upload | None:
    """The recording that the voice is made from."""
    for param in spec.params:
        if param.type is ParamType.AUDIO and isinstance(reference := generation.params.get(param.key), str):
            return Upload.objects.filter(pk=Upload.id_of(reference)).first()
    return None
