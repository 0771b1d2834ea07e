"""Somebody leaves a team: what they have, and how it goes to a colleague or to the team.

Generations and uploads stay where they are, under the name of who made them, because they are receipts and material
of the team; the heir of the ended membership decides about them from then on. What belongs to a person moves: voices,
presets, drafts. All of it, the keys, the sessions and the membership itself change in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone

from accounts import memberships
from accounts.models import ApiToken, Invitation, Membership, Role, TopUp, User
from generations.models import (
    ACTIVE,
    AllowanceRequest,
    Audience,
    Draft,
    FavouriteVoice,
    Generation,
    HeldOrder,
    Preset,
    PresetDefault,
    State,
    Upload,
    Voice,
    VoiceGrant,
)
from generations.pipeline import cancel, hold

NAME = 80


@dataclass(frozen=True)
class Left:
    """What somebody has in a team, in numbers. `sessions` are ended only with the `last` team."""

    generations: int
    waiting: int
    running: int
    uploads: int
    voices: int
    presets: int
    drafts: int
    tokens: int
    invitations: int
    sessions: int
    last: bool

    @property
    def moves(self) -> int:
        """How much there is that somebody else has to decide about."""
        return self.generations + self.voices + self.presets + self.drafts


class NoHeir(Exception):
    """Nobody in the team can take over, or who was chosen cannot any more."""


def look(leaving: Membership) -> Left:
    """What this member has now."""
    mine = {"team": leaving.team_id, "author": leaving.user_id}
    rows = Generation.objects.filter(**mine)
    others = Membership.objects.filter(user=leaving.user_id, ended_at=None).exclude(pk=leaving.pk)
    invited = Invitation.objects.filter(team=leaving.team_id, made_by=leaving.user_id)
    return Left(
        generations=rows.count(),
        waiting=rows.filter(status=State.QUEUED).count(),
        running=rows.filter(status__in=ACTIVE).exclude(status=State.QUEUED).count(),
        uploads=Upload.objects.filter(**mine).count(),
        voices=Voice.objects.filter(team=leaving.team_id, owner=leaving.user_id).count(),
        presets=Preset.objects.filter(**mine).count(),
        drafts=Draft.objects.filter(**mine).count(),
        tokens=ApiToken.objects.filter(membership=leaving, revoked_at=None).count(),
        invitations=invited.open(timezone.now()).count(),
        sessions=UserSession.objects.filter(user=leaving.user_id).count(),
        last=not others.exists(),
    )


def heirs(leaving: Membership) -> list[Membership]:
    """The colleagues who can take over, by name: those who may generate."""
    rows = Membership.objects.filter(team=leaving.team_id, ended_at=None, role__in=Membership.GENERATING)
    found = rows.exclude(pk=leaving.pk).select_related("user")
    return sorted(found, key=lambda row: (row.user.display_name.casefold(), row.pk))


def leave(leaving: Membership, actor: Membership, *, heir: int | None, role: str, stop: bool) -> bool:
    """Hands over what they have and ends the membership; `heir` is a membership, None: the team.

    `role` is the one that was seen; `stop` cancels what is under way, else it goes on and lands in the library.
    Returns whether they were signed out. Raises `PermissionDenied`, `memberships.LastOwner`, `memberships.Changed`,
    `NoHeir`.
    """
    with transaction.atomic():
        _team, locked = memberships.lock(leaving)
        acting = locked if actor.pk == leaving.pk else memberships.lock(actor)[1]
        if locked.role != role:
            raise memberships.Changed
        memberships.check_end(acting, locked)
        to = _chosen(locked, heir) if heir is not None else None
        keeper = to or _eldest(locked)
        if keeper is None and look(locked).moves:
            raise NoHeir
        _take_back(locked, acting.user)
        if keeper is not None:
            _hand_over(locked, keeper.user, shared=to is None)
        _forget(locked)
        if stop:
            rows = Generation.objects.filter(team=locked.team_id, author=locked.user_id, status__in=ACTIVE)
            for row in rows:
                cancel.cancel(row)
        return memberships.end(locked, heir=to.user if to else None, by=acting.user)


def _take_back(leaving: Membership, by: User) -> None:
    """What waits for a limit is not sent any more and becomes a draft, which goes where their drafts go; what they
    asked for and were granted ends.
    """
    for order in HeldOrder.objects.filter(membership=leaving, state=HeldOrder.State.WAITING):
        hold.withdraw(order)
    for request in AllowanceRequest.objects.filter(membership=leaving, state=AllowanceRequest.State.OPEN):
        request.settle(AllowanceRequest.State.WITHDRAWN)
    now = timezone.now()
    for topup in TopUp.objects.filter(membership=leaving, until_at__gt=now, revoked_at=None):
        topup.revoke(by)


def _chosen(leaving: Membership, pk: int) -> Membership:
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user")
    found = rows.filter(pk=pk, team=leaving.team_id, ended_at=None).exclude(pk=leaving.pk).first()
    if found is None or not found.may_generate:
        raise NoHeir
    return found


def _eldest(leaving: Membership) -> Membership | None:
    """Whom voices, presets and drafts go to when they go to the team: the owner who is there longest."""
    rows = Membership.objects.filter(team=leaving.team_id, ended_at=None, role=Role.OWNER)
    return rows.exclude(pk=leaving.pk).select_related("user").order_by("joined_at", "pk").first()


def _hand_over(leaving: Membership, to: User, *, shared: bool) -> None:
    """`shared`: what may be open to everyone becomes so, since it goes to the team and not to one person."""
    voices = Voice.objects.filter(team=leaving.team_id, owner=leaving.user_id)
    if shared:
        agreed = voices.filter(Voice.objects.all().agreed())
        agreed.update(audience=Audience.EVERYONE)
    voices.update(owner=to, warned_at=None)

    for preset in Preset.objects.filter(team=leaving.team_id, author=leaving.user_id):
        preset.name = _free_name(preset, leaving.user, to)
        preset.author = to
        preset.shared = preset.shared or shared
        preset.save(update_fields=["name", "author", "shared"])

    drafts = Draft.objects.filter(team=leaving.team_id, author=leaving.user_id)
    drafts.update(author=to, is_running=False)


def _free_name(preset: Preset, of: User, to: User) -> str:
    """Its name, or one that says whose it was where the new author has one of that name."""
    taken = set(
        Preset.objects.filter(team=preset.team_id, model=preset.model, author=to).values_list(
            "name", flat=True
        )
    )
    name, number = preset.name, 1
    while name in taken:
        mark = f" ({of.display_name[:30]})" if number == 1 else f" ({of.display_name[:30]}, {number})"
        name, number = preset.name[: NAME - len(mark)] + mark, number + 1
    return name


def _forget(leaving: Membership) -> None:
    """What is of use to nobody else: with which presets they began, their favourites, voices they might use."""
    PresetDefault.objects.filter(membership=leaving).delete()
    FavouriteVoice.objects.filter(membership=leaving).delete()
    VoiceGrant.objects.filter(voice__team=leaving.team_id, user=leaving.user_id).delete()
