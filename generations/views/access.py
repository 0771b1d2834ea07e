"""Who may see and do what. Every view asks here, and nobody else decides.

A team's library is open to all its members, except what belongs to a voice that is not theirs to use: the generation
that made it with its outputs and its recording, and its name where others speak with it. Whoever is not in the team
gets 404, as if there were nothing; a member without the right gets 403.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.models import Membership, Role, Team, User
from generations import vault
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec
from generations.models import (
    Batch,
    Connection,
    Draft,
    Generation,
    Output,
    Preset,
    State,
    Upload,
    Voice,
    read_id,
)
from generations.models.voice import VoiceQuerySet
from generations.vault import Hidden
from generations.views.offered import NotOffered, not_offered, site


class SecondFactorMissing(PermissionDenied):
    """The team is closed to this member until they have set up a second factor."""


def memberships(user: User) -> list[Membership]:
    """The teams of this user, by name."""
    rows = Membership.objects.filter(user=user, ended_at=None).select_related("team", "user")
    return list(rows.order_by("team__name", "pk"))


def member(request: HttpRequest, team: str) -> Membership:
    """The signed-in user's membership of the team in the address, else 404. Looked up once per request.

    Raises `SecondFactorMissing` when the team asks for one that the user has not set up.
    """
    known: Membership | None = getattr(request, "membership", None)
    if known is not None and known.team.slug == team:
        return known
    rows = Membership.objects.select_related("team", "user").filter(user=request.user.pk, ended_at=None)
    found = get_object_or_404(rows, team__slug=team)
    if found.team.needs_second_factor and not is_mfa_enabled(found.user):
        raise SecondFactorMissing(_("This team asks for a second factor when you sign in. Set one up first."))
    request.membership = found  # type: ignore[attr-defined]
    return found


def generating_member(request: HttpRequest, team: str) -> Membership:
    """As `member`, who may also generate; else 403."""
    found = member(request, team)
    if not found.may_generate:
        raise PermissionDenied("Viewers listen; they do not generate. Ask a manager for another role.")
    return found


def manager(request: HttpRequest, team: str) -> Membership:
    """As `member`, who may also manage the team; else 403."""
    found = member(request, team)
    if not found.may_manage:
        raise PermissionDenied("Only managers of the team may do this.")
    return found


def owner(request: HttpRequest, team: str) -> Membership:
    """As `member`, who also owns the team; else 403."""
    found = member(request, team)
    if found.role != Role.OWNER:
        raise PermissionDenied(_("Only owners of the team may do this, because a key is money."))
    return found


def connection(membership: Membership, pk: int) -> Connection:
    """The shared connection or one of the team's own, else 404: another team's is nobody's business."""
    shared = Connection.shared_of(membership.team)
    if pk == shared.pk:
        return shared
    return own_connection(membership, pk)


def own_connection(membership: Membership, pk: int) -> Connection:
    """A connection of the team's own that was not removed, else 404."""
    return get_object_or_404(Connection, team=membership.team_id, removed_at=None, pk=pk)


def hidden(membership: Membership) -> Hidden:
    """What of the team is not for this member."""
    return vault.hidden_from(membership)


def veil(rows: Iterable[Generation], hidden: Hidden) -> None:
    """Takes the ids of hidden voices out of generations that merely spoke with one, which everybody may see.

    Only in memory: params have None in their place, and what upstream said about them says "a private voice".
    """
    for row in rows if hidden.voice_ids else ():
        named = {key: value for key, value in row.params.items() if isinstance(value, str)}
        keys = [key for key, value in named.items() if value in hidden.voice_ids]
        if not keys:
            continue
        row.params = {**row.params, **dict.fromkeys(keys)}
        for field in {"error_message", "error_detail", "search_text"} - row.get_deferred_fields():
            text: str = getattr(row, field)
            for key in keys:
                text = text.replace(named[key], _("a private voice"))
            setattr(row, field, text)


def unveiled(membership: Membership, params: dict[str, Any]) -> dict[str, Any]:
    """Params that somebody else kept, without the voices that are hidden from this member."""
    away = hidden(membership).voice_ids
    return {key: value for key, value in params.items() if not (isinstance(value, str) and value in away)}


def generation(membership: Membership, pk: uuid.UUID, *, veiled: bool = True) -> Generation:
    """A generation of the member's team with its author and outputs, else 404.

    `veiled` is off where its params go through the door again, which judges them by itself.
    """
    away = hidden(membership)
    rows = Generation.objects.select_related("author", "team", "connection").prefetch_related("outputs")
    if pk in away.generations:
        raise Http404
    found = get_object_or_404(rows, team=membership.team_id, pk=pk)
    if veiled:
        veil([found], away)
    return found


def may_change(membership: Membership, of: Generation) -> bool:
    """Whether this member may cancel or rename it: the author, while they may generate, and managers."""
    return membership.may_manage or (membership.may_generate and of.author_id == membership.user_id)


def changeable_generation(membership: Membership, pk: uuid.UUID) -> Generation:
    """As `generation`, which this member may also change; else 403."""
    found = generation(membership, pk)
    if not may_change(membership, found):
        raise PermissionDenied("Only its author and managers may change this generation.")
    return found


def output(membership: Membership, pk: uuid.UUID, index: int) -> Output:
    """One output of a generation of the member's team, else 404."""
    if pk in hidden(membership).generations:
        raise Http404
    rows = Output.objects.select_related("generation__author")
    return get_object_or_404(rows, generation__team=membership.team_id, generation=pk, index=index)


def upload(membership: Membership, pk: uuid.UUID) -> Upload:
    """An upload of the member's team, else 404."""
    if pk in hidden(membership).uploads:
        raise Http404
    return get_object_or_404(Upload, team=membership.team_id, pk=pk)


def model(slug: str, team: Team) -> ModelSpec:
    """A model of the catalogue that the team's site has, else 404; `NotOffered` tells the site from the catalogue."""
    try:
        spec = load.get(slug)
    except load.UnknownModel:
        raise Http404 from None
    if not spec.is_on(site(team)):
        raise NotOffered(not_offered(site(team)))
    return spec


def batch(membership: Membership, pk: uuid.UUID) -> Batch:
    """An order of several of the member's team, else 404."""
    return get_object_or_404(Batch.objects.select_related("author"), team=membership.team_id, pk=pk)


def draft(membership: Membership, pk: uuid.UUID) -> Draft:
    """A draft of the member's own, else 404: what somebody has not sent is nobody else's business."""
    rows = Draft.objects.filter(author=membership.user_id)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def presets(membership: Membership) -> QuerySet[Preset]:
    """The presets this member may use: their own and those shared with the team."""
    rows = Preset.objects.filter(team=membership.team_id)
    return rows.filter(Q(author=membership.user_id) | Q(shared=True))


def preset(membership: Membership, pk: uuid.UUID) -> Preset:
    """A preset this member may use, else 404."""
    return get_object_or_404(presets(membership), pk=pk)


def changeable_preset(membership: Membership, pk: uuid.UUID) -> Preset:
    """As `preset`, which this member may also change: its author, and managers where it is shared; else 403."""
    found = preset(membership, pk)
    if found.author_id != membership.user_id and not membership.may_manage:
        raise PermissionDenied("Only its author and managers may change this preset.")
    return found


def id_in(text: str) -> uuid.UUID:
    """The row id that an address or a form gives, else 404."""
    found = read_id(text)
    if found is None:
        raise Http404
    return found


def voices(membership: Membership) -> VoiceQuerySet:
    """The voices of the team that this member may see, archived ones and those that never came to be included."""
    return Voice.objects.for_member(membership)


def voice(membership: Membership, pk: uuid.UUID) -> Voice:
    """A voice that this member may see, with its use, owner and what made it, else 404."""
    rows = voices(membership).with_use().select_related("owner", "team", "made_by", "sample", "consent_by")
    return get_object_or_404(rows.filter(made_by__status=State.SUCCEEDED), pk=pk)


def may_change_voice(membership: Membership, of: Voice) -> bool:
    """Whether this member decides about it: its owner, while they may generate, and managers."""
    return membership.may_manage or (membership.may_generate and of.owner_id == membership.user_id)


def may_use_voice(membership: Membership, of: Voice) -> bool:
    """Whether this member may speak with a voice that they see."""
    mine = of.is_agreed or membership.may_manage or of.owner_id == membership.user_id
    return mine and membership.may_generate and of.archived_at is None


def changeable_voice(membership: Membership, pk: uuid.UUID) -> Voice:
    """As `voice`, about which this member also decides; else 403."""
    found = voice(membership, pk)
    if not may_change_voice(membership, found):
        raise PermissionDenied("Only its owner and managers may change this voice.")
    return found


def colleague(membership: Membership, pk: int) -> Membership:
    """Another current member of the same team, else 404."""
    rows = Membership.objects.select_related("team", "user").filter(ended_at=None)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def colleagues(membership: Membership) -> list[Membership]:
    """Everybody who is in the member's team now, the member included, by name."""
    rows = Membership.objects.select_related("team", "user").filter(team=membership.team_id, ended_at=None)
    return sorted(rows, key=lambda row: (row.user.display_name.casefold(), row.pk))
