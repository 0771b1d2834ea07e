"""Voices to choose from: those the team cloned, and the system's by language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.catalogue.voices import VoiceSpec
from generations.models import Generation, Output, State

NEW_VOICE = "custom_voice_id"
"""The param by which a model that makes voices is told the id of the new one."""
MOST_CLONED = 300
GENDERS = {"female": gettext_lazy("female"), "male": gettext_lazy("male")}


@dataclass(frozen=True)
class Voice:
    """One voice. `sample` is the preview that was made with a cloned one."""

    voice_id: str
    name: str
    note: str
    gender: str = ""
    sample: Output | None = None


@dataclass(frozen=True)
class VoiceGroup:
    """`key` is one word, for filters."""

    key: str
    label: str
    voices: Sequence[Voice]


def cloned(team: Team) -> list[Voice]:
    """The voices this team made, newest first; a voice made anew stands once."""
    rows = (
        Generation.objects.filter(team=team, kind=Kind.VOICE.value, status=State.SUCCEEDED)
        .select_related("author")
        .prefetch_related("outputs")
        .order_by("-id")[:MOST_CLONED]
    )
    found: dict[str, Voice] = {}
    for row in rows:
        voice_id = row.params.get(NEW_VOICE) if isinstance(row.params, dict) else None
        if isinstance(voice_id, str) and voice_id and voice_id not in found:
            note = _("Cloned by %(name)s") % {"name": row.author.display_name}
            sample = next((output for output in row.outputs.all() if output.kind == "audio"), None)
            found[voice_id] = Voice(voice_id, voice_id, note, "", sample)
    return list(found.values())


def usual() -> VoiceGroup:
    """The system voices named in RunningHub's own pages: a short list for a menu."""
    return VoiceGroup("usual", _("Often used"), [_system(voice) for voice in load.voices() if voice.listed])


@cache
def by_language() -> tuple[tuple[str, tuple[VoiceSpec, ...]], ...]:
    """Every system voice under its language, in the order of the data."""
    languages: dict[str, list[VoiceSpec]] = {}
    for voice in load.voices():
        languages.setdefault(voice.language, []).append(voice)
    return tuple((language, tuple(voices)) for language, voices in languages.items())


def groups(team: Team) -> list[VoiceGroup]:
    """All there is to choose from, the team's own first."""
    own = cloned(team)
    return ([VoiceGroup("team", _("Team voices"), own)] if own else []) + system()


def system() -> list[VoiceGroup]:
    """Every system voice by language."""
    return [
        VoiceGroup(slugify(language), language_name(language), [_system(voice) for voice in voices])
        for language, voices in by_language()
    ]


def language_name(language: str) -> str:
    return _("Many languages") if language == "multilingual" else language


def find(voice_id: str, own: Sequence[Voice]) -> Voice:
    """The voice of this id; an id that nobody here knows stands for itself."""
    for voice in own:
        if voice.voice_id == voice_id:
            return voice
    for spec in load.voices():
        if spec.voice_id == voice_id:
            return _system(spec)
    return Voice(voice_id, voice_id, _("A voice from elsewhere"))


def _system(voice: VoiceSpec) -> Voice:
    language = language_name(voice.language)
    gender = GENDERS.get(voice.gender)
    return Voice(voice.voice_id, voice.name, f"{language}, {gender}" if gender else language, voice.gender)
