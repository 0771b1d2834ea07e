"""Where RunningHub rings when a task ended."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from generations.pipeline import webhook as doorbell

LONGEST = 256 * 1024
PATH = re.compile(r"/hooks/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([-\w]+)", re.ASCII)


class Doorbell:
    """Middleware that answers webhooks before sessions, sign-in and languages are thought of.

    Anybody can call such an address ten thousand times a minute, so a call must cost next to nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = PATH.fullmatch(request.path_info) if request.method == "POST" else None
        if found is None:
            return self.get_response(request)
        return webhook(request, uuid.UUID(found[1]), found[2])


@login_not_required
@csrf_exempt
@require_POST
def webhook(request: HttpRequest, pk: uuid.UUID, token: str) -> HttpResponse:
    """Answers at once, whatever the body; the work is the watcher's. 404 without the right token, 503 when it came
    too early to be of use: RunningHub rings again then (API.md 4).
    """
    body = request.read(LONGEST + 1)
    try:
        if doorbell.ring(pk, token, body if len(body) <= LONGEST else b""):
            return JsonResponse({"status": "ok"})
    except doorbell.NotYet:
        early = JsonResponse({"status": "not yet"}, status=503, headers={"Retry-After": "10"})
        early._has_been_logged = True  # type: ignore[attr-defined] # nothing is wrong here
        return early
    refused = HttpResponse(status=404)
    refused._has_been_logged = True  # type: ignore[attr-defined] # a flood of these must not fill the log
    return refused
