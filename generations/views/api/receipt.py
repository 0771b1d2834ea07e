"""A generation as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from generations import progress
from generations.models import Generation
from generations.views import line
from generations.views.api import schemas
from generations.views.row import places


def shown(
    request: HttpRequest, row: Generation, stand: Mapping[UUID, progress.Place] | None = None
) -> schemas.Generation:
    """The documented form of a row whose author and outputs are loaded. `stand`: the places of several, asked once."""
    place = (places([row]) if stand is None else stand).get(row.pk)
    return schemas.Generation.model_validate(
        {
            "id": row.pk,
            "status": row.status,
            "model": row.model,
            "params": row.params,
            "title": row.title,
            "author": row.author.email,
            "cost_estimated": None if row.cost_estimated is None else schemas.amount(row.cost_estimated),
            "cost_actual": None if row.cost_actual is None else schemas.amount(row.cost_actual),
            "currency": row.currency,
            "upstream_id": row.upstream_id or None,
            "error": {"code": row.error_code, "message": row.error_message} if row.error_code else None,
            "queue": None if place is None else _queue(place),
            "outputs": [
                {
                    "index": output.index,
                    "kind": output.kind,
                    "content_type": output.content_type,
                    "bytes": output.bytes,
                    "sha256": output.sha256,
                    "duration": output.duration,
                    "url": absolute(request, "output_content", id=row.pk, index=output.index),
                }
                for output in row.outputs.all()
            ],
            "created_at": row.created_at,
            "dispatched_at": row.dispatched_at,
            "finished_at": row.finished_at,
        }
    )


def _queue(place: progress.Place) -> dict[str, Any]:
    expected = (
        None if place.low is None or place.high is None else [round(place.low, 1), round(place.high, 1)]
    )
    return {
        "position": place.position,
        "expected_seconds": expected,
        "reason": place.why.code,
        "message": line.why(place),
        "until": place.why.until,
    }


def absolute(request: HttpRequest, name: str, **place: object) -> str:
    """The whole address of something in the API, at the public address where one is set."""
    path = reverse(f"api:{name}", kwargs=place)
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)


def say_when(response: HttpResponse, row: Generation) -> None:
    """A tenth of the usual duration, between one second and half a minute, until it pays to ask again."""
    if not row.is_over:
        response["Retry-After"] = str(round(min(30.0, max(1.0, progress.guess(row.model) / 10))))
