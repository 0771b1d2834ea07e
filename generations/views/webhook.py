"""Where RunningHub rings when a task ended."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from generations.pipeline import webhook as doorbell

LONGEST = 256 * 1024


@login_not_required
@csrf_exempt
@require_POST
def webhook(request: HttpRequest, pk: uuid.UUID, token: str) -> HttpResponse:
    """Answers at once, whatever the body; the work is the watcher's. 404 without the right token."""
    body = request.read(LONGEST + 1)
    if not doorbell.ring(pk, token, body if len(body) <= LONGEST else b""):
        raise Http404
    return JsonResponse({"status": "ok"})
