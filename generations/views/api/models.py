"""What can be generated with, straight from the catalogue.

An answer follows from the catalogue of this process, the team's own models, the site that it uses, its rules and who
asks. Its mark is made of just these, so whoever asks again is answered without any model being looked at.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from generations import library, own_models, permits
from generations.catalogue import load
from generations.catalogue.spec import Kind, ModelSpec
from generations.models import Connection, ModelRule
from generations.views import access, offered
from generations.views.api import freshness, schemas
from generations.views.api.auth import ApiRequest
from generations.views.api.posted import PLAIN
from generations.views.api.problems import answers

router = Router(tags=["Models"])
OWN = tuple(f"membership__team__own_models__{name}" for name in ("slug", "number", "offered", "site"))
RULE = ("scope", "name", "audience", "roles", "people")
PLACE = r"^[A-Za-z0-9_-]{0,400}$"


class Wanted(Schema):
    """Without any of these it is every model in full on one page."""

    q: str = Field(
        "",
        max_length=80,
        pattern=PLAIN,
        description="Words of title, maker, slug or summary; all must occur.",
    )
    kind: Kind | Literal[""] = ""
    output: Literal["", "audio", "image", "video", "3d", "text"] = Field("", description="What it makes.")
    view: Literal["full", "short"] = Field(
        "full",
        description="`short`: names alone.",
    )
    limit: int = Field(0, ge=0, le=500, description="Models on a page; 0: all.")
    cursor: str = Field("", pattern=PLACE, description="`next_cursor` of the page before.")


@router.get(
    "models",
    response={200: schemas.Models | schemas.ModelNames, **answers(422)},
    operation_id="models",
    summary="All models",
)
def models(request: ApiRequest, response: HttpResponse, wanted: Query[Wanted]) -> Any:
    """Every model of the site that the team uses and that it lets this member use, in the order of the picker."""
    if kept := _unchanged(request, _seen(request)):
        return kept
    found = [spec for spec in offered.models(request.auth.membership) if _fits(spec, wanted)]
    slugs = [spec.slug for spec in found]
    start = _after(wanted.cursor, slugs)
    end = start + wanted.limit if wanted.limit else len(found)
    freshness.headed(response, _mark(request))
    page = found[start:end]
    after = _place(slugs[end - 1]) if start < end < len(found) else None
    if wanted.view == "short":
        names = [schemas.ModelName.model_validate(_shown(spec)) for spec in page]
        return schemas.ModelNames(items=names, next_cursor=after)
    return schemas.Models(items=[schemas.Model(**_shown(spec)) for spec in page], next_cursor=after)


@router.get(
    "models/{slug}",
    response={200: schemas.ModelDetail, **answers(403, 404)},
    operation_id="model",
    summary="One model with the schema of its params",
)
def model(request: ApiRequest, response: HttpResponse, slug: str) -> Any:
    """`params_schema` is the JSON Schema (2020-12) by which POST generations checks `params`."""
    seen = _seen(request)
    spec = access.model(slug, request.auth.membership)
    if kept := _unchanged(request, seen):
        return kept
    freshness.headed(response, _mark(request))
    return schemas.ModelDetail(
        **_shown(spec), notes=list(spec.notes), params_schema=spec.json_schema(), example=dict(spec.example)
    )


@cache
def _catalogue() -> str:
    """The mark of the catalogue of this process."""
    return freshness.mark(
        [(_shown(spec), spec.json_schema(), spec.notes, dict(spec.example)) for spec in load.models()]
    )


def _mark(request: ApiRequest) -> str:
    me = request.auth.membership
    rules = sorted(repr([getattr(rule, name) for name in RULE]) for rule in permits.rules(me.team))
    who = (me.pk, me.role, offered.site(me.team))
    own = [(spec.slug, spec.form) for spec in own_models.of_team(me.team)]
    return freshness.mark(request.get_full_path(), request.get_host(), _catalogue(), who, rules, own)


def _seen(request: ApiRequest) -> freshness.Seen | None:
    """The rows behind the mark, looked at before anything else where the caller asks again."""
    if not freshness.asks_again(request):
        return None
    me = request.auth.membership
    rules = ModelRule.objects.filter(team=me.team_id).order_by("pk").values_list(*RULE)
    used = Connection.usable(me.team).order_by("pk").values_list("pk", "is_used", "base_url", "removed_at")
    return freshness.look(request.auth, rules, used, beside=OWN)


def _unchanged(request: ApiRequest, seen: freshness.Seen | None) -> HttpResponse | None:
    """304 for whoever has what they would be given; None for everybody else."""
    if not freshness.asks_again(request):
        return None
    etag = _mark(request)
    if not freshness.is_known(request, etag):
        return None
    freshness.remember(request, request.auth, etag, seen)
    return freshness.not_changed(etag)


def _fits(spec: ModelSpec, wanted: Wanted) -> bool:
    if (wanted.kind and spec.kind != wanted.kind) or (wanted.output and spec.output != wanted.output):
        return False
    words = f"{spec.title} {spec.vendor} {spec.slug} {spec.summary}".casefold()
    return all(word in words for word in wanted.q.casefold().split())


def _place(slug: str) -> str:
    return base64.urlsafe_b64encode(slug.encode()).decode().rstrip("=")


def _after(cursor: str, slugs: list[str]) -> int:
    """Where the page begins. Raises `BadCursor` for a place that is not in the list."""
    if not cursor:
        return 0
    try:
        return slugs.index(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()) + 1
    except ValueError:
        raise library.BadCursor(cursor) from None


def _shown(spec: ModelSpec) -> dict[str, Any]:
    price = spec.price
    return {
        "slug": spec.slug,
        "endpoint": spec.endpoint,
        "aliases": list(spec.aliases),
        "title": spec.title,
        "vendor": spec.vendor,
        "kind": spec.kind.value,
        "category": spec.category,
        "output": spec.output,
        "summary": spec.summary,
        "price": price and schemas.Price.of(price),
        "usual_seconds": spec.usual_seconds,
    }
