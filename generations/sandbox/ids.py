"""Ids that pass from one task to the next: of voices that speak or sing, and of prepared recordings."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from generations.catalogue.load import voices
from generations.catalogue.spec import Kind
from generations.sandbox.orders import Order
from generations.sandbox.refusals import Refusal
from generations.sandbox.render import COVER, COVER_PREPARED, VOCAL_CLONE, VOICE_DESIGN
from generations.sandbox.tasks import Task
from generations.sandbox.voices import Traits

NEW_VOICE = ("custom_voice_id", "voiceId", "vocalId")
"""Params that hold the id of a voice which is being made."""
MAKES_UP = {VOICE_DESIGN: "voiceId", VOCAL_CLONE: "vocalId", COVER_PREPARED: "coverFeatureId"}
"""Which id an endpoint makes up when it is not told one."""
PREPARED_SECONDS = 86_400.0
"""How long a prepared recording can be used."""


def made_up(order: Order) -> dict[str, Any]:
    """The params of the order, with the id that its result will tell."""
    params = dict(order.params)
    if (key := MAKES_UP.get(order.spec.endpoint)) is not None:
        params.setdefault(key, uuid.uuid4().hex)
    return params


def new_voice(order: Order, params: Mapping[str, Any]) -> str:
    """The id of the voice this order makes, "" when it makes none."""
    if order.spec.kind is not Kind.VOICE:
        return ""
    return next((str(params[key]) for key in NEW_VOICE if key in params), "")


def sings(endpoint: str) -> bool:
    """Whether the voices made here sing; the others speak."""
    return endpoint == VOCAL_CLONE


def check_free(order: Order, params: Mapping[str, Any], taken: Collection[str]) -> None:
    """Raises Refusal 1007 when the order would make a voice under an id that another one has."""
    wanted = new_voice(order, params)
    if wanted and (wanted in taken or wanted in _system()):
        raise Refusal(1007, f"{_key(params, wanted)}: the voice id {wanted} is already taken")


def voice_of(order: Order, clones: Mapping[str, Mapping[str, Any]]) -> Traits | None:
    """The made voice that is to speak or sing, None for one of the system. Raises Refusal 1007 for an unknown one."""
    for key, singing in (("voice_id", False), ("vocalId", True)):
        if key not in order.params:
            continue
        wanted = str(order.params[key])
        clone = clones.get(wanted)
        if clone is not None and clone.get("sings", False) is singing:
            return Traits.from_record(dict(clone["traits"]))
        if singing or wanted not in _system():
            raise Refusal(1007, f"{key}: there is no voice {wanted}")
    return None


def check_prepared(order: Order, tasks: Iterable[Task]) -> None:
    """Raises Refusal 1007 for a cover of a recording that was not prepared within the day."""
    feature = order.params.get("coverFeatureId")
    if order.spec.endpoint != COVER or feature is None:
        return
    since = time.time() - PREPARED_SECONDS
    prepared = (
        task.job["params"].get("coverFeatureId")
        for task in tasks
        if task.endpoint == COVER_PREPARED and task.status == "SUCCESS" and task.finished_at >= since
    )
    if feature not in prepared:
        raise Refusal(1007, f"coverFeatureId: there is no prepared recording {feature}")


def _system() -> set[str]:
    return {voice.voice_id for voice in voices()}


def _key(params: Mapping[str, Any], value: str) -> str:
    return next(key for key in NEW_VOICE if params.get(key) == value)
