"""Warn: tells the owner of a voice by mail, two days before the provider is expected to delete it."""

from __future__ import annotations

import logging
import smtplib
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from generations.models import Change, Heartbeat, Voice

OFTEN = timedelta(minutes=20)
"""How often it is looked; nobody needs to know within the minute."""
logger = logging.getLogger(__name__)


def voices_if_due() -> int:
    """As `voices`, at most once in a while however often it is called."""
    return voices() if Heartbeat.take("warn", uuid.uuid4().hex, stale_after=OFTEN) else 0


def voices() -> int:
    """Mails about each voice that disappears within two days; gives how many were told of.

    Once for a voice and its last use: whoever notes the warning first sends the mail, and takes the note back when it
    could not be sent. Archived voices are left to disappear.
    """
    now = timezone.now()
    told = 0
    for voice in Voice.objects.fading(now).select_related("team", "owner"):
        before = voice.warned_at
        if before is not None and before >= voice.last_use:
            continue
        with transaction.atomic():
            mine = Voice.objects.filter(pk=voice.pk, warned_at=before, archived_at=None)
            if mine.update(warned_at=now) != 1:
                continue
            until = Voice.kept_until(voice.last_use)
            said: dict[str, Any] = {
                "id": voice.pk,
                "name": voice.name,
                "owner": voice.owner.email,
                "kept_until": until,
            }
            Change.note(voice.team, "voice.expiring", voice.pk, person=voice.owner, **said)
        try:
            _mail(voice)
        except (OSError, smtplib.SMTPException):
            logger.exception("The mail about the voice %s could not be sent.", voice.pk)
            Voice.objects.filter(pk=voice.pk, warned_at=now).update(warned_at=before)
            continue
        told += 1
    return told


def _mail(voice: Voice) -> None:
    until = Voice.kept_until(voice.last_use).astimezone(voice.team.zone)
    page = reverse("voice", args=[voice.team.slug, voice.pk])
    body = (
        f"The voice “{voice.name}” of {voice.team} has not spoken since {_when(voice.last_use, voice)}.\n\n"
        f"MiniMax deletes a voice that has not spoken for 7 days, so it may be gone on {until:%d %B %Y at %H:%M} "
        f"({voice.team.time_zone}). Whether RunningHub does the same is not confirmed.\n\n"
        f"Let it speak, or keep it alive with one click: {settings.PUBLIC_URL}{page}\n"
    )
    subject = f"{settings.SITE_NAME}: the voice “{voice.name}” disappears in two days"
    for email in _recipients(voice):
        EmailMessage(subject, body, to=[email]).send()


def _when(moment: datetime, voice: Voice) -> str:
    return f"{moment.astimezone(voice.team.zone):%d %B %Y}"


def _recipients(voice: Voice) -> list[str]:
    """Its owner; the managers once its owner has left."""
    here = Membership.objects.filter(
        team=voice.team_id, ended_at=None, user__is_active=True, user__is_machine=False
    )
    owner = here.filter(user=voice.owner_id)
    rows = owner if owner.exists() else here.filter(role__in=Membership.MANAGING)
    return sorted(rows.values_list("user__email", flat=True))
