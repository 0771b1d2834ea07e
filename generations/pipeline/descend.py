"""Descend: notes out of what a generation came, in the transaction that takes it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.catalogue.spec import ModelSpec
from generations.models import Descent, Generation, Upload, Way


@dataclass(frozen=True)
class Origin:
    """The generation whose form was filled again; `params` are as it had them."""

    generation: uuid.UUID
    model: str
    params: Mapping[str, Any]

    @classmethod
    def of(cls, generation: Generation) -> Origin:
        return cls(generation.pk, generation.model, generation.params)

    def way(self, spec: ModelSpec, params: Mapping[str, Any]) -> Way:
        """Run again when nothing is different, else edited."""
        same = self.model == spec.slug and dict(self.params) == dict(params)
        return Way.AGAIN if same else Way.EDITED


def descend(child: Generation, spec: ModelSpec, params: Mapping[str, Any], origin: Origin | None) -> None:
    """Notes the origin, and every result of ours that is an input; each once. One query where there are no inputs."""
    found = {(parent, Way.INPUT) for parent in _inputs(spec, params)}
    if origin is not None:
        found.add((origin.generation, origin.way(spec, params)))
    if found:
        Descent.objects.bulk_create(
            [Descent(child=child, parent_id=parent, way=way) for parent, way in sorted(found, key=str)]
        )


def _inputs(spec: ModelSpec, params: Mapping[str, Any]) -> set[uuid.UUID]:
    ids = set()
    for reference in spec.uploads(params):
        with contextlib.suppress(ValueError):
            ids.add(Upload.id_of(reference))
    if not ids:
        return set()
    rows = Upload.objects.filter(pk__in=ids, source__isnull=False)
    return set(rows.values_list("source__generation", flat=True))
