"""For machines that watch the portal. None of these answers tells anything about people or their work."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from generations.custody import Custody, custody
from generations.vitals import Vitals, vitals


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers and reaches its database, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when generations get done, else 503: also looks at the worker, the oldest due row and the disk."""
    try:
        found = vitals()
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse(
        {
            "status": "not ready" if found.complaints else "ok",
            "complaints": found.complaints,
            "oldest_due_seconds": round(found.oldest_due, 1),
            "worker_heartbeat_age_seconds": None if found.worker_age is None else round(found.worker_age, 1),
            "disk_free_bytes": found.disk_free,
        },
        status=503 if found.complaints else 200,
    )


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for the bearer of RHWEB_METRICS_TOKEN or for callers on this machine; 404 for others."""
    if not _may_read_metrics(request):
        return HttpResponse(status=404)
    return HttpResponse(
        _prometheus(vitals(), custody()), content_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _may_read_metrics(request: HttpRequest) -> bool:
    """A proxy on this machine makes everybody's address loopback, so a forwarded request needs the token."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _prometheus(found: Vitals, safe: Custody) -> str:
    lines = ["# TYPE rhweb_generations gauge"]
    lines += [f'rhweb_generations{{state="{state}"}} {count}' for state, count in found.states.items()]
    lines += [
        "# TYPE rhweb_ends_found gauge",
        "# HELP rhweb_ends_found Ends of the last day, by how they were noticed.",
    ]
    lines += [f'rhweb_ends_found{{by="{by}"}} {count}' for by, count in found.found.items()]
    for name, value in {
        "oldest_due_seconds": round(found.oldest_due, 3),
        "worker_heartbeat_age_seconds": "NaN" if found.worker_age is None else round(found.worker_age, 3),
        "queue_messages": found.messages,
        "disk_free_bytes": found.disk_free,
        "connection_paused": int(found.paused),
        "connection_slots": found.slots,
        "connections_paused": found.paused_own + found.paused,
        "disk_low": int(found.disk_low),
        "results_waiting": safe.waiting,
        "results_oldest_unsafe_seconds": round(safe.oldest, 3),
        "results_lost_unseen": safe.lost,
        "results_safe_measured": safe.measured,
        "results_safe_seconds_p50": "NaN" if safe.p50 is None else round(safe.p50, 3),
        "results_safe_seconds_p95": "NaN" if safe.p95 is None else round(safe.p95, 3),
        "generations_parked": found.parked,
    }.items():
        lines += [f"# TYPE rhweb_{name} gauge", f"rhweb_{name} {value}"]
    return "\n".join(lines) + "\n"


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
