"""Which of the team's models speak, and by which names they are known."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.models import Membership, Reach
from generations import vault
from generations.catalogue import load
from generations.catalogue.spec import Kind, ModelSpec
from generations.views import offered
from generations.views.openai.errors import Refusal, entrance

USUAL = {"tts-1": "turbo", "gpt-4o-mini-tts": "turbo", "tts-1-hd": "hd"}
"""OpenAI's names; each is the first model that is offered whose name has this word, else the first."""


def speaking(membership: Membership) -> Mapping[str, ModelSpec]:
    """The models that this member may have speak, by slug."""
    return {
        spec.slug: spec
        for spec in offered.models(membership)
        if spec.kind is Kind.SPEECH and vault.speaking(spec) and spec.prompt_param
    }


def find(membership: Membership, name: str) -> ModelSpec:
    """The model of this name: one of OpenAI's, a slug or an alias. Raises `Refusal`."""
    known = speaking(membership)
    if name in USUAL and known:
        fitting = [spec for slug, spec in known.items() if USUAL[name] in slug]
        return (fitting or list(known.values()))[0]
    try:
        return known[load.get(name).slug]
    except (load.UnknownModel, KeyError):
        some = ", ".join([*list(known)[:3], *USUAL])
        said = f"There is no speech model of this name for you. Use for example {some}."
        raise Refusal(404, said, param="model", code="model_not_found") from None


@entrance("GET", Reach.READ)
def models(request: HttpRequest) -> HttpResponse:
    """OpenAI's names and ours, as its list of models."""
    membership = request.auth.membership  # type: ignore[attr-defined]
    own = [(slug, spec.vendor) for slug, spec in speaking(membership).items()]
    names = [*own, *((name, "alias") for name in USUAL if own)]
    data = [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in names]
    return JsonResponse({"object": "list", "data": data})
