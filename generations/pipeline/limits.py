"""Limits: tells people that one is nearly used up or used up, and that somebody spends more than they usually do.

Once in a period each, and only by whoever notes it first (`LimitWarning`), in the transaction of that note: neither two
workers nor one that is killed give a warning twice, or note one that was never given. It is looked at every few
minutes from the receipts alone, never while an order is taken.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import LimitWarning, Measure, Membership, Mode, Period, Scope, Team, User
from accounts.notify import tell
from generations import asking, standings
from generations.limit_words import limit_name
from generations.models import Change, Connection, Generation, Heartbeat, database_now
from generations.pipeline import hold
from generations.quota import Line

OFTEN = timedelta(minutes=5)
NEAR, REACHED, UNUSUAL = 80, 100, 0
"""Percent of a limit; and what stands in their place for unusual spending."""
TIMES = 3
FLOOR = Decimal(5)
"""Less than this on one day is never unusual, whatever the currency."""
DAYS, KNOWN_DAYS = 30, 5
logger = logging.getLogger("rhweb.limits")
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def tend() -> None:
    """Sends what was held, ends requests that are over, and warns, the last every few minutes."""
    hold.send_due()
    asking.expire()
    if Heartbeat.take("limits", uuid.uuid4().hex, stale_after=OFTEN):
        warn()


def warn(now: datetime | None = None) -> int:
    """Gives every warning that is due and was not given in this period; gives how many."""
    now = now or database_now()
    given = 0
    limited = set(Team.objects.filter(allowances__mode=Mode.LIMITED).values_list("pk", flat=True))
    for team in Team.objects.order_by("pk"):
        try:
            with timezone.override(team.zone):
                given += _limits(team, now) if team.pk in limited else 0
                given += _unusual(team, now)
        except Exception:
            logger.exception("the limits of %s could not be looked at", team)
    return given


def _limits(team: Team, now: datetime) -> int:
    people = list(Membership.objects.filter(team=team, ended_at=None).select_related("user", "team"))
    found = standings.everybody(team, people, now)
    given = sum(_warn(team, "pool", line, asking.managers(team), now) for line in _nearly(found.pool.lines))
    for one in found.people:
        if one.membership is None:
            continue
        for line in _nearly(one.lines):
            if line.scope != Scope.POOL:
                given += _warn(team, str(one.membership.pk), line, [one.membership.user], now)
    return given


def _nearly(lines: Sequence[Line]) -> list[Line]:
    """How many run at once comes and goes; a limit of nothing is no news to anybody."""
    near = [line for line in lines if line.measure != Measure.CONCURRENT and line.used > 0]
    return [line for line in near if 100 * line.used >= NEAR * line.limit]


def _warn(team: Team, whose: str, line: Line, people: Sequence[User], now: datetime) -> bool:
    """The higher of the two that is reached; the lower one is no news after it."""
    threshold = REACHED if line.used >= line.limit else NEAR
    start = line.period.bounds(now, team.zone)[0] or EVER
    key = " ".join([whose, *(["own"] if line.scope == Scope.OWN else []), line.measure, line.period])
    name = limit_name(line.scope, line.measure, line.period)
    words = {
        "limit": name,
        "used": _amount(team, line, line.used),
        "all": _amount(team, line, line.limit),
        "left": _amount(team, line, line.left),
    }
    if threshold == REACHED:
        title, text = _("Used up: %(limit)s"), _("%(used)s of %(all)s are used.")
    else:
        title, text = _("80 %% used: %(limit)s"), _("%(used)s of %(all)s are used, %(left)s are left.")
    text = text % words
    if line.resets_at:
        local = timezone.localtime(line.resets_at)
        text += " " + _("It starts anew on %(when)s.") % {"when": date_format(local, "j F, H:i")}
    with transaction.atomic():
        first = LimitWarning.first(team, key, start, threshold)
        if threshold == REACHED:
            LimitWarning.first(team, key, start, NEAR)
        if first:
            _tell(people, team, title % words, text)
            own = None if line.scope == Scope.POOL else people[0] if people else None
            Change.note(
                team,
                "limit.reached" if threshold == REACHED else "limit.near",
                person=own,
                limit_name=line.name,
                member=own.email if own else None,
                limit=str(line.limit),
                used=str(line.used),
                resets_at=line.resets_at,
            )
    return first


def _unusual(team: Team, now: datetime) -> int:
    """Whoever spent today more than three times what is usual for them, and more than a floor.

    Usual is the median of the days of the last thirty on which they spent anything; of fewer than five such days
    nothing is concluded. They are told, and the managers.
    """
    today = Period.DAY.bounds(now, team.zone)[0] or now
    receipts = Generation.objects.filter(team=team, currency=Connection.of(team).currency).order_by()
    spent = {
        row["user"]: row["spent"]
        for row in receipts.filter(created_at__gte=today)
        .values(user=F("author"))
        .annotate(spent=Sum("cost_counted"))
        if (row["spent"] or 0) > FLOOR
    }
    if not spent:
        return 0
    days = receipts.filter(
        author__in=spent,
        created_at__gte=today - timedelta(days=DAYS),
        created_at__lt=today,
        cost_counted__gt=0,
    )
    usual: dict[int, list[Decimal]] = {}
    sums = days.annotate(day=TruncDate("created_at", tzinfo=team.zone)).values("author", "day")
    for row in sums.annotate(spent=Sum("cost_counted")):
        usual.setdefault(row["author"], []).append(row["spent"])
    people = {one.pk: one for one in User.objects.filter(pk__in=spent)}
    given = 0
    for pk, amount in spent.items():
        if len(usual.get(pk, [])) < KNOWN_DAYS or amount <= TIMES * median(usual[pk]):
            continue
        words = {
            "name": people[pk].display_name,
            "spent": _money(team, amount),
            "usual": _money(team, median(usual[pk])),
        }
        text = _("%(spent)s so far today; usual is %(usual)s on a day with any spending.") % words
        with transaction.atomic():
            if LimitWarning.first(team, f"user {pk} spend day", today, UNUSUAL):
                rest = [user for user in asking.managers(team) if user.pk != pk]
                _tell([people[pk], *rest], team, _("%(name)s spends more than usual today") % words, text)
                Change.note(
                    team,
                    "spending.unusual",
                    person=people[pk],
                    member=people[pk].email,
                    spent=str(amount),
                    usual=str(median(usual[pk])),
                )
                given += 1
    return given


def _tell(people: Sequence[User], team: Team, title: str, text: str) -> None:
    for user in people:
        tell(user, "warned", title, text, team=team, link=reverse("allowances", args=[team.slug]))


def _amount(team: Team, line: Line, value: Decimal) -> str:
    return _money(team, value) if line.measure == Measure.SPEND else str(int(value))


def _money(team: Team, value: Decimal) -> str:
    return f"{value:.2f} {Connection.of(team).currency}"
