"""What hangs on a row: the star of a person, and how such links are added and taken away with a memory of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import models, transaction

from accounts.models import User
from generations.models import Alteration, CollectionItem, Favourite, Generation, Tagging
from generations.models.generation import GenerationQuerySet

LINKS: Mapping[str, type[models.Model]] = {
    "star": Favourite,
    "tag": Tagging,
    "collect": CollectionItem,
}
"""The rows that each kind of deed adds; with "un" before its name it takes them away."""


def star(rows: GenerationQuerySet, by: User) -> Alteration | None:
    """Stars each for this person."""
    return add(rows, by, "star", {"user_id": by.pk}, lambda pk: Favourite(user=by, generation_id=pk))


def unstar(rows: GenerationQuerySet, by: User) -> Alteration | None:
    return remove(rows, by, "star", {"user_id": by.pk})


def starred(user: User, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these the person starred; one query."""
    found = Favourite.objects.filter(user=user, generation__in=list(ids))
    return set(found.values_list("generation", flat=True))


def add(
    rows: GenerationQuerySet,
    by: User,
    what: str,
    common: Mapping[str, Any],
    make: Callable[[uuid.UUID], models.Model],
) -> Alteration | None:
    """Adds a link to each row that has none such yet. None when all had one.

    Everybody who adds or takes away locks the rows first, so a link that was not there is ours when it is made.
    """
    model = LINKS[what]
    with transaction.atomic():
        locked = locked_ids(rows)
        there = _links(model, common, locked).values_list("generation", flat=True)
        missing = [pk for pk in locked if pk not in set(there)]
        if not missing:
            return None
        model._default_manager.bulk_create([make(pk) for pk in missing])
        made = _links(model, common, missing).values_list("pk", "generation")
        said = [{"id": str(generation), "link": pk} for pk, generation in made]
        return Alteration.objects.create(team_id=_team(missing), by=by, what=what, rows=said)


def remove(rows: GenerationQuerySet, by: User, what: str, common: Mapping[str, Any]) -> Alteration | None:
    """Takes the link off each row that has one. None when none had."""
    model = LINKS[what]
    with transaction.atomic():
        locked = locked_ids(rows)
        there = list(_links(model, common, locked).order_by("pk"))
        if not there:
            return None
        _links(model, common, locked).filter(pk__in=[one.pk for one in there]).delete()
        said = [{"id": str(one.generation_id), "had": columns(one)} for one in there]
        return Alteration.objects.create(team_id=_team(locked), by=by, what=f"un{what}", rows=said)


def locked_ids(rows: GenerationQuerySet) -> list[uuid.UUID]:
    """The ids of these rows, locked until the transaction ends, always in the same order."""
    return list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))


def columns(link: models.Model) -> dict[str, Any]:
    """All of a link but its number, as JSON keeps it."""
    return {
        field.attname: value.isoformat() if hasattr(value, "isoformat") else _text(value)
        for field in link._meta.concrete_fields
        if not field.primary_key
        for value in [getattr(link, field.attname)]
    }


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value


def _links(
    model: type[models.Model], common: Mapping[str, Any], ids: Iterable[uuid.UUID]
) -> models.QuerySet[Any]:
    return model._default_manager.filter(**common, generation__in=list(ids))


def _team(ids: list[uuid.UUID]) -> int:
    return Generation.objects.values_list("team", flat=True).get(pk=ids[0])
