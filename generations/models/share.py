"""Links by which somebody outside the team hears something of it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Team, User, sealed
from accounts.models.token import digest
from generations.models.collection import Collection
from generations.models.generation import Generation, State
from generations.models.ids import uuid7
from generations.models.output import Output
from generations.models.writer import in_turn

_PURPOSE = "share links"


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def live(self, now: datetime | None = None) -> ShareLinkQuerySet:
        """Those that lead somewhere: not revoked, not expired, and what they lead to is not in the trash.

        What is taken out of the trash again can be heard again by a link that was not revoked meanwhile.
        """
        lasts = Q(expires_at=None) | Q(expires_at__gt=now or timezone.now())
        there = Q(generation=None) | Q(generation__trashed_at=None, generation__status=State.SUCCEEDED)
        return self.filter(lasts, there, revoked_at=None)

    def opened_by(self, token: str) -> ShareLink | None:
        """The live link that has this token. The search is by its digest, so how long it takes says nothing about
        how much of a token was right.
        """
        rows = self.live().select_related("team", "made_by", "generation", "output", "collection")
        return rows.filter(digest=digest(token)).first()

    def viewed(self, link: ShareLink) -> None:
        """Counts one look at its page."""
        with in_turn():
            self.filter(pk=link.pk).update(views=F("views") + 1, last_viewed_at=timezone.now())


class ShareLink(models.Model):
    """A link to a generation, to one output of it, or to a collection as it is whenever somebody looks.

    Its token has 256 random bits. Who comes with it is found by its digest; it is also kept sealed, so that whoever
    may see the link can copy it again, which a database alone does not let anybody do.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="share_links")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    generation = models.ForeignKey(
        Generation, on_delete=models.CASCADE, null=True, related_name="share_links"
    )
    output = models.ForeignKey(Output, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, null=True, related_name="share_links"
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    sealed = models.TextField(editable=False)
    title = models.CharField(max_length=200)
    """What outsiders read above it."""
    expires_at = models.DateTimeField(null=True)
    password = models.CharField(max_length=128, blank=True)
    password_version = models.PositiveIntegerField(default=1)
    """Counts the passwords it had, so that whoever knew a former one is asked for the present one."""
    may_download = models.BooleanField(default=False)
    shows_prompt = models.BooleanField(default=False)
    shows_author = models.BooleanField(default=False)
    views = models.PositiveIntegerField(default=0)
    last_viewed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects: ClassVar[ShareLinkQuerySet] = ShareLinkQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(generation__isnull=False, collection=None)
                | Q(generation=None, output=None, collection__isnull=False),
                name="share_of_one_thing",
            )
        ]
        indexes = [models.Index(fields=["team", "-id"], name="share_of_team")]

    def __str__(self) -> str:
        return self.title

    def draw_token(self) -> str:
        """Gives it a new token, which is returned; the row is not saved."""
        token = secrets.token_urlsafe(32)
        self.digest, self.sealed = digest(token), sealed.seal(_PURPOSE, token)
        return token

    @property
    def token(self) -> str:
        """The token again; "" when it was sealed with another secret key. The link works all the same."""
        try:
            return sealed.unseal(_PURPOSE, self.sealed)
        except sealed.Unreadable:
            return ""

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_live(self) -> bool:
        """As `live`, of a row with its generation loaded."""
        there = self.generation is None or (
            not self.generation.is_trashed and self.generation.status == State.SUCCEEDED
        )
        return there and self.revoked_at is None and not self.is_expired

    def set_password(self, password: str) -> None:
        """Asks for this password from now on, "" for none; the row is not saved."""
        self.password = make_password(password) if password else ""
        self.password_version += 1

    def is_password(self, password: str) -> bool:
        return check_password(password, self.password)
