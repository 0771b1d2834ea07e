"""The system voices a speech model knows, and a sentence to hear one by.

A team's own voices are rows, not data, and live elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generations.catalogue.faults import BadData

PATH = Path(__file__).parent / "data" / "voices.json"
GENDERS = ("female", "male", "unknown")
MANY = "multilingual"
"""The language of voices that speak several."""


@dataclass(frozen=True)
class VoiceSpec:
    """One system voice. `voice_id` is the value on the wire: case-sensitive, some with a full-width bracket.

    `listed` voices are on RunningHub's own pages; the others are of MiniMax's table and should work too.
    """

    voice_id: str
    name: str
    language: str
    gender: str
    listed: bool = False


@cache
def voices() -> tuple[VoiceSpec, ...]:
    """The system voices, listed ones first."""
    return read_voices(PATH)


@cache
def languages() -> tuple[str, ...]:
    """The languages that system voices speak, in the order of the data."""
    found = dict.fromkeys(voice.language for voice in voices())
    return tuple(language for language in found if language != MANY)


def sentence(language: str) -> str:
    """A few words to hear a voice by, in its language; in English where there are none."""
    known = _sentences(PATH)
    return known.get(language) or known["English"]


@cache
def _sentences(path: Path) -> dict[str, str]:
    return dict(json.loads(path.read_text(encoding="utf-8"))["sentences"])


@cache
def _names() -> dict[str, str]:
    return {voice.voice_id: voice.name for voice in voices()}


def voice_name(voice_id: str) -> str:
    """The name people see; the id itself for a voice which is not a system voice."""
    return _names().get(voice_id, voice_id)


def read_voices(path: Path) -> tuple[VoiceSpec, ...]:
    """The voices in a file of groups: language, gender, listed or not, and a table of id and name.

    Raises BadData naming the file and the entry.
    """
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))["groups"]
        found = [
            VoiceSpec(
                voice_id=voice_id,
                name=name,
                language=group["language"],
                gender=group["gender"],
                listed=group.get("listed", False),
            )
            for group in groups
            for voice_id, name in group["voices"].items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadData(path.name, "", "groups", f"cannot be read: {error}") from error
    seen: set[str] = set()
    for voice in found:
        if not all(isinstance(v, str) and v for v in (voice.voice_id, voice.name, voice.language)):
            raise BadData(path.name, voice.voice_id, "name", "id, name and language have to be text")
        if voice.gender not in GENDERS:
            raise BadData(path.name, voice.voice_id, "gender", f"has to be one of {', '.join(GENDERS)}")
        if voice.voice_id in seen:
            raise BadData(path.name, voice.voice_id, "voice_id", "is there twice")
        seen.add(voice.voice_id)
    return tuple(found)
