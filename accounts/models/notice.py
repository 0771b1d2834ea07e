"""Notices: a sentence that stands on every page for a while, of a team or of the whole portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.team import Team
from accounts.models.user import User

if TYPE_CHECKING:
    from datetime import datetime


class Notice(models.Model):
    """`team` is None for the whole portal, `until` for as long as nobody takes it down."""

    class Level(models.TextChoices):
        INFO = "info", _("For information")
        WARN = "warn", _("A warning")

    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="notices")
    text = models.CharField(max_length=500)
    level = models.CharField(max_length=4, choices=Level, default=Level.INFO)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")), name="notice_ends_after_it_begins"
            )
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def standing(cls, now: datetime) -> models.QuerySet[Notice]:
        """Those that are to be shown at this moment."""
        return cls.objects.filter(Q(until=None) | Q(until__gt=now), since__lte=now)

    @classmethod
    def shown_to(cls, user: User, team: Team | None, now: datetime) -> models.QuerySet[Notice]:
        """What stands on a page of this team, or of none, that the person has not put away; warnings first."""
        away = NoticeDismissal.objects.filter(notice=OuterRef("pk"), user=user)
        rows = cls.standing(now).filter(Q(team=None) | Q(team=team))
        return rows.filter(~Exists(away)).order_by("-level", "pk")

    def end(self) -> bool:
        """Takes it down. False when it had ended already."""
        now = timezone.now()
        rows = Notice.objects.filter(Q(until=None) | Q(until__gt=now), pk=self.pk)
        return rows.update(since=Least(F("since"), now), until=now) == 1


class NoticeDismissal(models.Model):
    """This person does not want to see this notice any more."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="dismissals")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="notice_put_away_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} put away by {self.user_id}"
