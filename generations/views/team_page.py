"""What the team page shows: members, what they spent, the pool, and the state of the shared account."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Role, Scope
from accounts.roles import Deed
from generations import bill, quota, receipts
from generations.forms.people import roles_to_give
from generations.models import ACTIVE, Connection, Generation, Heartbeat
from generations.pipeline import resolve
from generations.views import access, shell
from generations.views.requests import open_count

WORKER_SILENT = timedelta(minutes=3)
WAITS_LONG = timedelta(minutes=1)


def team_page(
    request: HttpRequest, membership: Membership, *, status: int = 200, fault: str = ""
) -> HttpResponse:
    """The page as this member may see it. `fault` says why something was not done."""
    context: dict[str, Any] = {
        "fault": fault,
        "connection": Connection.of(membership.team),
        "worker_silent": _worker_silent(),
    }
    colleagues = access.colleagues(membership)
    if membership.may_manage:
        rows = list(membership.team.allowances.all())
        used = receipts.by_member(membership.team, tuple(Period))
        granted = quota.grants(membership.team, timezone.now())
        context |= {
            "members": [
                {
                    "membership": one,
                    "use": used.get(one.user_id, receipts.NOTHING),
                    **_tightest(
                        Allowance.in_force(rows, one),
                        used.get(one.user_id, receipts.NOTHING),
                        granted.get(one.pk, {}),
                    ),
                    "may_change_role": membership.may(Deed.MAKE_OWNERS) or one.role != Role.OWNER,
                }
                for one in colleagues
            ],
            "roles": roles_to_give(membership),
            "request_count": open_count(membership),
            "unsettled": _unsettled(membership),
            "account_shown": bill.is_ours_alone(Connection.of(membership.team), membership.team),
            "pool": [line for line in shell.standing(request) if line.scope == Scope.POOL],
            "defaults": [row for row in rows if row.scope == Scope.DEFAULT and row.mode == Mode.LIMITED],
        }
    else:
        context["members"] = [{"membership": one} for one in colleagues]
    return render(request, "team/page.html", context, status=status)


def _tightest(rows: list[Allowance], use: receipts.Use, granted: dict[str, Decimal]) -> dict[str, Any]:
    """The limit on a member's own spending of which the least is left, and what of it is used."""
    bounds = dict.fromkeys(Period, (None, None))
    own = [
        quota.line(row, use.spent.get(row.period, Decimal(0)), bounds, granted)
        for row in rows
        if row.scope != Scope.POOL and row.measure == Measure.SPEND
    ]
    limit = min(own, key=lambda line: line.limit - line.used, default=None)
    return {"limit": limit, "used": limit.used if limit else None}


def _unsettled(membership: Membership) -> dict[str, Any] | None:
    """What waits for a manager's word, and the money it holds."""
    rows = resolve.undecided(membership.team)
    found = rows.aggregate(count=Count("id"), held=Sum("cost_counted"))
    return found if found["count"] else None


def _worker_silent() -> bool:
    """Whether work waits although nobody has done any for minutes: the background worker is not running."""
    now = timezone.now()
    last = Heartbeat.last("worker")
    if last is not None and last > now - WORKER_SILENT:
        return False
    due = Generation.objects.filter(status__in=ACTIVE, parked_at=None, next_check_at__lt=now - WAITS_LONG)
    return due.exists()
