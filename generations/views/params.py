"""The settings a generation was made with, in words, and the files that went in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from generations import vault
from generations.catalogue import load
from generations.models import Generation, Upload


def shown(generation: Generation, inputs: list[Upload], labels: list[str]) -> list[tuple[str, str, bool]]:
    """(label, value, changed); those of `labels` are shown elsewhere.

    A voice of the team goes by its name; one that is hidden from the member is None here and said to be private. A
    model that left the catalogue has its params as they are, without the text.
    """
    names = {upload.reference: upload.name for upload in inputs}
    if generation.is_imported:
        return [(_("Original name"), str(generation.params.get("original_name", "")), False)]
    given = {
        key: _("A private voice") if value is None else value for key, value in generation.params.items()
    }
    try:
        spec = load.get(generation.made_with)
    except load.UnknownModel:
        return [
            (key, names.get(str(value), str(value)), False)
            for key, value in given.items()
            if value != generation.prompt
        ]
    spoken = vault.spoken(spec, generation.params)
    if spoken is not None:
        names[spoken.voice_id] = spoken.name
    return [line for line in spec.display(given, names) if line[0] not in labels]


def sent(generation: Generation) -> list[tuple[str, str, bool]]:
    """As `shown`, of everything and without any question to the database: voices and files go by their ids."""
    given = {
        key: _("A private voice") if value is None else value for key, value in generation.params.items()
    }
    try:
        lines = load.get(generation.made_with).display(given, {})
    except load.UnknownModel:
        return [(key, str(value), False) for key, value in given.items()]
    text = generation.prompt
    if text and all(text not in value for _label, value, _changed in lines):
        lines = [(_("Text"), text, False), *lines]
    return lines


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
