"""The part of a form that asks about the voice which is to be made: its name, who may use it, who agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from generations import vault
from generations.catalogue.spec import ModelSpec
from generations.catalogue.voices import languages
from generations.models import Audience
from generations.vault import Wish

PARTS = ("name", "language", "audience", "members", "speaker", "consent")
NAMES = frozenset(f"_voice_{part}" for part in PARTS)
LABELS = {
    "name": gettext_lazy("Name of the voice"),
    "language": gettext_lazy("Language it speaks"),
    "audience": gettext_lazy("Who may use it"),
    "members": gettext_lazy("Who may use it"),
    "speaker": gettext_lazy("Name of the speaker"),
    "consent": gettext_lazy("Consent of the speaker"),
}


@dataclass(frozen=True)
class Colleague:
    user_id: int
    name: str
    chosen: bool


@dataclass(frozen=True)
class Fault:
    """A sentence for the list above the form, with the id of the control it is about."""

    id: str
    label: str
    sentence: str


@dataclass(frozen=True)
class NewVoice:
    """The fields as they are shown: what was said before, and the sentences for what is wrong with it."""

    membership: Membership
    needs_consent: bool
    said: Wish
    errors: Mapping[str, Sequence[str]]

    @property
    def languages(self) -> list[str]:
        known = list(languages())
        return known if self.said.language in ("", *known) else [self.said.language, *known]

    @property
    def audiences(self) -> list[tuple[str, str, bool]]:
        """Value, words, and whether it is chosen."""
        words = {
            Audience.EVERYONE: _("Everyone in the team"),
            Audience.SOME: _("Some people"),
            Audience.OWNER: _("Only me"),
        }
        return [(choice.value, words[choice], choice == self.said.audience) for choice in Audience]

    @cached_property
    def colleagues(self) -> list[Colleague]:
        """Everybody else who is in the team now; managers are left out, they may use every voice."""
        return colleagues(self.membership, self.said.members)

    @cached_property
    def sentences(self) -> dict[str, str]:
        """What is wrong, by part."""
        found = {part: self.errors.get(f"voice.{part}", ()) for part in PARTS}
        return {part: " ".join(said) for part, said in found.items() if said}

    @property
    def faults(self) -> list[Fault]:
        return [Fault(f"p--voice_{part}", str(LABELS[part]), said) for part, said in self.sentences.items()]


def colleagues(membership: Membership, chosen: Sequence[int]) -> list[Colleague]:
    """The others in the team now who are not managers, by name."""
    rows = Membership.objects.filter(team=membership.team_id, ended_at=None).select_related("user")
    others = [row for row in rows if row.user_id != membership.user_id and not row.may_manage]
    others.sort(key=lambda row: (row.user.display_name.casefold(), row.pk))
    return [Colleague(row.user_id, row.user.display_name, row.user_id in chosen) for row in others]


def fields(
    spec: ModelSpec, membership: Membership, said: Wish | None, errors: Mapping[str, Sequence[str]]
) -> NewVoice | None:
    """The part for this model; None for one that makes no voice."""
    if vault.maker(spec) is None:
        return None
    return NewVoice(membership, vault.needs_consent(spec), said or Wish(audience=Audience.EVERYONE), errors)


def read(spec: ModelSpec, data: QueryDict) -> tuple[Wish | None, dict[str, list[str]]]:
    """What was posted about the new voice, and the sentences for what a form demands of it.

    The rest is checked at the door. A model that makes no voice has none.
    """
    if vault.maker(spec) is None:
        return None, {}
    wish = Wish(
        name=data.get("_voice_name", ""),
        language=data.get("_voice_language", ""),
        audience=data.get("_voice_audience", Audience.OWNER),
        members=whole_numbers(data.getlist("_voice_members")),
        speaker=data.get("_voice_speaker", ""),
        consents=bool(data.get("_voice_consent")),
    )
    errors = {}
    if not wish.name.strip():
        errors["voice.name"] = [_("Give the voice a name; people choose it by that.")]
    if vault.needs_consent(spec):
        if not wish.speaker.strip():
            errors["voice.speaker"] = [_("Write the name of the person whose voice it is.")]
        if not wish.consents:
            errors["voice.consent"] = [
                _("A voice is cloned only when its speaker has agreed. Tick the statement.")
            ]
    return replace(wish, members=wish.members if wish.audience == Audience.SOME else ()), errors


def held(spec: ModelSpec, data: QueryDict) -> dict[str, Any]:
    """What was posted about the new voice, to keep with a draft; the consent is stated anew. Empty when nothing is."""
    wish, _errors = read(spec, data)
    if wish is None or not (wish.name or wish.speaker or wish.language):
        return {}
    said = asdict(replace(wish, consents=False))
    return {key: said[key] for key in ("name", "language", "audience", "members", "speaker")}


def of(kept: object) -> Wish | None:
    """What `held` gave, out of a draft; None for anything else."""
    if not isinstance(kept, dict) or not kept:
        return None
    audience = kept.get("audience")
    members = kept.get("members")
    return Wish(
        name=str(kept.get("name") or ""),
        language=str(kept.get("language") or ""),
        speaker=str(kept.get("speaker") or ""),
        audience=audience if audience in Audience.values else Audience.OWNER,
        members=[one for one in members if isinstance(one, int)] if isinstance(members, list) else (),
    )


def whole_numbers(texts: Sequence[str]) -> list[int]:
    """The ids among posted texts; -1, which nobody has, stands for what is none."""
    return [int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1 for text in texts]
