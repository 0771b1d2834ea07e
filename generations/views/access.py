"""Who may see and do what. Every view asks here, and nobody else decides.

A team's library is open to all its members. Whoever is not in the team gets 404, as if there were nothing; a member
without the right gets 403.
"""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import Membership, User
from generations.models import Generation, Output, Upload


def memberships(user: User) -> list[Membership]:
    """The teams of this user, by name."""
    rows = Membership.objects.filter(user=user, ended_at=None).select_related("team", "user")
    return list(rows.order_by("team__name", "pk"))


def member(request: HttpRequest, team: str) -> Membership:
    """The signed-in user's membership of the team in the address, else 404. Looked up once per request."""
    known: Membership | None = getattr(request, "membership", None)
    if known is not None and known.team.slug == team:
        return known
    rows = Membership.objects.select_related("team", "user").filter(user=request.user.pk, ended_at=None)
    found = get_object_or_404(rows, team__slug=team)
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


def generation(membership: Membership, pk: uuid.UUID) -> Generation:
    """A generation of the member's team with its author and outputs, else 404."""
    rows = Generation.objects.select_related("author", "team", "connection").prefetch_related("outputs")
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


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
    rows = Output.objects.select_related("generation__author")
    return get_object_or_404(rows, generation__team=membership.team_id, generation=pk, index=index)


def upload(membership: Membership, pk: uuid.UUID) -> Upload:
    """An upload of the member's team, else 404."""
    return get_object_or_404(Upload, team=membership.team_id, pk=pk)


def colleague(membership: Membership, pk: int) -> Membership:
    """Another current member of the same team, else 404."""
    rows = Membership.objects.select_related("team", "user").filter(ended_at=None)
    return get_object_or_404(rows, team=membership.team_id, pk=pk)


def colleagues(membership: Membership) -> list[Membership]:
    """Everybody who is in the member's team now, the member included, by name."""
    rows = Membership.objects.select_related("team", "user").filter(team=membership.team_id, ended_at=None)
    return sorted(rows, key=lambda row: (row.user.display_name.casefold(), row.pk))
