"""Who may see and do what. Every view asks here, and nobody else decides.

A team's library is open to all its members, except what its author keeps private, which managers see as well, and what
belongs to a voice that is not theirs to use: the generation that made it with its outputs and its recording, and its
name where others speak with it. What is in the trash is there for those who may take it out again, and what was
removed from there is there for nobody; its receipt counts all the same. Whoever is not in the team
gets 404, as if there were nothing; a member without the right gets 403.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts import roles, tokens
from accounts.models import ApiToken, Membership, Notice, Notification, TopUp, User
from accounts.roles import Deed
from generations import own_models, permits, vault
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec
from generations.models import (
    AllowanceRequest,
    Alteration,
    Batch,
    Change,
    Collection,
    Connection,
    Delivery,
    Draft,
    Generation,
    Given,
    HeldOrder,
    Lora,
    Output,
    Preset,
    PriceCheck,
    Receiver,
    RetentionRule,
    Rows,
    SavedSearch,
    ShareLink,
    State,
    TeamModel,
    Upload,
    Voice,
    read_id,
)
from generations.models.collection import CollectionQuerySet
from generations.models.generation import GenerationQuerySet
from generations.models.voice import VoiceQuerySet
from generations.vault import Hidden
from generations.views.offered import NotOffered, not_offered, site


class Gone(Http404):
    """It was in the trash for its time and was removed for good. Told only to whom it was shown before."""

    def __init__(self) -> None:
        super().__init__(_("This was in the trash, and its time there is over. Its receipt is kept."))


class SecondFactorMissing(PermissionDenied):
    """The team is closed to this member until they have set up a second factor."""


def person(request: HttpRequest) -> User:
    """Whoever is signed in; the login middleware lets nobody else through."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def notification(user: User, pk: int) -> Notification:
    """Something this person was told, else 404."""
    return get_object_or_404(Notification.of(user), pk=pk)


def notice(user: User, pk: int) -> Notice:
    """A notice of the portal or of a team that this person is in, else 404."""
    mine = [one.team_id for one in memberships(user)]
    return get_object_or_404(Notice, Q(team=None) | Q(team__in=mine), pk=pk)


def own_notice(membership: Membership, pk: int) -> Notice:
    """A notice of the member's team, else 404: that of the portal is not theirs to take down."""
    return get_object_or_404(Notice, team=membership.team_id, pk=pk)


def memberships(user: User) -> list[Membership]:
    """The teams of this user, by name."""
    rows = Membership.objects.filter(user=user, ended_at=None).select_related("team", "user")
    return list(rows.order_by("team__name", "pk"))


@Rows
def _member() -> QuerySet[Membership]:
    user: Any = Given("user")
    rows = Membership.objects.filter(user=user, ended_at=None, team__slug=Given("team"))
    return rows.select_related("team", "user")


def member(request: HttpRequest, team: str) -> Membership:
    """The signed-in user's membership of the team in the address, else 404. Looked up once per request.

    Raises `SecondFactorMissing` when the team asks for one that the user has not set up.
    """
    known: Membership | None = getattr(request, "membership", None)
    if known is not None and known.team.slug == team:
        return known
    pk = request.user.pk
    found = next(iter(_member(user=pk, team=team) if pk else ()), None)
    if found is None:
        raise Http404("No Membership matches the given query.")
    if tokens.lacks_second_factor(found):
        raise SecondFactorMissing(_("This team asks for a second factor when you sign in. Set one up first."))
    request.membership = found  # type: ignore[attr-defined]
    return found


def may(request: HttpRequest, team: str, deed: Deed) -> Membership:
    """As `member`, whom the role table lets do this; else 403 with the sentence of the table."""
    return allowed(member(request, team), deed)


def allowed(membership: Membership, deed: Deed) -> Membership:
    """The membership, which the role table lets do this; else 403 with the sentence of the table."""
    if not membership.may(deed):
        raise PermissionDenied(roles.refusal(deed))
    return membership


def generating_member(request: HttpRequest, team: str) -> Membership:
    """As `member`, who may also generate; else 403."""
    return may(request, team, Deed.GENERATE)


def manager(request: HttpRequest, team: str) -> Membership:
    """As `member`, who may also manage the team; else 403."""
    return may(request, team, Deed.MANAGE)


def token(membership: Membership, pk: int) -> ApiToken:
    """A token of the member's own, or for managers of anybody in the team, else 404."""
    rows = ApiToken.objects.select_related("membership__team", "membership__user")
    if not membership.may_manage:
        rows = rows.filter(membership=membership)
    return get_object_or_404(rows, membership__team=membership.team_id, pk=pk)


def machine(membership: Membership, pk: int) -> Membership:
    """A service member of the team, else 404."""
    rows = Membership.objects.select_related("team", "user").filter(ended_at=None, user__is_machine=True)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def receiver(membership: Membership, pk: int) -> Receiver:
    """A receiver of the team's changes that was not removed, else 404."""
    rows = Receiver.objects.select_related("team", "made_by").filter(removed_at=None)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def delivery(membership: Membership, pk: int) -> Delivery:
    """A delivery to a receiver of the team, else 404."""
    rows = Delivery.objects.select_related("receiver__team").filter(receiver__removed_at=None)
    return get_object_or_404(rows, receiver__team=membership.team_id, pk=pk)


def changes(membership: Membership) -> QuerySet[Change]:
    """The numbered changes of the team that this member may know of, in their order."""
    rows = Change.objects.filter(team=membership.team_id, number__isnull=False).order_by("number")
    if not membership.may_manage:
        rows = rows.filter(Q(is_open=True) | Q(person=membership.user_id))
    away = hidden(membership).generations
    return rows.exclude(subject__in=away) if away else rows


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
    """A generation of the member's team with its author and outputs, else 404; `Gone` where it was removed for good.

    `veiled` is off where its params go through the door again, which judges them by itself.
    """
    away = hidden(membership)
    rows = Generation.objects.seen_by(membership).select_related("author", "team", "connection")
    if pk in away.generations:
        raise Http404
    found = get_object_or_404(rows.prefetch_related("outputs"), pk=pk)
    _refuse_thrown_away(membership, found)
    if veiled:
        veil([found], away)
    return found


def _refuse_thrown_away(membership: Membership, found: Generation) -> None:
    if found.is_purged:
        raise Gone
    if found.is_trashed and not may_change(membership, found):
        raise Http404


def generations(membership: Membership) -> GenerationQuerySet:
    """What lists, pickers and rails show this member: not what is private to others, or in the trash, or of a voice
    that is hidden from them.
    """
    return Generation.objects.shown_to(membership).exclude(pk__in=hidden(membership).generations)


def changeable(membership: Membership, rows: GenerationQuerySet) -> GenerationQuerySet:
    """Those of these rows that `may_change` lets this member change; one condition, however many there are."""
    if membership.may(Deed.CHANGE_OTHERS):
        return rows
    if not membership.may_generate:
        return rows.none()
    return rows.filter(author__in={membership.user_id} | _bequeathed(membership))


def undoable(membership: Membership, deed: Alteration) -> GenerationQuerySet:
    """The generations of which this member may take back what they did, in the trash or not: those they still see, and
    where only authors and managers do such things, may still change.
    """
    rows = Generation.objects.seen_by(membership).exclude(pk__in=hidden(membership).generations)
    return changeable(membership, rows) if deed.what in ("open", "trash", "rename", "note") else rows


def trash(membership: Membership) -> GenerationQuerySet:
    """What lies in the trash that this member may take out again, the last thrown away first."""
    rows = Generation.objects.filter(team=membership.team_id, purge_at__isnull=False, purged_at=None)
    rows = changeable(membership, rows.exclude(pk__in=hidden(membership).generations))
    return rows.order_by("-trashed_at", "-id")


def may_change(membership: Membership, of: Generation) -> bool:
    """Whether this member may cancel or rename it: managers, and while they may generate its author or their heir."""
    if membership.may(Deed.CHANGE_OTHERS) or not membership.may_generate:
        return membership.may(Deed.CHANGE_OTHERS)
    return of.author_id == membership.user_id or of.author_id in _bequeathed(membership)


def _bequeathed(membership: Membership) -> set[int]:
    """The people who left the team and their work to this member. Looked up once for a membership."""
    known: set[int] | None = membership.__dict__.get("_bequeathed")
    if known is None:
        rows = Membership.objects.filter(team=membership.team_id, heir=membership.user_id)
        known = set(rows.exclude(ended_at=None).values_list("user", flat=True))
        membership.__dict__["_bequeathed"] = known
    return known


def changeable_generation(membership: Membership, pk: uuid.UUID) -> Generation:
    """As `generation`, which this member may also change; else 403."""
    found = generation(membership, pk)
    if not may_change(membership, found):
        raise PermissionDenied("Only its author and managers may change this generation.")
    return found


def output(membership: Membership, pk: uuid.UUID, index: int) -> Output:
    """One output of a generation that is there for this member, else 404; `Gone` where it was removed for good."""
    if pk in hidden(membership).generations:
        raise Http404
    seen = get_object_or_404(Generation.objects.seen_by(membership).select_related("author"), pk=pk)
    _refuse_thrown_away(membership, seen)
    found = get_object_or_404(Output, generation=pk, index=index)
    found.generation = seen
    return found


def upload(membership: Membership, pk: uuid.UUID) -> Upload:
    """An upload of the member's team, else 404: also a copy of what its author keeps private."""
    if pk in hidden(membership).uploads:
        raise Http404
    return get_object_or_404(Upload.objects.heard_by(membership), pk=pk)


def heard(membership: Membership, uploads: Iterable[Upload]) -> list[Upload]:
    """Those of these uploads that are there for this member; one query where any is a copy of a result."""
    uploads, away = list(uploads), hidden(membership).uploads
    shown = [one for one in uploads if one.pk not in away]
    if all(one.source_id is None for one in shown):
        return shown
    heard = set(
        Upload.objects.heard_by(membership)
        .filter(pk__in=[one.pk for one in shown])
        .values_list("pk", flat=True)
    )
    return [one for one in shown if one.pk in heard]


def model(slug: str, membership: Membership, *, permitted: bool = True) -> ModelSpec:
    """A model of the catalogue or the team's own that its site has, else 404; `NotOffered` tells the site from the
    catalogue.

    One that the team does not let this member use is 403 with who may; `permitted` is off where the door will say so.
    """
    try:
        spec = own_models.get(slug, membership.team)
    except load.UnknownModel:
        raise Http404 from None
    if not spec.is_on(site(membership.team)):
        raise NotOffered(not_offered(site(membership.team)))
    if permitted:
        permits.refuse(membership, spec)
    return spec


def lora(membership: Membership, pk: int) -> Lora:
    """A LoRA of the member's team, else 404."""
    return get_object_or_404(Lora.objects.select_related("connection"), team=membership.team_id, pk=pk)


def price_check(membership: Membership, pk: int) -> PriceCheck:
    """A question of the member's team about a price, else 404."""
    rows = PriceCheck.objects.select_related("connection")
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def own_model(membership: Membership, pk: int) -> TeamModel:
    """An AI app or a workflow of the member's team, else 404."""
    return get_object_or_404(TeamModel.objects.select_related("team"), team=membership.team_id, pk=pk)


def batch(membership: Membership, pk: uuid.UUID) -> Batch:
    """An order of several of the member's team, else 404: also where all of it is private to somebody else."""
    return get_object_or_404(batches(membership), pk=pk)


def batches(membership: Membership) -> QuerySet[Batch]:
    """The orders of several of the member's team, but those of which all is private to somebody else."""
    rows = Batch.objects.filter(team=membership.team_id).select_related("author")
    if membership.may_manage:
        return rows
    seen = Generation.objects.seen_by(membership).filter(batch=OuterRef("pk"))
    return rows.filter(Q(author=membership.user_id) | Exists(seen))


def collections(membership: Membership) -> CollectionQuerySet:
    """The collections of the team but the private ones of others."""
    return Collection.objects.seen_by(membership)


def collection(membership: Membership, pk: uuid.UUID) -> Collection:
    """A collection that this member sees, with its author, else 404."""
    return get_object_or_404(collections(membership).select_related("author", "team"), pk=pk)


def may_change_collection(membership: Membership, of: Collection) -> bool:
    """Whether this member may rename and delete it; what is in it is everybody's who keeps order."""
    mine = membership.may(Deed.KEEP_ORDER) and of.author_id == membership.user_id
    return mine or membership.may(Deed.CHANGE_OTHERS)


def changeable_collection(membership: Membership, pk: uuid.UUID) -> Collection:
    """As `collection`, which this member may also change; else 403."""
    found = collection(membership, pk)
    if not may_change_collection(membership, found):
        raise PermissionDenied("Only its author and managers may change this collection.")
    return found


def may_close_collection(membership: Membership, of: Collection) -> bool:
    """Whether this member decides who sees it: its author alone, because nobody else sees it once it is private."""
    return of.author_id == membership.user_id and may_change_collection(membership, of)


def closable_collection(membership: Membership, pk: uuid.UUID) -> Collection:
    """As `changeable_collection`, about whose being private this member also decides; else 403."""
    found = changeable_collection(membership, pk)
    if not may_close_collection(membership, found):
        raise PermissionDenied(_("Only its author decides whether a collection is private."))
    return found


def change(membership: Membership, pk: uuid.UUID) -> Alteration:
    """A deed of this member's own in this team, else 404."""
    rows = Alteration.objects.select_related("team", "by")
    return get_object_or_404(rows, team=membership.team_id, by=membership.user_id, pk=pk)


def retention_rule(membership: Membership, pk: int) -> RetentionRule:
    """A rule of the member's team, else 404."""
    return get_object_or_404(RetentionRule, team=membership.team_id, pk=pk)


def draft(membership: Membership, pk: uuid.UUID) -> Draft:
    """A draft of the member's own, else 404: what somebody has not sent is nobody else's business."""
    rows = Draft.objects.filter(author=membership.user_id)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def topup(membership: Membership, pk: int) -> TopUp:
    """A top-up of the member's team, else 404."""
    rows = TopUp.objects.select_related("team", "membership__user")
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def allowance_request(membership: Membership, pk: uuid.UUID) -> AllowanceRequest:
    """A request for more in the member's team: their own, or for managers anybody's; else 404."""
    rows = AllowanceRequest.objects.select_related("team", "membership__user", "decided_by")
    if not membership.may_manage:
        rows = rows.filter(membership=membership)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def held_order(membership: Membership, pk: uuid.UUID) -> HeldOrder:
    """A held order of the member's own, else 404."""
    rows = HeldOrder.objects.select_related("membership").filter(membership=membership)
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
    if found.author_id != membership.user_id and not membership.may(Deed.CHANGE_OTHERS):
        raise PermissionDenied("Only its author and managers may change this preset.")
    return found


def saved_searches(membership: Membership) -> QuerySet[SavedSearch]:
    """The saved searches this member may use: their own and those shared with the team."""
    return SavedSearch.objects.seen_by(membership)


def changeable_saved_search(membership: Membership, pk: uuid.UUID) -> SavedSearch:
    """A saved search this member may use and remove: its author, and managers where it is shared; else 404 or 403."""
    found = get_object_or_404(saved_searches(membership), pk=pk)
    if found.author_id != membership.user_id and not membership.may(Deed.CHANGE_OTHERS):
        raise PermissionDenied("Only its author and managers may remove this search.")
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
    return membership.may(Deed.CHANGE_OTHERS) or (
        membership.may_generate and of.owner_id == membership.user_id
    )


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


def share_links(membership: Membership) -> QuerySet[ShareLink]:
    """The links for outsiders that this member may look after: their own, and for managers all of the team."""
    rows = ShareLink.objects.filter(team=membership.team_id)
    if not membership.may(Deed.CHANGE_OTHERS):
        rows = rows.filter(made_by=membership.user_id)
    return rows.select_related("team", "made_by", "generation", "output", "collection")


def share_link(membership: Membership, pk: uuid.UUID) -> ShareLink:
    """One of `share_links`, else 404."""
    return get_object_or_404(share_links(membership), pk=pk)


def shared_thing(membership: Membership, link: ShareLink) -> Generation | Collection | None:
    """What the link is to, None where it is not there for this member: since it was shared it may have been made
    private or thrown away, and be called something else.
    """
    try:
        if link.collection_id is not None:
            return collection(membership, link.collection_id)
        assert link.generation_id is not None  # noqa: S101 - the check constraint says so
        return generation(membership, link.generation_id)
    except Http404:
        return None


def shareable_generation(membership: Membership, pk: uuid.UUID) -> Generation:
    """As `generation`, not in the trash and not private to somebody else, else 404."""
    found = generation(membership, pk)
    rows = Generation.objects.all().seen_by(membership)
    if found.is_trashed or not rows.filter(pk=pk).exists():
        raise Http404
    return found


def taken_out(membership: Membership, pks: Iterable[uuid.UUID]) -> list[Generation]:
    """Of these generations those that this member sees and that have ended, in the order given, with all that a
    provenance tells of them.
    """
    order = list(dict.fromkeys(pks))
    away = hidden(membership)
    seen = Generation.objects.all().seen_by(membership)
    rows = (
        seen.filter(pk__in=order, trashed_at=None, status=State.SUCCEEDED)
        .exclude(pk__in=away.generations)
        .select_related("author", "voice_use__voice__consent_by")
        .prefetch_related("outputs", "taggings__tag")
    )
    found = rows.defer("search_text", "results", "error_detail").in_bulk()
    ordered = [found[pk] for pk in order if pk in found]
    veil(ordered, away)
    return ordered


def inputs_of(membership: Membership, pks: Iterable[uuid.UUID]) -> dict[uuid.UUID, Upload]:
    """Of these uploads those that are there for this member, by their ids: no copies of what others keep private."""
    away = hidden(membership).uploads
    rows = Upload.objects.heard_by(membership).filter(pk__in=set(pks) - away)
    return {row.pk: row for row in rows}


def shareable_collection(membership: Membership, pk: uuid.UUID) -> Collection:
    """A collection that this member sees, else 404."""
    rows = Collection.objects.all().seen_by(membership)
    return get_object_or_404(rows, pk=pk)
