"""What is there already, beside a form: the take it was filled from, and the twin of what it asks for."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from accounts.models import Membership
from generations import forms
from generations.catalogue.spec import ModelSpec
from generations.forms.posted import FROM
from generations.models import Generation, read_id
from generations.pipeline import accept, twins
from generations.views import access, sound


@dataclass(frozen=True)
class Earlier:
    """A generation that can be heard from a form; `mine` says whether the reader made it."""

    generation: Generation
    take: sound.Take | None
    mine: bool

    @property
    def plays(self) -> bool:
        return self.take is not None and self.take.is_sound

    @classmethod
    def of(cls, membership: Membership, generation: Generation) -> Earlier:
        generation.team = membership.team
        found = sound.takes(generation)
        take = sound.first([one for one in found if one.is_sound]) or sound.first(found)
        return cls(generation, take, generation.author_id == membership.user_id)


def posted(request: HttpRequest, membership: Membership) -> Generation | None:
    """The generation that a sent form says it was filled from, as it is; None when it is not there any more."""
    pk = read_id(request.POST.get(FROM, ""))
    if pk is None:
        return None
    try:
        return access.generation(membership, pk, veiled=False)
    except Http404:
        return None


def origin(request: HttpRequest, membership: Membership) -> accept.Origin | None:
    """The same, for the door."""
    found = posted(request, membership)
    return accept.Origin.of(found) if found is not None else None


def twin(membership: Membership, spec: ModelSpec, given: forms.Posted) -> Earlier | None:
    """The result of an identical request, where the form asks for one and the model repeats itself."""
    if not given.many.is_one or given.voice is not None:
        return None
    found = twins.twin_of(membership, spec, given.raw)
    return Earlier.of(membership, found) if found is not None else None
