"""Keys to the REST API."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.team import Membership

PREFIX = "rhw_"


def digest(token: str) -> str:
    """What is kept of a token. Plain SHA-256 is enough: a token has 256 random bits, unlike a password."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class ApiToken(models.Model):
    """A bearer token of one member of one team. The token itself is shown once and never kept."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, default="Command line")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.membership}"

    @classmethod
    def issue(cls, membership: Membership, name: str = "Command line") -> str:
        """Makes a token and gives its text, for the only time."""
        token = PREFIX + secrets.token_urlsafe(32)
        cls.objects.create(membership=membership, name=name, digest=digest(token))
        return token

    @classmethod
    def find(cls, token: str) -> ApiToken | None:
        """The row of a valid token whose member is still in the team and whose user is active, else None."""
        now = timezone.now()
        return (
            cls.objects.select_related("membership__team", "membership__user")
            .filter(
                digest=digest(token),
                revoked_at=None,
                membership__ended_at=None,
                membership__user__is_active=True,
            )
            .filter(Q(expires_at=None) | Q(expires_at__gt=now))
            .first()
        )

    def touch(self) -> None:
        """Notes the use, at most once a minute so that polling scripts do not write all the time."""
        now = timezone.now()
        if self.last_used_at is None or (now - self.last_used_at).total_seconds() > 60:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)
