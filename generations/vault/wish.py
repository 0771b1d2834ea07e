"""What a member says about a voice that is to be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Membership
from generations.catalogue.clean import InvalidParams
from generations.catalogue.text import Fault, settled
from generations.models import Audience, Generation, Voice

NAME, LANGUAGE, SPEAKER = 80, 40, 120


@dataclass(frozen=True)
class Wish:
    """`members` are the ids of users who may use it when the audience is "some".

    `consents`: the member states that `speaker` has agreed. Faults are told under "voice.name", "voice.audience" and
    so on.
    """

    name: str = ""
    language: str = ""
    audience: str = Audience.OWNER
    members: Sequence[int] = ()
    speaker: str = ""
    consents: bool = False

    def check(self, membership: Membership, *, needs_consent: bool) -> None:
        """Raises `InvalidParams`. `needs_consent`: the voice is that of a person, so without consent nobody but its
        owner and the managers may have it.
        """
        faults: dict[str, list[str]] = {}
        for key, text, most in self._texts():
            if sentence := text_fault(text, most):
                faults[f"voice.{key}"] = [sentence]
        if self.audience not in Audience.values:
            faults["voice.audience"] = [_("Choose who may use the voice.")]
        elif self.audience == Audience.SOME and not self.members:
            faults["voice.members"] = [_("Choose somebody, or let everyone or nobody else use the voice.")]
        elif unknown_members(membership, self.members):
            faults["voice.members"] = [_("Choose people who are in the team now.")]
        if needs_consent and self.consents and not self.speaker.strip():
            faults.setdefault("voice.speaker", [_("Write the name of the person whose voice it is.")])
        if needs_consent and not self.consents and self.audience in (Audience.EVERYONE, Audience.SOME):
            faults["voice.consent"] = [_("Others may use the voice only when its speaker has agreed.")]
        if faults:
            raise InvalidParams(faults)

    def _texts(self) -> list[tuple[str, str, int]]:
        return [
            ("name", self.name, NAME),
            ("language", self.language, LANGUAGE),
            ("speaker", self.speaker, SPEAKER),
        ]


def text_fault(text: str, most: int) -> str:
    """What is wrong with a name, as a sentence; "" when it can be taken."""
    try:
        words = settled(text)
    except Fault as fault:
        return str(fault)
    if len(words) > most:
        return _("At most %(most)s characters; this has %(count)s.") % {"most": most, "count": len(words)}
    return _("Write it on one line.") if "\n" in words else ""


def unknown_members(membership: Membership, users: Sequence[int]) -> bool:
    """Whether one of these is not in the team now."""
    here = Membership.objects.filter(team=membership.team_id, ended_at=None, user__in=set(users))
    return here.count() < len(set(users))


def wish_of(generation: Generation) -> Wish | None:
    """What was said about the voice that this generation makes; None when it makes none."""
    voice = Voice.objects.filter(made_by=generation).first()
    if voice is None:
        return None
    return Wish(
        name=voice.name,
        language=voice.language,
        audience=voice.audience,
        members=list(voice.grants.values_list("user", flat=True)),
        speaker=voice.speaker,
        consents=voice.consent_at is not None,
    )
