"""Generations that somebody put together, in an order of their own."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Team, User
from generations.models.generation import Generation
from generations.models.ids import uuid7


class CollectionQuerySet(models.QuerySet["Collection"]):
    def seen_by(self, membership: Membership) -> CollectionQuerySet:
        """Those of the team, but not the private ones of others."""
        rows = self.filter(team=membership.team_id)
        return rows.filter(Q(is_private=False) | Q(author=membership.user_id))


class Collection(models.Model):
    """An album, a scene, an episode: named by whoever began it, open to the team unless it is private."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="collections")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[models.Manager[Collection]] = CollectionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["team", "-updated_at"], name="collection_of_team")]

    def __str__(self) -> str:
        return self.name


class CollectionItem(models.Model):
    """A generation in a collection. `place` orders them; two of one place are ordered by when they were added."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items", db_index=False)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="collected")
    place = models.PositiveIntegerField(default=0)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "generation"], name="collected_once")]
        indexes = [models.Index(fields=["collection", "place", "id"], name="order_of_collection")]

    def __str__(self) -> str:
        return f"{self.generation_id} in {self.collection_id}"
