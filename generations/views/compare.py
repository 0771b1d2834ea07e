"""Two generations beside each other: heard at one playhead, their texts and settings told apart."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Membership
from generations import library as shelf
from generations.models import Generation, State
from generations.views import access, sound
from generations.views.difference import lines, texts
from generations.views.status import Status, status

PLACE = re.compile(
    r"([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})(?:/(?:outputs/)?([0-9]{1,5}))?", re.I
)
OFFERED = 12


@dataclass(frozen=True)
class Side:
    """One of the two: a take of a generation, or the generation while it has none."""

    letter: str
    generation: Generation
    take: sound.Take | None
    takes: Sequence[sound.Take]

    @property
    def model_title(self) -> str:
        return sound.model_title(self.generation.model)

    @property
    def status(self) -> Status:
        return status(self.generation)

    @property
    def place(self) -> str:
        return self.take.place if self.take else str(self.generation.pk)

    @property
    def title(self) -> str:
        """With the take where the generation has several."""
        return self.take.title if self.take else self.generation.title

    @property
    def seconds(self) -> float:
        return (self.take.output.duration or 0) if self.take else 0


@require_safe
def compare(request: HttpRequest, team: str) -> HttpResponse:
    """`?a=` and `?b=` name a generation by its id, a take of it as `<id>/<index>`; a whole address will do.

    With one of them only, the page offers what it could be compared with; 404 when there is nothing of that name.
    """
    membership = access.member(request, team)
    with timezone.override(membership.team.zone):
        if not request.GET.get("a"):
            return render(request, "compare/none.html", {"team": membership.team})
        a = _side(membership, "A", request.GET["a"])
        given = request.GET.get("b", "")
        try:
            b = _side(membership, "B", given) if given.strip() else None
        except Http404:
            said = _(
                "There is no such generation in this team. Copy the address of its page, or choose one below."
            )
            return _pick(request, membership, a, given, said)
        if b is None:
            return _pick(request, membership, a)
        told = lines(membership, (a.generation, a.take), (b.generation, b.take))
        context = {
            "team": membership.team,
            "a": a,
            "b": b,
            "sides": (a, b),
            "sounds": all(side.take is not None and side.take.is_sound for side in (a, b)),
            "same": a.place == b.place,
            "different": [line for line in told if line.differs],
            "equal": [line for line in told if not line.differs],
            "texts": texts(a.generation, b.generation),
            "swapped": _address(membership, b, a),
            "another": _address(membership, a),
        }
        return render(request, "compare/page.html", context)


def _side(membership: Membership, letter: str, named: str) -> Side:
    """What the address names, else 404; of a generation without a number the keeper or the first that can be heard."""
    match = PLACE.search(named)
    if match is None:
        raise Http404
    generation = access.generation(membership, uuid.UUID(match[1]))
    takes = sound.takes(generation)
    if match[2] is None:
        take = sound.first([one for one in takes if one.is_sound]) or sound.first(takes)
        return Side(letter, generation, take, takes)
    for one in takes:
        if one.output.index == int(match[2]):
            return Side(letter, generation, one, takes)
    raise Http404


def _pick(
    request: HttpRequest, membership: Membership, a: Side, given: str = "", said: str = ""
) -> HttpResponse:
    """What A could be compared with: its other takes, and the newest of the same model."""
    wanted = shelf.Filter(model=a.generation.model, status=State.SUCCEEDED)
    away = access.hidden(membership)
    found = shelf.page(membership, wanted, size=OFFERED, without=away.generations).items
    access.veil(found, away)
    for one in found:
        one.team = membership.team
    others = [
        Side("B", one, sound.first(takes := sound.takes(one)), takes)
        for one in found
        if one.pk != a.generation.pk
    ]
    own = [Side("B", a.generation, take, a.takes) for take in a.takes if take != a.take]
    context = {
        "team": membership.team,
        "a": a,
        "own": [(side, _address(membership, a, side)) for side in own],
        "others": [(side, _address(membership, a, side)) for side in others],
        "given": given,
        "said": said,
    }
    return render(request, "compare/pick.html", context, status=404 if said else 200)


def _address(membership: Membership, a: Side, b: Side | None = None) -> str:
    query = {"a": a.place, **({"b": b.place} if b else {})}
    return f"{reverse('compare', args=[membership.team.slug])}?{urlencode(query, safe='/')}"
