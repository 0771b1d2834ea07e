"""Ways into a team: invitations that a manager hands out, and email domains whose people may come by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.team import Team
from accounts.models.user import User
from accounts.roles import Role


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, now: datetime) -> InvitationQuerySet:
        """Those that still let somebody in."""
        left = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
        return self.filter(left, revoked_at=None, expires_at__gt=now)


class Invitation(models.Model):
    """A link into a team with a role. The link itself is shown once and never kept, only its digest.

    With an `email` it was sent there, and only whoever owns that address may use it. `max_uses` None: any number of
    people. `made_by` must still be allowed to give the role when somebody comes.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="invitations")
    role = models.CharField(max_length=8, choices=Role)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    email = models.EmailField(max_length=254, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    max_uses = models.PositiveSmallIntegerField(null=True, default=1)
    uses = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Invitation]] = InvitationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["team", "-id"], name="invitation_of_team")]

    def __str__(self) -> str:
        return self.email or f"a link for the role {self.get_role_display()}"

    @property
    def is_open(self) -> bool:
        """As `InvitationQuerySet.open`, of the row as it was read."""
        left = self.max_uses is None or self.uses < self.max_uses
        return left and self.revoked_at is None and self.expires_at > timezone.now()


class TeamDomain(models.Model):
    """People with a confirmed address of this domain may join the team; `automatic`: they do when they sign up."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253)
    role = models.CharField(max_length=8, choices=Role, default=Role.MEMBER)
    automatic = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    GIVEN: ClassVar[tuple[Role, ...]] = (Role.MEMBER, Role.VIEWER)
    """Whoever comes by an address alone manages nothing."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "domain"], name="domain_once")]
        indexes = [models.Index(fields=["domain"], name="team_of_domain")]

    def __str__(self) -> str:
        return self.domain
