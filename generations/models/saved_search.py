"""Views of the library that somebody wants to come back to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Team, User
from generations.models.ids import uuid7


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def seen_by(self, membership: Membership) -> SavedSearchQuerySet:
        """The member's own, and those that are shared with the team."""
        return self.of(membership.team_id, membership.user_id)

    def of(self, team: Any, user: Any) -> SavedSearchQuerySet:
        return self.filter(Q(author=user) | Q(shared=True), team=team)


class SavedSearch(models.Model):
    """The filters of the library under a name: a member's own, or `shared` with the team.

    `query` is what stands in the address behind the question mark, without a place in the list.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="saved_searches")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[SavedSearch]] = SavedSearchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "author", "name"], name="saved_search_once"),
        ]

    def __str__(self) -> str:
        return self.name
