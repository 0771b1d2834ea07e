"""A generation as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from generations import progress
from generations.models import Connection, Generation
from generations.pipeline.pacing import Pace
from generations.views import line, picker
from generations.views.api import schemas
from generations.views.row import places


@dataclass(frozen=True)
class Stand:
    """How unfinished generations stand: their places in line, and when each is expected to end."""

    places: Mapping[UUID, progress.Place]
    ends: Mapping[UUID, datetime]

    @classmethod
    def of(cls, rows: Sequence[Generation], now: datetime | None = None) -> Stand:
        """Of several at once, by as many queries as of one."""
        unfinished = [row for row in rows if not row.is_over]
        if not unfinished:
            return cls({}, {})
        found = places(unfinished)
        used = Connection.objects.in_bulk({row.connection_id for row in unfinished})
        paces = {pk: picker.paces(connection) for pk, connection in used.items()}
        now = now or timezone.now()
        ends = {row.pk: _end(row, paces[row.connection_id], found.get(row.pk), now) for row in unfinished}
        return cls(found, {pk: end for pk, end in ends.items() if end is not None})


def _end(
    row: Generation, paces: Mapping[str, Pace], place: progress.Place | None, now: datetime
) -> datetime | None:
    """From learned durations; None while nobody can know when it starts."""
    takes = timedelta(seconds=paces[row.model].usual if row.model in paces else progress.guess(row.model))
    if place is not None:
        return None if place.high is None else now + timedelta(seconds=place.high) + takes
    return max(now, (row.dispatched_at or now) + takes)


def shown(request: HttpRequest, row: Generation, stand: Stand | None = None) -> schemas.Generation:
    """The documented form of a row whose author and outputs are loaded. `stand`: that of several, asked once."""
    stand = Stand.of([row]) if stand is None else stand
    place = stand.places.get(row.pk)
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
            "expected_end_at": stand.ends.get(row.pk),
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


def say_when(response: HttpResponse, rows: Sequence[Generation], stand: Stand) -> None:
    """How many seconds until it pays to ask again: a third of what is expected to be left of the one that ends first,
    between one second and half a minute. Nothing when all are over.
    """
    unfinished = [row for row in rows if not row.is_over]
    if not unfinished:
        return
    now = timezone.now()
    left = [(stand.ends[row.pk] - now).total_seconds() for row in unfinished if row.pk in stand.ends]
    response["Retry-After"] = str(round(min(30.0, max(1.0, min(left) / 3)))) if left else "30"
