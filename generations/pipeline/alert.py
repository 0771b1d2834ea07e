"""Alert: tells managers that something needs a person."""

from __future__ import annotations

import logging
import smtplib
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Team
from generations import disk
from generations.models import ACTIVE, Connection, Generation, Heartbeat, Inquiry, State

logger = logging.getLogger("rhweb.alert")

BURST = timedelta(minutes=15)
"""What comes up within this time of a mail waits for the next one, so that fifty lost answers are not fifty mails."""
DISK = "disk-low"
"""The sign that managers were told of too little room, which is there as long as that lasts."""
NAMED = 10


def connection_paused(connection_id: int) -> int:
    """Mails the managers of the teams whose work waits for this connection; gives how many got one.

    Of a team's own connection only that team hears. Of the shared one: the teams with work there, or else all that
    use it.
    """
    connection = Connection.objects.filter(pk=connection_id, paused_at__isnull=False).first()
    if connection is None:
        return 0
    body = (
        f"{settings.SITE_NAME} stopped sending generations to RunningHub ({connection}).\n\n"
        f"{connection.paused_reason}\n\n"
        "Nothing is lost: what waits goes on waiting. When the cause is mended, resume on the Connections page of the "
        f"team{': ' + settings.PUBLIC_URL if settings.PUBLIC_URL else ''}.\n"
    )
    to = _concerned(connection)
    for email in to:
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
    for email in _emails(_managers().filter(team=team)):
        EmailMessage(" ".join(subject.split()), "\n".join(words), to=[email]).send()
    return 1


def _many(rows: Sequence[Generation]) -> str:
    return "1 generation" if len(rows) == 1 else f"{len(rows)} generations"


def _named(rows: Sequence[Generation]) -> list[str]:
    named = [f"  {row.title}" for row in rows[:NAMED]]
    return [*named, *([f"  and {len(rows) - NAMED} more"] if len(rows) > NAMED else []), ""]


def _concerned(connection: Connection) -> list[str]:
    if connection.team_id is not None:
        return _emails(_managers().filter(team=connection.team_id))
    working = Generation.objects.filter(connection=connection, status__in=ACTIVE).values("team")
    of_own = Connection.objects.filter(team=OuterRef("team"), is_used=True)
    using = _managers().exclude(Exists(of_own))
    return _emails(_managers().filter(team__in=working)) or _emails(using)


def results_lost() -> int:
    """Mails the managers of each team about results that were lost before they were copied, each once.

    Whoever notes first that it is told sends the mail, and takes the note back when it could not be sent.
    """
    now = timezone.now()
    rows = Generation.objects.filter(result_lost_at__isnull=False, result_lost_told_at=None)
    by_team: dict[int, list[Generation]] = defaultdict(list)
    for row in rows.select_related("team"):
        mine = Generation.objects.filter(pk=row.pk, result_lost_told_at=None, result_lost_at__isnull=False)
        if mine.update(result_lost_told_at=now):
            by_team[row.team_id].append(row)
    told = 0
    for lost in by_team.values():
        try:
            _mail_of_losses(lost[0].team, lost)
        except (OSError, smtplib.SMTPException):
            logger.exception("The mail about lost results of team %s could not be sent.", lost[0].team)
            ids = [row.pk for row in lost]
            Generation.objects.filter(pk__in=ids, result_lost_told_at=now).update(result_lost_told_at=None)
            continue
        told += len(lost)
    return told


def _mail_of_losses(team: Team, lost: list[Generation]) -> None:
    lines = [
        f"- {row.title}: {settings.PUBLIC_URL}{reverse('generation', args=[team.slug, row.pk])}"
        for row in lost
    ]
    body = (
        f"RunningHub made these for {team} and may charge for them, but they could not be copied in time:\n\n"
        + "\n".join(lines[:NAMED])
        + (f"\n- and {len(lines) - NAMED} more" if len(lines) > NAMED else "")
        + "\n\nEach page says why. As long as there is time, copying is still being tried. RunningHub’s own page of "
        "results may still have them; look there soon.\n"
    )
    subject = f"{settings.SITE_NAME}: {len(lost)} results are being lost"
    for email in _emails(_managers().filter(team=team)):
        EmailMessage(subject, body, to=[email]).send()


def disk_low() -> bool:
    """Mails all managers once when there is too little room, and once more only after there was room in between."""
    if not disk.is_low():
        Heartbeat.objects.filter(name=DISK).delete()
        return False
    if not Heartbeat.objects.get_or_create(name=DISK, defaults={"beat_at": timezone.now()})[1]:
        return False
    body = (
        f"The disk of {settings.SITE_NAME} has {disk.free() // 1024**2} MB left, less than the "
        f"{settings.MIN_FREE_BYTES // 1024**2} MB that are kept free (RHWEB_MIN_FREE_BYTES).\n\n"
        "Nothing new is taken or sent to RunningHub until there is room. What is under way is still copied. It goes on "
        "by itself; whoever runs the portal has to make room.\n"
    )
    for email in _emails(_managers()):
        EmailMessage(f"{settings.SITE_NAME}: the disk is nearly full", body, to=[email]).send(
            fail_silently=True
        )
    return True


def _managers() -> QuerySet[Membership]:
    return Membership.objects.filter(role__in=Membership.MANAGING, ended_at=None, user__is_active=True)


def _emails(rows: QuerySet[Membership]) -> list[str]:
    return sorted(set(rows.values_list("user__email", flat=True)))
