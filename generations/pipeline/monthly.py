"""Monthly: the report of the month that is over, told to the managers of each team.

Once for a team and month, whichever worker finds it due: the row that says so and what is told are of one transaction.
A month ends on the clock of the team. A team that made nothing in it is told nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import notify
from accounts.models import Membership, Team
from generations import reports
from generations.catalogue import load
from generations.models import Heartbeat, MonthlyReport
from generations.reports import By, Row, Span, Wanted

OFTEN = timedelta(minutes=20)
"""How often it is looked; a report may be so late."""
NAMED = 5
"""Members and models that are named, the most expensive ones."""
logger = logging.getLogger("rhweb.monthly")


def send_if_due() -> int:
    """As `send`, at most once in a while however often it is called."""
    return send() if Heartbeat.take("monthly", uuid.uuid4().hex, stale_after=OFTEN) else 0


def send(now: datetime | None = None) -> int:
    """Tells about the last month wherever that was not done yet; gives how many teams were told."""
    now = now or timezone.now()
    known = set(
        MonthlyReport.objects.values_list("team_id", "month").filter(
            month__gte=(now - timedelta(days=99)).date()
        )
    )
    told = 0
    for team in Team.objects.order_by("pk"):
        span = Span.month_before(team, now)
        if (team.pk, span.first) in known:
            continue
        try:
            told += _tell(team, span)
        except IntegrityError:
            continue  # another worker was quicker
        except Exception:
            logger.exception("the monthly report of %s could not be sent", team)
    return told


@transaction.atomic
def _tell(team: Team, span: Span) -> bool:
    """Raises IntegrityError when it was told already."""
    row = MonthlyReport.objects.create(team=team, month=span.first)
    wanted = Wanted(span)
    members = reports.rows(team, wanted, By.MEMBER)
    if not members:
        return False
    month = date_format(span.first, "F Y")
    title = _("%(team)s in %(month)s: %(spent)s") % {
        "team": team,
        "month": month,
        "spent": ", ".join(_amount(one) for one in reports.together(members)),
    }
    text = _text(members, reports.rows(team, wanted, By.MODEL))
    link = f"{reverse('reports', args=[team.slug])}?from={span.first}&to={span.last}&by=member"
    rows = Membership.objects.filter(
        team=team, role__in=Membership.MANAGING, ended_at=None, user__is_active=True
    )
    managers = [one.user for one in rows.select_related("user").order_by("pk")]
    for user in managers:
        notify.tell(user, "report", title, text, team=team, link=link)
    MonthlyReport.objects.filter(pk=row.pk).update(told=len(managers))
    return bool(managers)


def _text(members: list[Row], models: list[Row]) -> str:
    whole = []
    for one in reports.together(members):
        made = ngettext("%(n)d generation", "%(n)d generations", one.made) % {"n": one.made}
        line = _("%(spent)s for %(made)s.") % {"spent": _amount(one), "made": made}
        if one.estimated:
            line += " " + _("Of that %(amount)s is only estimated as yet.") % {
                "amount": _amount(one, one.estimated)
            }
        if one.unknown:
            line += " " + ngettext(
                "The cost of %(n)d is unknown.", "The cost of %(n)d is unknown.", one.unknown
            ) % {"n": one.unknown}
        whole.append(line)
    parts = [
        "\n".join(whole),
        _named(_("Members"), members, lambda row: row.name or row.email),
        _named(_("Models"), models, lambda row: _title(str(row.key))),
    ]
    return "\n\n".join(parts)


def _named(heading: str, rows: list[Row], name: Callable[[Row], str]) -> str:
    """The most expensive of each currency."""
    lines = []
    for currency in sorted({row.currency for row in rows}):
        mine = [row for row in rows if row.currency == currency]
        lines += [f"  {name(row)}: {_amount(row)} ({row.made})" for row in mine[:NAMED]]
        if len(mine) > NAMED:
            more = {"n": len(mine) - NAMED}
            lines.append("  " + ngettext("and %(n)d more", "and %(n)d more", more["n"]) % more)
    return "\n".join([f"{heading}:", *lines])


def _amount(row: Row, amount: Decimal | None = None) -> str:
    return f"{number_format(row.spent if amount is None else amount, 2, force_grouping=True)} {row.currency}"


def _title(model: str) -> str:
    try:
        return load.get(model).title
    except load.UnknownModel:
        return model
