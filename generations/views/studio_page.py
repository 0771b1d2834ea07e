"""The page to create on: the models, the form of one with its cost, and beside it what goes on now."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Membership
from generations import forms
from generations.catalogue import load
from generations.catalogue.spec import Kind, ModelSpec
from generations.models import Connection, Generation
from generations.views import access, picker, quote, rail
from generations.views.refusal import Refusal


def show(
    request: HttpRequest,
    membership: Membership,
    spec: ModelSpec,
    values: Mapping[str, Any] | None = None,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    everything = request.GET.get("voices") == "all"
    context = {
        "spec": spec,
        "form": forms.build(spec, membership.team, values, errors, title=title, every_voice=everything),
        "bill": quote.bill(request, spec, values or {}),
        "groups": picker.groups(Connection.current()),
        "rail": rail.build(membership),
        "refusal": refusal,
        "is_pristine": not values and not errors,
    }
    return render(request, "studio/page.html", context, status=status)


def usual_model(membership: Membership) -> ModelSpec:
    """What this member made last, else the music model that asks for least."""
    mine = Generation.objects.filter(team=membership.team_id, author=membership.user_id).order_by("-id")
    try:
        return load.get(mine.values_list("model", flat=True).first() or "")
    except load.UnknownModel:
        musical = [spec for spec in load.models() if spec.kind == Kind.MUSIC] or load.models()
        return min(musical, key=lambda spec: sum(param.required for param in spec.params))


def earlier_values(
    request: HttpRequest, membership: Membership, spec: ModelSpec
) -> tuple[dict[str, Any], str]:
    """The values to begin with: the model's example, or those of an earlier generation and its own title."""
    if request.GET.get("example"):
        return dict(spec.example), ""
    given = request.GET.get("from")
    if not given:
        return {}, ""
    try:
        earlier = access.generation(membership, uuid.UUID(given))
    except ValueError:
        raise Http404 from None
    keys = {param.key for param in spec.params}
    params = earlier.params if isinstance(earlier.params, dict) else {}
    values = {key: value for key, value in params.items() if key in keys}
    words = " ".join(str(params.get(spec.prompt_param) or "").split())
    is_own = not words.startswith(earlier.title.removesuffix("…")) and earlier.title != spec.title
    return values, earlier.title if is_own else ""
