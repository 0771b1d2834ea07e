"""Telling somebody something, as they want it: a row that the app shows, a mail, both or neither.

Mails of somebody's quiet hours wait as rows and are sent together after their end; whoever claims a row sends it.
"""

from __future__ import annotations

import logging
import smtplib
from collections import defaultdict
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Notification, Team, Telling, User
from accounts.models.telling import APP, MAIL

KEPT = timedelta(days=90)
"""For so long the app shows what somebody was told."""
AGAIN = timedelta(minutes=10)
"""A mail that could not be sent after the quiet hours is tried again then."""
AT_ONCE = 500
"""Held mails that one look sends at most."""
logger = logging.getLogger("rhweb.notify")


def tell(
    user: User, event: str, title: str, text: str = "", *, team: Team | None = None, link: str = ""
) -> None:
    """Tells this person, once the transaction around it is committed: what was rolled back was never told.

    `event` is a word such as `asked` or `granted`; `title` is a line and `text` what else there is to say, both for
    reading; `link` is a path of this portal. By which way is theirs to choose, see `Telling`.
    """
    if user.is_machine:
        return
    wishes = Telling.of(user)
    ways = wishes.ways(event)
    if not ways:
        return
    until = wishes.quiet_end(timezone.now()) if MAIL in ways else None
    if APP in ways or until is not None:
        Notification.objects.create(
            user=user,
            team=team,
            event=event,
            title=title[:200],
            text=text,
            link=link,
            in_app=APP in ways,
            mail_due_at=until,
        )
    if MAIL in ways and until is None:
        transaction.on_commit(lambda: _mail(user, title, text, link), robust=True)


def send_held(now: datetime | None = None) -> int:
    """Sends what waited for the end of quiet hours, one mail a person; gives how many mails.

    Of two who look at once each row is one's. A mail that cannot be sent goes back and is tried again later; one
    whose sender dies between claim and sending is lost, but the app still shows what it was about.
    """
    now = now or timezone.now()
    due = Notification.objects.filter(mail_due_at__lte=now).select_related("user").order_by("pk")
    mine: dict[int, list[Notification]] = defaultdict(list)
    for row in due[:AT_ONCE]:
        rows = Notification.objects.filter(pk=row.pk, mail_due_at=row.mail_due_at)
        if rows.update(mail_due_at=None):
            mine[row.user_id].append(row)
    sent = 0
    for rows_of_one in mine.values():
        try:
            _digest(rows_of_one)
        except (OSError, smtplib.SMTPException):
            logger.exception("The held mail for user %s could not be sent.", rows_of_one[0].user_id)
            ids = [row.pk for row in rows_of_one]
            Notification.objects.filter(pk__in=ids).update(mail_due_at=now + AGAIN)
            continue
        sent += 1
    return sent


def forget_old(now: datetime | None = None) -> int:
    """Removes what was told long ago; gives how many."""
    old = Notification.objects.filter(created_at__lt=(now or timezone.now()) - KEPT)
    return old.delete()[0]


def _mail(user: User, title: str, text: str, link: str) -> None:
    body = _body(title, text, link)
    EmailMessage(_subject(title), body, to=[user.email]).send(fail_silently=True)


def _digest(rows: list[Notification]) -> None:
    if len(rows) == 1:
        title, body = rows[0].title, _body(rows[0].title, rows[0].text, rows[0].link)
    else:
        count = ngettext("%(n)s thing", "%(n)s things", len(rows)) % {"n": len(rows)}
        title = _("%(count)s from your quiet hours") % {"count": count}
        body = "\n\n".join(_body(row.title, row.text, row.link).strip() for row in rows) + "\n"
    EmailMessage(_subject(title), body, to=[rows[0].user.email]).send()


def _subject(title: str) -> str:
    """One line, whatever a person called something."""
    return " ".join(f"{settings.SITE_NAME}: {title}".split())


def _body(title: str, text: str, link: str) -> str:
    address = f"{settings.PUBLIC_URL}{link}" if link and settings.PUBLIC_URL else ""
    return "\n\n".join(part for part in (title, text, address) if part) + "\n"
