"""Files that members gave us, and the short-lived copies that upstream has of them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, Team, User
from generations.models.connection import Connection
from generations.models.generation import Generation
from generations.models.ids import uuid7
from generations.models.output import Output


class UploadQuerySet(models.QuerySet["Upload"]):
    def heard_by(self, membership: Membership) -> UploadQuerySet:
        """The uploads of the team but the copies of what somebody else keeps private; one's own copies always."""
        rows = self.filter(team=membership.team_id)
        if membership.may_manage:
            return rows
        seen = Generation.objects.seen_by(membership)
        return rows.filter(Q(source=None) | Q(author=membership.user_id) | Q(source__generation__in=seen))


class Upload(models.Model):
    """A file kept under its team. Params name it as `upload:<id>`.

    `source` is the output it is a copy of, when something made here was used as an input.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="uploads")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="uploads")
    file = models.FileField(max_length=200)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    content_type = models.CharField(max_length=100)
    extension = models.CharField(max_length=10)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    duration = models.FloatField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    source = models.ForeignKey(Output, on_delete=models.SET_NULL, null=True, related_name="uploads")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Upload]] = UploadQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["team", "-id"], name="upload_of_team")]

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        """How params name this upload."""
        return f"upload:{self.pk}"

    @staticmethod
    def id_of(reference: str) -> uuid.UUID:
        """The id inside `upload:<id>`. Raises `ValueError` when it is none."""
        return uuid.UUID(reference.removeprefix("upload:"))


class UpstreamCopy(models.Model):
    """Where one connection has a copy of an upload. Upstream keeps it one day (API.md 5).

    While it is being made, `lease_until` keeps others from sending the same bytes; `url` is empty until the first
    copy is there.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="copies")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    url = models.TextField(blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "connection"], name="copy_once")]

    def __str__(self) -> str:
        return f"{self.upload_id} at {self.connection_id}"
