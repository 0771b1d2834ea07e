"""What a person is told: in the app, and by mail where they want it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.team import Team
from accounts.models.user import User


class Notification(models.Model):
    """One thing told to one person. `event` is a word such as `granted`; `link` is a path of this portal, or empty.

    `in_app` is off where they want only a mail of it. `mail_due_at` is set while its mail waits for the end of their
    quiet hours, and for nothing else.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", null=True)
    event = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    link = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True)
    in_app = models.BooleanField(default=True)
    mail_due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_of_user"),
            models.Index(fields=["user"], condition=Q(read_at=None, in_app=True), name="notification_unread"),
            models.Index(
                fields=["mail_due_at"], condition=Q(mail_due_at__isnull=False), name="notification_held"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} for {self.user}: {self.title}"

    @classmethod
    def of(cls, user: User) -> models.QuerySet[Notification]:
        """What the app shows this person, newest first."""
        return cls.objects.filter(user=user, in_app=True).order_by("-id")
