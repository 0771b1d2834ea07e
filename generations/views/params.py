"""The settings a generation was made with, in words, and the files that went in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from generations.catalogue import load
from generations.models import Generation, Upload


def shown(generation: Generation, inputs: list[Upload], labels: list[str]) -> list[tuple[str, str, bool]]:
    """(label, value, changed); those of `labels` are shown elsewhere.

    A model that left the catalogue has its params as they are, without the text.
    """
    names = {upload.reference: upload.name for upload in inputs}
    try:
        spec = load.get(generation.model)
    except load.UnknownModel:
        return [
            (key, names.get(str(value), str(value)), False)
            for key, value in generation.params.items()
            if value != generation.prompt
        ]
    return [line for line in spec.display(generation.params, names) if line[0] not in labels]


def uploads(generation: Generation) -> list[Upload]:
    """The team's files that the params name, in their order."""
    asked = list(dict.fromkeys(_references(generation.params)))
    rows = Upload.objects.filter(team=generation.team_id).in_bulk(asked) if asked else {}
    return [rows[pk] for pk in asked if pk in rows]


def _references(value: Any) -> Iterator[uuid.UUID]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, str) and value.startswith("upload:"):
        try:
            yield Upload.id_of(value)
        except ValueError:
            return
