"""What a person was told, across their teams, and how they want to be told."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Notification
from generations.forms.notices import Wishes
from generations.views import access

PAGE = 50


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """The newest first; pages are cut by id."""
    user = access.person(request)
    rows = Notification.of(user).select_related("team")
    cursor = request.GET.get("cursor", "")
    if cursor.isascii() and cursor.isdecimal() and len(cursor) < 19:
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows[: PAGE + 1])
    context = {
        "notifications": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "is_older": bool(cursor),
    }
    return render(request, "notifications/page.html", context)


@require_POST
def notification_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks one as read and leads to what it is about. 404 unless it is the person's own."""
    found = access.notification(access.person(request), pk)
    Notification.objects.filter(pk=found.pk, read_at=None).update(read_at=timezone.now())
    return redirect(found.link if found.link.startswith("/") else "notifications")


@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Marks all as read."""
    Notification.of(access.person(request)).filter(read_at=None).update(read_at=timezone.now())
    return redirect("notifications")


@require_http_methods(["GET", "HEAD", "POST"])
def telling(request: HttpRequest) -> HttpResponse:
    """By which ways the person is told of each thing, and their quiet hours."""
    form = Wishes(access.person(request), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved how you are told."))
        return redirect("notifications")
    return render(request, "notifications/telling.html", {"form": form}, status=422 if form.errors else 200)
