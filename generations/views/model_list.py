"""All models on one page: what the picker looks through, and a page of its own for a browser without scripts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from generations.views import access, picker


@require_safe
def model_list(request: HttpRequest, team: str) -> HttpResponse:
    """Every model that the member may use, under its kind: of `?kind=`, and with `?q=` in its name or maker.

    The picker asks for the list alone, and narrows it itself; a shelf comes with a box to write in that fetches all
    models when it is used again.
    """
    membership = access.member(request, team)
    kind = request.GET.get("kind", "")
    q = request.GET.get("q", "").strip()
    groups = picker.groups(membership, picker.kinds_of(kind))
    alone = request.headers.get("HX-Target") == "models-list"
    context = {
        "groups": groups if alone else picker.found(groups, q),
        "kinds": [(one, label) for one, label in picker.kind_labels().items()],
        "kind": kind,
        "q": q,
        "current": request.GET.get("model", ""),
    }
    if alone:
        context |= {"shelves": picker.shelves(membership), "shelf": kind, "alone": True}
    template = "studio/_model_groups.html" if alone else "studio/models.html"
    answer = render(request, template, context)
    patch_vary_headers(answer, ["HX-Target"])
    return answer
