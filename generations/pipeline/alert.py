"""Alert: tells managers that something needs a person."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Team
from generations.models import ACTIVE, Connection, Generation, Inquiry, State

logger = logging.getLogger("rhweb.alert")

BURST = timedelta(minutes=15)
"""What comes up within this time of a mail waits for the next one, so that fifty lost answers are not fifty mails."""
NAMED = 10


def connection_paused(connection_id: int) -> int:
    """Mails the managers of the teams whose work waits for this connection; gives how many got one."""
    connection = Connection.objects.filter(pk=connection_id, paused_at__isnull=False).first()
    if connection is None:
        return 0
    teams = Generation.objects.filter(connection=connection, status__in=ACTIVE).values("team")
    rows = Membership.objects.filter(role__in=Membership.MANAGING, ended_at=None, user__is_active=True)
    to = set(rows.filter(team__in=teams).values_list("user__email", flat=True))
    to = to or set(rows.values_list("user__email", flat=True))
    body = (
        f"{settings.SITE_NAME} stopped sending generations to RunningHub ({connection}).\n\n"
        f"{connection.paused_reason}\n\n"
        "Nothing is lost: what waits goes on waiting. When the cause is mended, resume on the Team page"
        f"{': ' + settings.PUBLIC_URL if settings.PUBLIC_URL else ''}.\n"
    )
    for email in sorted(to):
        EmailMessage(f"{settings.SITE_NAME}: generations are paused", body, to=[email]).send(
            fail_silently=True
        )
    return len(to)


def undecided() -> int:
    """Mails managers about what needs their decision: lost answers, and what was put aside; gives how many mails.

    One mail a team for all that came up. Whoever notes it first sends it, and takes the note back when nobody could
    be reached, so a worker that dies in between costs at most one mail.
    """
    now = timezone.now()
    parked = Generation.objects.filter(parked_at__isnull=False)
    for row in parked.filter(inquiry=None):
        Inquiry.objects.get_or_create(generation=row)
    unconfirmed = Q(generation__status=State.UNCONFIRMED, told_at=None)
    put_aside = Q(generation__parked_at__isnull=False) & (
        Q(told_at=None) | Q(told_at__lt=F("generation__parked_at"))
    )
    fresh = list(Inquiry.objects.filter(unconfirmed | put_aside).select_related("generation__team"))
    sent = 0
    for team in {inquiry.generation.team for inquiry in fresh}:
        told = Inquiry.objects.filter(generation__team=team, told_at__gt=now - BURST)
        if told.exists():
            continue
        mine = [inquiry for inquiry in fresh if inquiry.generation.team_id == team.pk]
        claimed = [
            inquiry
            for inquiry in mine
            if Inquiry.objects.filter(pk=inquiry.pk, told_at=inquiry.told_at).update(told_at=now)
        ]
        if not claimed:
            continue
        try:
            sent += _tell(team, [inquiry.generation for inquiry in claimed])
        except (OSError, smtplib.SMTPException):
            logger.exception("The mail about what %s has to decide could not be sent.", team)
            for inquiry in claimed:
                Inquiry.objects.filter(pk=inquiry.pk, told_at=now).update(told_at=inquiry.told_at)
    return sent


def _tell(team: Team, rows: Sequence[Generation]) -> int:
    lost = [row for row in rows if row.status == State.UNCONFIRMED]
    aside = [row for row in rows if row.status != State.UNCONFIRMED]
    words = []
    if lost:
        words += [
            f"RunningHub’s answer to {_many(lost)} was lost. They may have been charged, so they were not sent again, "
            "and what they are expected to cost stays on hold.",
            "",
            *_named(lost),
        ]
    if aside:
        words += [f"Put aside after several tries: {_many(aside)}.", "", *_named(aside)]
    page = reverse("inbox", args=[team.slug])
    words += [f"Decide what becomes of them: {settings.PUBLIC_URL}{page}", ""]
    subject = f"{settings.SITE_NAME}: {_many(rows)} of {team.name} {'needs' if len(rows) == 1 else 'need'} a decision"
    managers = Membership.objects.filter(
        team=team, role__in=Membership.MANAGING, ended_at=None, user__is_active=True
    )
    for email in sorted(managers.values_list("user__email", flat=True)):
        EmailMessage(" ".join(subject.split()), "\n".join(words), to=[email]).send()
    return 1


def _many(rows: Sequence[Generation]) -> str:
    return "1 generation" if len(rows) == 1 else f"{len(rows)} generations"


def _named(rows: Sequence[Generation]) -> list[str]:
    named = [f"  {row.title}" for row in rows[:NAMED]]
    return [*named, *([f"  and {len(rows) - NAMED} more"] if len(rows) > NAMED else []), ""]
