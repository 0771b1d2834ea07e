"""What can be generated with, straight from the catalogue."""

from __future__ import annotations

from typing import Any

from ninja import Router

from generations.catalogue.spec import ModelSpec
from generations.views import access, offered
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest
from generations.views.api.problems import answers

router = Router(tags=["Models"])


@router.get(
    "models", response={200: schemas.Models, **answers()}, operation_id="models", summary="All models"
)
def models(request: ApiRequest) -> schemas.Models:
    """Every model of the site that the team uses and that it lets this member use, in the order of the picker, on one
    page.
    """
    return schemas.Models(
        items=[schemas.Model(**_shown(spec)) for spec in offered.models(request.auth.membership)]
    )


@router.get(
    "models/{slug}",
    response={200: schemas.ModelDetail, **answers(403, 404)},
    operation_id="model",
    summary="One model with the schema of its params",
)
def model(request: ApiRequest, slug: str) -> schemas.ModelDetail:
    """`params_schema` is the JSON Schema (2020-12) by which POST generations checks `params`."""
    spec = access.model(slug, request.auth.membership)
    return schemas.ModelDetail(
        **_shown(spec), notes=list(spec.notes), params_schema=spec.json_schema(), example=dict(spec.example)
    )


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
        "price": price
        and schemas.Price(
            amount=schemas.amount(price.amount),
            currency=price.currency,
            unit=price.unit,
            param=price.param or None,
            starting=price.starting,
            as_of=price.as_of,
            source=price.source,
            note=price.note,
        ),
        "usual_seconds": spec.usual_seconds,
    }
