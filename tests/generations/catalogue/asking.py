"""Some models, asked for the least request with some values changed."""

from __future__ import annotations

from typing import Any

import pytest

from generations.catalogue.load import get
from generations.catalogue.spec import InvalidParams, ModelSpec
from tests.generations.catalogue.facts import GIVEN

INSTRUMENTAL = get("minimax/music-2.6/text-to-instrumental")
SONG = get("minimax/music-2.6/text-to-music")
HD = get("minimax/speech-2.8-hd")
TURBO = get("minimax/speech-2.8-turbo")
CLONE = get("minimax/voice-clone")


def faults(spec: ModelSpec, changed: dict[str, Any], *, strict: bool = False) -> dict[str, list[str]]:
    """The errors of the least request with some values changed."""
    with pytest.raises(InvalidParams) as caught:
        spec.clean(GIVEN[spec.endpoint] | changed, strict=strict)
    return caught.value.errors


def kept(spec: ModelSpec, key: str, given: Any, *, strict: bool = False) -> Any:
    return spec.clean(GIVEN[spec.endpoint] | {key: given}, strict=strict)[key]
