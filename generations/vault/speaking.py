"""Speaking with a voice: which models can, whose voices a member may use, and the note that one was used."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Membership
from generations.catalogue import load, pricing
from generations.catalogue.clean import InvalidParams
from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import Kind, ModelSpec
from generations.models import Voice

VOICE = "voice"
GONE = gettext_noop("This voice is not there (any more). Choose another.")


def speaking(spec: ModelSpec) -> list[ParamSpec]:
    """The params that take the id of a voice."""
    return [param for param in spec.params if param.widget == VOICE]


def spoken(spec: ModelSpec, params: Mapping[str, Any]) -> Voice | None:
    """The voice of a team, of any team, that these params speak with. System voices and strange ids are none."""
    named = [value for param in speaking(spec) if isinstance(value := params.get(param.key), str)]
    return Voice.objects.filter(voice_id__in=named).first() if named else None


def refuse_foreign(locked: Membership, spec: ModelSpec, params: Mapping[str, Any]) -> None:
    """Raises `InvalidParams` at a param that names a voice which this member may not use.

    The sentence is one and the same whether it is archived, was never made, is a colleague's or another team's.
    """
    named = {param.key: params[param.key] for param in speaking(spec) if param.key in params}
    if not named:
        return
    kept = set(Voice.objects.filter(voice_id__in=named.values()).values_list("voice_id", flat=True))
    if not kept:
        return
    usable = set(Voice.objects.usable(locked).filter(voice_id__in=kept).values_list("voice_id", flat=True))
    if faults := {key: [_(GONE)] for key, voice_id in named.items() if voice_id in kept - usable}:
        raise InvalidParams(faults)


def speech_models(maker: str = "") -> list[ModelSpec]:
    """The speech models that take voices of the model `maker`, which are those of the same vendor; all of them when
    no maker is named or it left the catalogue.
    """
    found = [spec for spec in load.models() if spec.kind == Kind.SPEECH and speaking(spec)]
    try:
        vendor = load.get(maker).vendor
    except load.UnknownModel:
        return found
    return [spec for spec in found if spec.vendor == vendor] or found


def cheapest(sentence: str, maker: str = "") -> tuple[ModelSpec, str] | None:
    """The speech model that says a sentence for least by the catalogue, and the key of its text.

    A model that needs more than a text and a voice is none of them; None when there is none at all.
    """
    offers: list[tuple[Decimal, ModelSpec, str]] = []
    for spec in speech_models(maker):
        needed = [p for p in spec.params if p.required and p.default is None and p.widget != VOICE]
        if len(needed) != 1 or not spec.prompt_param or needed[0].key != spec.prompt_param:
            continue
        amount = pricing.estimate(spec, {spec.prompt_param: sentence}).amount
        if amount is not None:
            offers.append((amount, spec, spec.prompt_param))
    best = min(offers, key=lambda offer: offer[0], default=None)
    return best and (best[1], best[2])
