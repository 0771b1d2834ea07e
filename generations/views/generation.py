"""One generation: outputs, params, receipt, what happened, and what can be done with it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from generations.views import access
from generations.views.generation_page import seen, show
from generations.views.generation_verbs import (
    generation_again,
    generation_cancel,
    generation_keeper,
    generation_resolve,
)
from generations.views.waiting import progress_of

__all__ = [
    "generation",
    "generation_again",
    "generation_cancel",
    "generation_keeper",
    "generation_resolve",
    "generation_status",
]


@require_safe
def generation(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    membership = access.member(request, team)
    return show(request, membership, access.generation(membership, pk))


@require_safe
def generation_status(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """What an open page asks while it waits: 204 as long as all is as it was seen.

    When only the progress changed, the progress; when the state did, the whole content, once.
    """
    membership = access.member(request, team)
    found = access.generation(membership, pk)
    if request.GET.get("seen") != seen(found) or found.is_over:
        response = show(request, membership, found, "generation/_content.html")
        response["HX-Retarget"] = "#generation"
        response["HX-Reswap"] = "outerHTML"
        return response
    progress = progress_of(found)
    if progress is not None and request.GET.get("mark") == progress.mark:
        return HttpResponse(status=204)
    return show(request, membership, found, "generation/_progress.html")
