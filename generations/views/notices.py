"""Notices: managers say something on every page of their team; each person may put one away."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Membership, Notice, NoticeDismissal, audit
from accounts.roles import Deed
from generations.forms.notices import NewNotice
from generations.views import access
from generations.views.back import back

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest, team: str) -> HttpResponse:
    """What stands and what is planned, then what stood; a form for a new one."""
    actor = access.may(request, team, Deed.ANNOUNCE)
    with timezone.override(actor.team.zone):
        form = NewNotice(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and form.save(actor):
            messages.success(request, _("The notice is set."))
            return redirect("notices", team=team)
        now = timezone.now()
        rows = newest(actor)
        context = {
            "form": form,
            "open": [one for one in rows if one.until is None or one.until > now],
            "over": [one for one in rows if one.until is not None and one.until <= now],
            "now": now,
        }
        return render(request, "notices/page.html", context, status=422 if form.errors else 200)


@require_POST
def notice_end(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Takes a notice of the team down. Twice is as once."""
    actor = access.may(request, team, Deed.ANNOUNCE)
    done = take_down(actor, access.own_notice(actor, pk))
    messages.info(request, _("The notice is taken down.") if done else _("It was over already."))
    return redirect("notices", team=team)


def newest(actor: Membership) -> QuerySet[Notice]:
    """The last notices of the team, whoever wrote them."""
    rows = Notice.objects.filter(team=actor.team_id).select_related("by")
    return rows.order_by("-since", "-pk")[:SHOWN]


def take_down(actor: Membership, notice: Notice) -> bool:
    """It stands no more. False: it was over already."""
    with transaction.atomic():
        done = notice.end()
        if done:
            audit.note("notice.ended", team=actor.team, by=actor.user, subject=notice.text)
    return done


@require_POST
def notice_dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """This person does not see the notice any more. 404 for one of a team they are not in."""
    user = access.person(request)
    NoticeDismissal.objects.get_or_create(notice=access.notice(user, pk), user=user)
    return back(request, reverse("home"))
