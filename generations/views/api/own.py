"""What one keeps and is told: presets, voices, notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.models import Notification
from accounts.roles import Deed
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams
from generations.models import Preset
from generations.pipeline import hear
from generations.vault import changes
from generations.views import access
from generations.views import presets as preset_page
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.generate import Key, titled
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import Stand, absolute, say_when, shown
from generations.views.api.voices import own_voice
from generations.views.presets import settings_of
from generations.views.voice_card import VoiceCard

router = Router(tags=["Own"])
SHOWN = 100


class PresetShown(Schema):
    """Settings of a model under a name."""

    id: UUID
    model: str
    name: str
    params: dict[str, Any]
    shared: bool
    author: str


class Presets(Schema):
    items: list[PresetShown]
    next_cursor: None = None


class NewPreset(Schema):
    """Of `params` only settings are kept, no texts and no files."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=200)
    name: str = Field(min_length=1, max_length=80)
    params: dict[str, Any] = {}
    shared: bool = False


@router.get("presets", response={200: Presets, **answers()}, operation_id="presets", summary="Presets")
def preset_list(request: ApiRequest) -> Any:
    """One's own and those that are shared."""
    me = may(request, Deed.GENERATE)
    rows = access.presets(me).select_related("author").order_by("model", "name", "pk")
    away = access.hidden(me).voice_ids
    return Presets(items=[_preset(row, away) for row in rows])


@router.post(
    "presets",
    response={201: PresetShown, **answers(400, 404, 413, 422)},
    operation_id="save_preset",
    auth=generates,
    summary="Save a preset",
)
def preset_put(request: ApiRequest, wanted: NewPreset) -> Any:
    """One of one's own of the same model and name gets the new settings."""
    me = may(request, Deed.GENERATE)
    spec = access.model(load.get(wanted.model).slug, me)
    name = titled(wanted.name)
    if not name:
        raise InvalidParams({"name": ["Give it a name."]})
    try:
        saved = preset_page.save(me, spec, name, settings_of(spec, wanted.params), shared=wanted.shared)
    except preset_page.NotKept as fault:
        raise InvalidParams({"params": [str(fault)]}) from None
    except (IntegrityError, ValueError):
        raise InvalidParams({"params": ["These settings cannot be kept."]}) from None
    return Status(201, _preset(saved, frozenset()))


@router.post(
    "presets/{uuid:id}/delete",
    response={204: None, **answers(404)},
    operation_id="delete_preset",
    auth=generates,
    summary="Throw a preset away",
)
def preset_drop(request: ApiRequest, id: UUID) -> Any:
    """Its author, and managers where it is shared."""
    access.changeable_preset(may(request, Deed.GENERATE), id).delete()
    return Status(204, None)


class Switch(Schema):
    model_config = ConfigDict(extra="forbid")

    on: StrictBool = True


@router.post(
    "presets/{uuid:id}/share",
    response={200: PresetShown, **answers(400, 404, 413, 422)},
    operation_id="share_preset",
    auth=generates,
    summary="Open a preset to the team",
)
def preset_open(request: ApiRequest, id: UUID, wanted: Switch) -> Any:
    """Or take it back, which managers may too where it is shared."""
    me = may(request, Deed.GENERATE)
    found = access.changeable_preset(me, id)
    preset_page.share(found, on=wanted.on)
    return _preset(found, access.hidden(me).voice_ids)


@router.post(
    "presets/{uuid:id}/default",
    response={204: None, **answers(400, 404, 413, 422)},
    operation_id="begin_with_preset",
    auth=generates,
    summary="Begin with a preset",
)
def preset_first(request: ApiRequest, id: UUID, wanted: Switch) -> Any:
    """The caller's form of its model begins with it from now on, or with none."""
    me = may(request, Deed.GENERATE)
    preset_page.begin_with(me, access.preset(me, id), on=wanted.on)
    return Status(204, None)


class VoiceChange(Schema):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, max_length=80)
    archived: bool | None = None


@router.get(
    "voices/{uuid:id}", response={200: schemas.Voice, **answers(404)}, operation_id="voice", summary="A voice"
)
def voice_one(request: ApiRequest, id: UUID) -> Any:
    """One of the team that the token's member may see."""
    me = request.auth.membership
    return own_voice(request, VoiceCard(access.voice(me, id), me, timezone.now()))


@router.post(
    "voices/{uuid:id}",
    response={200: schemas.Voice, **answers(400, 404, 413, 422)},
    operation_id="change_voice",
    auth=generates,
    summary="Change a voice",
)
def voice_edit(request: ApiRequest, id: UUID, wanted: VoiceChange) -> Any:
    """Its owner and managers. An archived one speaks no more until it is restored."""
    me = may(request, Deed.SEE)
    found = access.changeable_voice(me, id)
    try:
        if wanted.name is not None:
            changes.rename(found, wanted.name)
    except changes.NotPossible as fault:
        raise InvalidParams({fault.field: [str(fault)]}) from None
    if wanted.archived is not None:
        (changes.archive if wanted.archived else changes.restore)(found)
    return own_voice(request, VoiceCard(access.voice(me, id), me, timezone.now()))


@router.post(
    "voices/{uuid:id}/keep",
    response={201: schemas.Generation, 200: schemas.Generation, **answers(402, 404, 409, 422, 507)},
    operation_id="keep_voice",
    auth=generates,
    summary="Keep a voice alive",
)
def voice_alive(request: ApiRequest, response: HttpResponse, id: UUID, idempotency_key: Key = None) -> Any:
    """Has it say a word, which costs what a word costs, so that the provider keeps it for another week."""
    me = may(request, Deed.GENERATE)
    found = access.voice(me, id)
    if not access.may_use_voice(me, found):
        raise PermissionDenied("Only its owner and managers may use a voice whose speaker has not agreed.")
    try:
        taken = hear.keep_alive(me, found, idempotency_key or "", request.auth)
    except hear.NoModel:
        return problem("not_possible", "No model of the catalogue speaks with this voice.")
    row = access.generation(me, taken.generation.pk)
    stand = Stand.of([row], row.created_at)
    say_when(response, [row], stand)
    response["Location"] = absolute(request, "generation", id=row.pk)
    return Status(201 if taken.created else 200, shown(request, row, stand))


class NotificationShown(Schema):
    """Something one was told. `link` is a path of the portal, or empty."""

    id: int
    event: str
    title: str
    text: str
    link: str
    created_at: datetime
    read_at: datetime | None


class Notifications(Schema):
    items: list[NotificationShown]
    next_cursor: None = None


class Read(Schema):
    """How many were new."""

    read: int


@router.get(
    "notifications",
    response={200: Notifications, **answers()},
    operation_id="notifications",
    summary="What one was told",
)
def told(request: ApiRequest) -> Any:
    """The last hundred of this team, newest first."""
    me = request.auth.membership
    rows = Notification.of(me.user).filter(team=me.team_id)[:SHOWN]
    names = ("id", "event", "title", "text", "link", "created_at", "read_at")
    return Notifications(items=[NotificationShown(**row) for row in rows.values(*names)])


@router.post(
    "notifications/read",
    response={200: Read, **answers()},
    operation_id="read_notifications",
    auth=generates,
    summary="Nothing is new",
)
def told_read(request: ApiRequest) -> Any:
    """Notes that all of this team were read."""
    me = may(request, Deed.SEE)
    fresh = Notification.of(me.user).filter(team=me.team_id, read_at=None)
    return Read(read=fresh.order_by().update(read_at=timezone.now()))


@router.post(
    "notifications/{int:id}/read",
    response={204: None, **answers(404)},
    operation_id="read_notification",
    auth=generates,
    summary="One is not new",
)
def told_one_read(request: ApiRequest, id: int) -> Any:
    """Notes that one of this team was read."""
    me = may(request, Deed.SEE)
    found = access.notification(me.user, id)
    if found.team_id != me.team_id:
        raise Http404
    Notification.objects.filter(pk=found.pk, read_at=None).update(read_at=timezone.now())
    return Status(204, None)


def _preset(row: Preset, away: frozenset[str]) -> PresetShown:
    params = {
        key: value for key, value in row.params.items() if not (isinstance(value, str) and value in away)
    }
    return PresetShown(
        id=row.pk, model=row.model, name=row.name, params=params, shared=row.shared, author=row.author.email
    )
