"""Hear: a system voice says a sentence once for a team, and a team voice says one so that it is kept.

Both are ordinary orders through the one door, of the cheapest model that can say a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import ApiToken, Membership, Team
from generations import vault
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec
from generations.catalogue.voices import sentence
from generations.models import OVER, Connection, Generation, State, Voice, VoiceSample
from generations.pipeline import accept

ALIVE = "Still here."
"""What a team voice says to be kept: short, because it is paid by length, and the same for all."""


class NoModel(LookupError):
    """The catalogue has no model that says a sentence in a given voice."""


@dataclass(frozen=True)
class Saying:
    """A model and the params with which it says a sentence in a voice."""

    spec: ModelSpec
    params: dict[str, str]

    def quote(self, connection: Connection, team: Team) -> accept.Quote:
        """What it costs this team on this connection."""
        return accept.quote(self.spec, self.params, connection, team)


def saying(words: str, voice_id: str, maker: str = "") -> Saying:
    """The cheapest way to say `words` in a voice that the model `maker` made. Raises `NoModel`."""
    found = vault.cheapest(words, maker)
    if found is None:
        raise NoModel
    spec, text = found
    return Saying(spec, {text: words, vault.speaking(spec)[0].key: voice_id})


def sample_of(voice_id: str) -> Saying:
    """How a system voice is heard: a sentence in its language. Raises `NoModel`, `LookupError` for an unknown voice."""
    language = next((voice.language for voice in load.voices() if voice.voice_id == voice_id), None)
    if language is None:
        raise LookupError(voice_id)
    return saying(sentence(language), voice_id)


def hear(membership: Membership, voice_id: str, token: ApiToken | None = None) -> Generation:
    """The generation that says the team's sample of a system voice, made now unless there is one.

    However many members ask at once, one is made: they wait for the team's row. One that failed or was cancelled is
    replaced. Raises what `accept` raises, and `LookupError` as `sample_of`.
    """
    said = sample_of(voice_id)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=membership.team_id)
        kept = VoiceSample.objects.filter(team=membership.team_id, voice_id=voice_id)
        sample = kept.select_related("generation").first()
        if sample is not None and sample.generation.status not in set(OVER) - {State.SUCCEEDED}:
            return sample.generation
        title = _("Sample of %(voice)s") % {"voice": load.voice_name(voice_id)}
        made = accept.accept(
            membership, said.spec.slug, said.params, title=title, strict=True, token=token
        ).generation
        VoiceSample.objects.update_or_create(
            team_id=membership.team_id, voice_id=voice_id, defaults={"generation": made}
        )
    return made


def alive(voice: Voice) -> Saying:
    """How a voice of the team is kept: it speaks. Raises `NoModel`."""
    return saying(ALIVE, voice.voice_id, voice.made_by.model)


def keep_alive(
    membership: Membership, voice: Voice, key: str, token: ApiToken | None = None
) -> accept.Accepted:
    """Has the voice speak now. The same `key` asks for the same one. Raises what `accept` raises, and `NoModel`.

    Its title does not name the voice, because the library shows it to those who may not know the voice too.
    """
    said = alive(voice)
    title = _("A voice kept alive")
    return accept.accept(
        membership,
        said.spec.slug,
        said.params,
        title=title,
        idempotency_key=key,
        strict=True,
        token=token,
    )
