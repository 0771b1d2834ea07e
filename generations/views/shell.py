"""What every page shows around its content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.models import Measure, Membership, Notice, Notification, Scope, TeamDomain, User
from generations import custody, disk, quota
from generations.models import ACTIVE, Connection, Counts, Generation, Given
from generations.pipeline import resolve
from generations.views import access

NO_TEAM = -1


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of `base.html` and of every page and fragment.

    What needs a query is asked for only by a template that shows it, once per request. Templates call what is
    callable by themselves, except inside {% blocktranslate %}, which needs `with`.
    `membership` is that of the team page being shown, or None.
    """
    match = request.resolver_match
    membership: Membership | None = getattr(request, "membership", None)
    manages = membership is not None and membership.may_manage
    return {
        "SITE_NAME": settings.SITE_NAME,
        "USES_SANDBOX": _once(request, "sandbox", lambda: _in_sandbox(membership)),
        "OPEN_SIGNUP": _once(request, "open", lambda: settings.OPEN_SIGNUP or TeamDomain.objects.exists()),
        "SINGLE_SIGN_ON": settings.OIDC_NAME,
        "nav": match.url_name if match else "",
        "membership": membership,
        "team": membership.team if membership else None,
        "zone": membership.team.time_zone if membership else None,
        "teams": _once(request, "teams", lambda: _teams(request)),
        "currency": SimpleLazyObject(_once(request, "currency", lambda: _currency(membership))),
        "quota_line": _once(request, "quota_line", lambda: _quota_line(request) if membership else None),
        "notices": _once(request, "notices", lambda: _notices(request, membership)),
        "unread_count": _once(request, "unread", lambda: _counts(request)["unread"]),
        "undecided_count": _once(
            request, "undecided", lambda: _counts(request)["undecided"] if manages else 0
        ),
        "paused": _once(request, "paused", lambda: _paused(membership) if membership else []),
        "lost_count": _once(request, "lost_count", lambda: _counts(request)["lost"] if manages else 0),
        "disk_low": _once(request, "disk_low", lambda: disk.is_low() if membership else False),
        "running_count": _once(
            request, "running_count", lambda: _counts(request)["running"] if membership else 0
        ),
    }


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page that is there already."""
    details = getattr(request, "htmx", None)
    return bool(details and not details.boosted and not details.history_restore_request)


def sheet(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """A form that has a page of its own and that other pages open as a sheet over themselves.

    `<name>.html` is the page, `_<name>_sheet.html` what a script asks for. A form with faults answers 422
    with all that was written in it.
    """
    folder, _slash, file = name.rpartition("/")
    template = f"{folder}/_{file}_sheet.html" if is_part(request) else f"{name}.html"
    response = render(request, template, context, status=422 if context["form"].errors else 200)
    patch_vary_headers(response, ["HX-Request"])
    return response


def standing(request: HttpRequest) -> list[quota.Line]:
    """The limits in force for the member of this page, asked once however many parts of it show them."""
    membership: Membership = request.membership  # type: ignore[attr-defined]
    lines: list[quota.Line] = _once(request, "standing", lambda: quota.standing(membership))()
    return lines


def tightest(lines: Sequence[quota.Line]) -> quota.Line | None:
    """The limit to watch: one with nothing left, else that on spending with the least left, else any."""

    def order(line: quota.Line) -> tuple[bool, bool, Decimal]:
        return line.left > 0, line.measure != Measure.SPEND, line.left

    return min(lines, key=order, default=None)


def _quota_line(request: HttpRequest) -> dict[str, Any] | None:
    """The limit on spending with the least left, and the words for what is left of it."""
    line = tightest([line for line in standing(request) if line.measure == Measure.SPEND])
    if line is None:
        return None
    return {"line": line, "left": line.left, "limit": line.limit, "used": line.used, "title": left_of(line)}


def left_of(line: quota.Line) -> str:
    """What a limit on spending calls the rest: "Left this week", "Left in the pool today"."""
    mine = {
        "day": _("Left today"),
        "week": _("Left this week"),
        "month": _("Left this month"),
        "none": _("Left"),
    }
    pool = {
        "day": _("Left in the pool today"),
        "week": _("Left in the pool this week"),
        "month": _("Left in the pool this month"),
        "none": _("Left in the pool"),
    }
    return (pool if line.scope == Scope.POOL else mine)[line.period]


def _once(request: HttpRequest, name: str, ask: Callable[[], Any]) -> Callable[[], Any]:
    """`ask`, answered once per request even when several templates are rendered for it."""
    answers: dict[str, Callable[[], Any]] = request.__dict__.setdefault("_shell", {})
    return answers.setdefault(name, cache(ask))


def _standing_queries() -> dict[str, QuerySet[Any]]:
    """What every page tells of a person and a team by a number. Of teams and notices most pages show nothing."""
    user: Any = Given("user")
    team: Any = Given("team")
    now: Any = Given("now")
    rows = Generation.objects.filter(team=team)
    return {
        "teams": Membership.objects.filter(user=user, ended_at=None),
        "notices": Notice.shown_to(user, team, now),
        "unread": Notification.of(user).filter(read_at=None),
        "undecided": resolve.undecided(team),
        "lost": custody.losses(team),
        "running": rows.filter(author=user, status__in=ACTIVE),
    }


_count = Counts(_standing_queries)


def _counts(request: HttpRequest) -> dict[str, int]:
    """Asked once per request; all 0 for a visitor."""
    user, membership = getattr(request, "user", None), getattr(request, "membership", None)
    if not isinstance(user, User):
        return defaultdict(int)
    team = membership.team_id if membership else NO_TEAM
    found: dict[str, int] = _once(
        request, f"counts of {team}", lambda: _count(user=user.pk, team=team, now=timezone.now())
    )()
    return found


def _teams(request: HttpRequest) -> list[Membership]:
    """The teams of this person, to be chosen from; of a team's page only where there is another."""
    user, membership = getattr(request, "user", None), getattr(request, "membership", None)
    if not isinstance(user, User):
        return []
    if membership is not None and _counts(request)["teams"] < 2:
        return [membership]
    return access.memberships(user)


def _notices(request: HttpRequest, membership: Membership | None) -> list[Notice]:
    """What the team or the portal has to say to everybody, less what this person put away."""
    if not _counts(request)["notices"]:
        return []
    return list(
        Notice.shown_to(access.person(request), membership.team if membership else None, timezone.now())
    )


def _paused(membership: Membership) -> list[Connection]:
    """The connections that keep work of this team waiting: the one in use, and others where its work still lies."""
    used = Connection.of(membership.team).pk
    every = Connection.all_of(membership.team)
    stopped = [one for one in every if one.paused_at is not None or (one.pk == used and one.stopped_because)]
    waiting = Generation.objects.filter(team=membership.team_id, status__in=ACTIVE)
    return [one for one in stopped if one.pk == used or waiting.filter(connection=one).exists()]


def _in_sandbox(membership: Membership | None) -> bool:
    """Whether what is made here is made on this machine; not so where the team has an account of its own."""
    return Connection.of(membership.team).is_sandbox if membership else settings.USES_SANDBOX


def _currency(membership: Membership | None) -> str:
    return (Connection.of(membership.team) if membership else Connection.current()).currency
