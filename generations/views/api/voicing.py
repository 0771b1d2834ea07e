"""What is decided about a voice: who may use it, that its speaker agreed, whose it is; favourites and samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.models import Membership
from accounts.roles import Deed
from generations import forms
from generations.catalogue.spec import InvalidParams
from generations.models import FavouriteVoice, Voice
from generations.pipeline import hear
from generations.vault import changes
from generations.views import access
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.generate import colleagues
from generations.views.api.posted import NUMBER, PLAIN
from generations.views.api.problems import answers
from generations.views.api.receipt import shown
from generations.views.api.voices import own_voice
from generations.views.voice_card import VoiceCard
from generations.views.voices import mark

router = Router(tags=["Voices"])
VoiceId = Field(max_length=200, pattern=PLAIN)


class Opening(Schema):
    """`members` are emails of those who may use it when `audience` is `some`."""

    model_config = ConfigDict(extra="forbid")

    audience: Literal["everyone", "some", "owner"]
    members: list[str] = Field([], max_length=200)


class Consent(Schema):
    """With `consent` you state that `speaker` has agreed that the team makes speech with their voice."""

    model_config = ConfigDict(extra="forbid")

    speaker: str = Field(min_length=1, max_length=120, pattern=PLAIN)
    consent: Literal[True]


class Heir(Schema):
    """`member` is the id of a membership of somebody who may generate."""

    model_config = ConfigDict(extra="forbid")

    member: Annotated[int, Field(ge=1, le=2**53), NUMBER]


class Favourite(Schema):
    """`voice_id` is that of a system voice or of one of the team that the caller may use."""

    model_config = ConfigDict(extra="forbid")

    voice_id: str = VoiceId
    on: StrictBool = True


class Favourites(Schema):
    """Ids of voices."""

    items: list[str]
    next_cursor: None = None


class Hearing(Schema):
    """A system voice."""

    model_config = ConfigDict(extra="forbid")

    voice_id: str = VoiceId


def _decision(name: str, summary: str, said: str, kind: type[Schema], do: Callable[..., Any]) -> None:
    def call(request: ApiRequest, id: UUID, wanted: Any) -> Any:
        me = may(request, Deed.SEE)
        found = access.changeable_voice(me, id)
        try:
            do(me, found, wanted)
        except changes.NotPossible as fault:
            param = {"owner": "member"}.get(fault.field, fault.field)
            raise InvalidParams({param: [str(fault)]}) from None
        return own_voice(request, VoiceCard(access.voice(me, id), me, timezone.now()))

    call.__doc__ = said
    call.__name__ = f"voice_{name}"
    call.__annotations__["wanted"] = kind
    router.post(
        f"voices/{{uuid:id}}/{name}",
        response={200: schemas.Voice, **answers(400, 404, 413, 422)},
        operation_id=f"{name}_voice",
        auth=generates,
        summary=summary,
    )(call)


def _open(me: Membership, voice: Voice, wanted: Opening) -> None:
    people = colleagues(me, wanted.members, "members") if wanted.audience == "some" else []
    changes.open_to(voice, me, wanted.audience, people)


def _agree(me: Membership, voice: Voice, wanted: Consent) -> None:
    changes.record_consent(voice, me.user, wanted.speaker, stated=wanted.consent)


def _hand_over(me: Membership, voice: Voice, wanted: Heir) -> None:
    changes.hand_over(voice, next((one for one in access.colleagues(me) if one.pk == wanted.member), None))


_decision(
    "audience",
    "Who may use a voice",
    "Its owner and managers say so. A clone is opened to others only once its speaker's consent is noted.",
    Opening,
    _open,
)
_decision(
    "consent",
    "Note the speaker's consent",
    "Its owner and managers. What is noted stays as it is: by whom, and when.",
    Consent,
    _agree,
)
_decision(
    "owner",
    "Hand a voice over",
    "Its owner and managers. 404 afterwards for whoever does not see it any more.",
    Heir,
    _hand_over,
)


@router.get(
    "favourite-voices",
    response={200: Favourites, **answers()},
    operation_id="favourite_voices",
    summary="Favourite voices",
)
def voice_favourites(request: ApiRequest) -> Any:
    """The caller's own."""
    me = request.auth.membership
    rows = FavouriteVoice.objects.filter(membership=me).order_by("voice_id")
    away = access.hidden(me).voice_ids
    return Favourites(items=[one for one in rows.values_list("voice_id", flat=True) if one not in away])


@router.post(
    "favourite-voices",
    response={204: None, **answers(400, 404, 413, 422)},
    operation_id="mark_voice",
    auth=generates,
    summary="Mark a voice as a favourite",
)
def voice_mark(request: ApiRequest, wanted: Favourite) -> Any:
    """Or take the mark off. Twice is as once."""
    me = may(request, Deed.SEE)
    mark(me, _known(me, wanted.voice_id).voice_id, on=wanted.on)
    return Status(204, None)


@router.post(
    "voices/hear",
    response={200: schemas.Generation, **answers(400, 402, 404, 409, 413, 422, 507)},
    operation_id="hear_voice",
    auth=generates,
    summary="Hear a system voice",
)
def voice_heard(request: ApiRequest, wanted: Hearing) -> Any:
    """The generation in which it says a sentence, kept for the team: made now unless there is one."""
    me = may(request, Deed.GENERATE)
    if not _known(me, wanted.voice_id).is_system:
        raise Http404
    made = hear.hear(me, wanted.voice_id, request.auth)
    return shown(request, access.generation(me, made.pk))


def _known(me: Membership, voice_id: str) -> forms.Voice:
    found = forms.one(me, voice_id)
    if found is None:
        raise Http404
    return found
