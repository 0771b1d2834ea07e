"""Voices to choose from: a member's favourites, those of the team that they may use, and the system's by language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from django.db.models import Prefetch, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from generations.catalogue import load
from generations.catalogue.voices import VoiceSpec
from generations.models import FavouriteVoice, Generation, Origin, Output, VoiceSample
from generations.models import Voice as TeamVoice

MOST_OF_TEAM = 300
GENDERS = {"female": gettext_lazy("female"), "male": gettext_lazy("male")}
LIGHT = Output.objects.defer("peaks_stage", "source_url", "text")


@dataclass(frozen=True)
class Voice:
    """One voice. `language` is one word, for filters.

    `sample` is what can be heard of it: the preview of a team voice, or the sentence that a system voice said for the
    team. `is_pending`: that sentence is being made.
    """

    voice_id: str
    name: str
    note: str
    gender: str = ""
    language: str = ""
    sample: Output | None = None
    is_system: bool = False
    is_pending: bool = False
    is_favourite: bool = False


@dataclass(frozen=True)
class VoiceGroup:
    """`key` is one word, for filters."""

    key: str
    label: str
    voices: Sequence[Voice]


def team_voices(membership: Membership) -> list[Voice]:
    """The voices of the team that this member may speak with, newest first."""
    rows = (
        TeamVoice.objects.usable(membership)
        .select_related("owner")
        .prefetch_related(Prefetch("made_by__outputs", LIGHT))
        .order_by("-id")[:MOST_OF_TEAM]
    )
    return [
        Voice(
            row.voice_id,
            row.name,
            _team_note(row),
            language=slugify(row.language),
            sample=first_sound(row.made_by),
        )
        for row in rows
    ]


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


def groups(membership: Membership) -> list[VoiceGroup]:
    """All there is to choose from: favourites first, then the team's own, then the system's by language.

    In a fixed number of queries. A favourite stands among the favourites only.
    """
    own = VoiceGroup("team", _("Team voices"), team_voices(membership))
    return _favourites_first(membership, [own, *heard(membership)])


def built_in(membership: Membership) -> list[VoiceGroup]:
    """As `groups`, without the voices of the team."""
    return _favourites_first(membership, heard(membership))


def heard(membership: Membership) -> list[VoiceGroup]:
    """Every system voice by language, with what the team can hear of it."""
    samples = {row.voice_id: row.generation for row in _samples(membership)}
    return [
        replace(group, voices=[with_sample(voice, samples.get(voice.voice_id)) for voice in group.voices])
        for group in system()
    ]


def one(membership: Membership, voice_id: str) -> Voice | None:
    """The voice of this id as `groups` has it; None when the member has no such voice."""
    found = next((_system(spec) for spec in load.voices() if spec.voice_id == voice_id), None)
    if found is not None:
        row = _samples(membership).filter(voice_id=voice_id).first()
        found = with_sample(found, row.generation if row else None)
    else:
        found = next((own for own in team_voices(membership) if own.voice_id == voice_id), None)
    if found is None:
        return None
    marked = FavouriteVoice.objects.filter(membership=membership, voice_id=voice_id)
    return replace(found, is_favourite=marked.exists())


def with_sample(voice: Voice, made: Generation | None) -> Voice:
    """The voice with the sentence that `made` says; a failed one is as none."""
    if made is None:
        return voice
    return replace(voice, sample=first_sound(made), is_pending=not made.is_over)


def first_sound(generation: Generation) -> Output | None:
    """What is heard of a generation whose outputs are loaded."""
    return next((output for output in generation.outputs.all() if output.kind == "audio"), None)


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


def _favourites_first(membership: Membership, groups: Iterable[VoiceGroup]) -> list[VoiceGroup]:
    marked = set(FavouriteVoice.objects.filter(membership=membership).values_list("voice_id", flat=True))
    favourites: list[Voice] = []
    rest: list[VoiceGroup] = []
    for group in groups:
        favourites += [replace(v, is_favourite=True) for v in group.voices if v.voice_id in marked]
        if others := [voice for voice in group.voices if voice.voice_id not in marked]:
            rest.append(replace(group, voices=others))
    return [*([VoiceGroup("favourites", _("Favourites"), favourites)] if favourites else []), *rest]


def _samples(membership: Membership) -> QuerySet[VoiceSample]:
    rows = VoiceSample.objects.filter(team=membership.team_id).select_related("generation")
    return rows.prefetch_related(Prefetch("generation__outputs", LIGHT))


def _team_note(row: TeamVoice) -> str:
    words = {"name": row.owner.display_name}
    made = _("Designed by %(name)s") if row.origin == Origin.DESIGNED else _("Cloned by %(name)s")
    return f"{row.language}. {made % words}" if row.language else made % words


def _system(voice: VoiceSpec) -> Voice:
    language, gender = language_name(voice.language), GENDERS.get(voice.gender)
    note = f"{language}, {gender}" if gender else language
    return Voice(voice.voice_id, voice.name, note, voice.gender, slugify(voice.language), is_system=True)
