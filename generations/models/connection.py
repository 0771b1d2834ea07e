"""The account at RunningHub that everybody shares."""

from __future__ import annotations

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

SANDBOX = "sandbox"
SITES = ("ai", "cn")


def key_digest(key: str) -> str:
    """Tells one key from another without keeping either."""
    return hashlib.sha256(b"connection" + key.encode()).hexdigest()[:16]


def configured() -> str:
    """What the environment connects to: an address, or the sandbox, which is one wherever it listens today."""
    return SANDBOX if settings.USES_SANDBOX else str(settings.RUNNINGHUB_BASE_URL)


def site_of(address: str) -> str:
    """The site of RunningHub at an address: "ai" or "cn"; "" for the sandbox and any other one.

    Models that a site does not have are hidden and refused there. An address that nobody knows hides nothing.
    """
    host = urlsplit(address).hostname or ""
    return next((site for site in SITES if f".{host}".endswith(f".runninghub.{site}")), "")


def current_site() -> str:
    """The site that the environment connects to."""
    return site_of(configured())


class Connection(models.Model):
    """One key with its site. The key itself stays in the environment and is never stored.

    `running` is how many tasks of this key were under way upstream when last asked, `slots` how many it runs at once,
    `used_outside` how many of them others than this portal had in use when last asked, `full_until` when a submit may
    be tried again after upstream had no room.
    """

    base_url = models.CharField(max_length=200, unique=True)
    key_digest = models.CharField(max_length=16, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    slots = models.PositiveIntegerField(default=3)
    used_outside = models.PositiveIntegerField(default=0)
    running = models.PositiveIntegerField(null=True, blank=True)
    balance = models.CharField(max_length=40, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(default=timezone.now)
    full_until = models.DateTimeField(null=True, blank=True)
    full_streak = models.PositiveIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_code = models.CharField(max_length=40, blank=True)
    paused_reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return urlsplit(self.base_url).netloc or self.base_url

    @property
    def is_sandbox(self) -> bool:
        return self.base_url == SANDBOX

    @property
    def site(self) -> str:
        """As `site_of` its address."""
        return site_of(self.base_url)

    @property
    def is_configured(self) -> bool:
        """Whether the environment still holds the key of this row; work of another address waits until it does."""
        return self.base_url == configured()

    @classmethod
    def current(cls) -> Connection:
        """The row of the key in the environment, made on first use. Another key at the same site ends a pause."""
        key = settings.RUNNINGHUB_API_KEY or settings.SANDBOX_KEY
        digest = key_digest(key)
        currency = (
            "USD"
            if (urlsplit(settings.RUNNINGHUB_BASE_URL).hostname or "").endswith("runninghub.ai")
            else "CNY"
        )
        connection, _ = cls.objects.get_or_create(
            base_url=configured(),
            defaults={"key_digest": digest, "currency": currency, "slots": settings.RUNNINGHUB_SLOTS or 3},
        )
        if connection.key_digest != digest:
            cls.objects.filter(pk=connection.pk).exclude(key_digest=digest).update(
                key_digest=digest,
                paused_at=None,
                paused_code="",
                paused_reason="",
                next_check_at=timezone.now(),
            )
            connection.refresh_from_db()
        return connection

    def pause(self, code: str, reason: str) -> bool:
        """Stops dispatch until a manager resumes it. True for the one caller who paused it."""
        rows = type(self).objects.filter(pk=self.pk, paused_at=None)
        return rows.update(paused_at=timezone.now(), paused_code=code, paused_reason=reason) == 1

    def resume(self) -> bool:
        """Lets dispatch go on. False when it was not paused."""
        rows = type(self).objects.filter(pk=self.pk, paused_at__isnull=False)
        return rows.update(paused_at=None, paused_code="", paused_reason="", full_until=None) == 1

    def note_full(self, now: datetime, until: datetime) -> None:
        """Remembers that upstream has no room. Of a burst of refusals only the first lengthens the next wait."""
        rows = type(self).objects.filter(Q(full_until=None) | Q(full_until__lte=now), pk=self.pk)
        rows.update(full_until=until, full_streak=F("full_streak") + 1)

    def note_room(self) -> None:
        """Forgets a past refusal, because a submit was just accepted."""
        type(self).objects.filter(pk=self.pk, full_streak__gt=0).update(full_until=None, full_streak=0)
