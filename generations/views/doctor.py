"""The doctor's page: what is well and what is not, each with what to do; for managers.

What needs the network the worker looks at, when somebody asks for it; the page shows the last answer with its age.
Findings about another team's own connection are shown to that team alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership
from accounts.roles import Deed
from generations import custody
from generations.doctor import here
from generations.doctor.finding import Finding
from generations.doctor.probe import answer_to
from generations.models import Examination, Generation
from generations.views import access

LOST = 100
OLD = timedelta(days=1)


@dataclass(frozen=True)
class Seen:
    """What can be seen from here now, and what the worker saw last or is to look at now."""

    here: list[Finding]
    away: list[Finding]
    examination: Examination | None
    pending: Examination | None
    lost: QuerySet[Generation]


@require_safe
def doctor(request: HttpRequest, team: str) -> HttpResponse:
    """What can be seen from here now, and what the worker saw last."""
    actor = access.may(request, team, Deed.EXAMINE)
    found = seen(actor)
    done = found.examination
    context = {
        "versions": here.versions(),
        "here": found.here,
        "away": found.away,
        "examination": done,
        "is_old": done is not None and done.done_at is not None and timezone.now() - done.done_at > OLD,
        "pending": found.pending,
        "custody": custody.custody(),
        "lost": found.lost,
    }
    details = getattr(request, "htmx", None)
    part = bool(details and not details.boosted and not details.history_restore_request)
    with timezone.override(actor.team.zone):
        return render(request, "doctor/_findings.html" if part else "doctor/page.html", context)


def seen(actor: Membership) -> Seen:
    """As things stand, for this manager's team."""
    done = Examination.objects.filter(done_at__isnull=False).first()
    pending = Examination.objects.filter(done_at=None, asked_at__gt=timezone.now() - here.PATIENCE).first()
    if done is not None and pending is not None and pending.pk < done.pk:
        pending = None
    away = _mine([Finding.of(one) for one in done.findings or []] if done else [], actor)
    lost = custody.losses(actor.team).order_by("-result_lost_at").select_related("author")[:LOST]
    return Seen(_mine(here.findings(), actor), away, done, pending, lost)


def ask(actor: Membership) -> None:
    """Has the worker look. Twice is as once."""
    here.ask(actor.user)


def _mine(findings: list[Finding], actor: Membership) -> list[Finding]:
    """Those of everybody and of this team, what is wrong first."""
    mine = [one for one in findings if one.team in (None, actor.team_id)]
    return sorted(mine, key=lambda one: one.fine)


@require_POST
def doctor_look(request: HttpRequest, team: str) -> HttpResponse:
    """Asks the worker to look at what a page cannot reach. Twice is as once."""
    actor = access.may(request, team, Deed.EXAMINE)
    ask(actor)
    return redirect("doctor", team=team)


@require_POST
def loss_seen(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """A manager has seen that a result is lost; it is not announced any more."""
    actor = access.may(request, team, Deed.SETTLE)
    found = access.generation(actor, pk)
    if custody.acknowledge(found):
        messages.info(request, _("Noted. The page of the generation goes on saying it."))
    return redirect("doctor", team=team)


@login_not_required
@require_safe
def probe(request: HttpRequest, nonce: str) -> HttpResponse:
    """By this the portal recognizes itself behind its public address. Tells nothing but that."""
    return HttpResponse(answer_to(nonce[:64]), content_type="text/plain")
