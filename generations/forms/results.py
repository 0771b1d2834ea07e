"""Earlier results whose id a param takes: a cloned singer, the features of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Membership
from generations.catalogue import load
from generations.catalogue.param import ParamSpec
from generations.catalogue.results import id_in
from generations.models import Generation, State

MOST = 50


@dataclass(frozen=True)
class Result:
    """An earlier result. `value` is its id upstream, `title` that of the generation that gave it."""

    value: str
    title: str
    made_at: datetime


@dataclass(frozen=True)
class Producer:
    """A model whose results give such an id."""

    slug: str
    title: str


def results(membership: Membership, param: ParamSpec) -> list[Result]:
    """What the team made and this member sees that the param takes, newest first."""
    rows = (
        Generation.objects.shown_to(membership)
        .filter(model__in=param.result_of, status=State.SUCCEEDED)
        .prefetch_related("outputs")
        .defer("search_text", "results", "error_detail")
        .order_by("-id")[:MOST]
    )
    found: dict[str, Result] = {}
    for row in rows:
        for output in row.outputs.all():
            value = id_in(param, output.text) if output.text else ""
            if value and value not in found:
                found[value] = Result(value, row.title, row.created_at)
    return list(found.values())


def producers(param: ParamSpec) -> Sequence[Producer]:
    """The models that give such an id."""
    return [Producer(slug, load.get(slug).title) for slug in param.result_of]
