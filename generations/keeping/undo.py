"""Taking a deed back: every row that still is as the deed left it becomes what it was, and no other.

Nor does one that whoever did it may not change any more, or to which the same was done once again since: what is
private may have been opened and closed in between, by somebody who had a reason.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from generations.keeping.fields import COLUMNS, read
from generations.keeping.links import LINKS, locked_ids
from generations.models import Alteration, Generation, Tag
from generations.models.collection import CollectionQuerySet
from generations.models.generation import GenerationQuerySet


@dataclass(frozen=True)
class Undone:
    """So many are as they were; `left` were changed by somebody since, or are not there any more."""

    done: int
    left: int


def undo(change: Alteration, rows: GenerationQuerySet, shelves: CollectionQuerySet) -> Undone | None:
    """Takes it back, once, of these rows and within these collections, which are those that whoever did it may change
    now. None: somebody was first, or it is too long ago.
    """
    with transaction.atomic():
        mine = Alteration.objects.open_of(change.team, change.by).filter(pk=change.pk)
        if not mine.update(undone_at=timezone.now()):
            return None
        ids = [uuid.UUID(one["id"]) for one in change.rows]
        # What was purged is nobody's to change any more.
        locked = set(locked_ids(rows.filter(pk__in=ids, purged_at=None)))
        there = [one for one in change.rows if uuid.UUID(one["id"]) in locked]
        if change.what in COLUMNS:
            again = _done_since(change)
            done = _fields(change.what, [one for one in there if one["id"] not in again])
        elif change.what in LINKS:
            done = _taken_away(change.what, there, shelves)
        else:
            done = _put_back(change.what, there, shelves)
    return Undone(done, len(change.rows) - done)


def _done_since(change: Alteration) -> set[str]:
    """The ids of the rows to which the same was done since, and not taken back."""
    since = Alteration.objects.filter(team=change.team_id, what=change.what, undone_at=None)
    later = since.filter(created_at__gt=change.created_at).values_list("rows", flat=True)
    return {one["id"] for rows in later for one in rows}


def _fields(what: str, rows: list[dict[str, Any]]) -> int:
    """One UPDATE for each state before, which asks once more whether the row is as the deed left it."""
    names = COLUMNS[what]
    alike: dict[tuple[Any, ...], list[uuid.UUID]] = defaultdict(list)
    for one in rows:
        alike[tuple(one["was"]), tuple(one["now"])].append(uuid.UUID(one["id"]))
    done = 0
    for (was, now), ids in alike.items():
        still = {name: read(name, value) for name, value in zip(names, now, strict=True)}
        before = {name: read(name, value) for name, value in zip(names, was, strict=True)}
        found = Generation.objects.filter(pk__in=ids, **_equal(still))
        done += found.update(**before, updated_at=timezone.now())
    return done


def _equal(values: dict[str, Any]) -> dict[str, Any]:
    return {
        (f"{name}__isnull" if value is None else name): True if value is None else value
        for name, value in values.items()
    }


def _taken_away(what: str, rows: list[dict[str, Any]], shelves: CollectionQuerySet) -> int:
    """The very links that were made; one that somebody took off and put on again is theirs."""
    links = LINKS[what]._default_manager.filter(pk__in=[one["link"] for one in rows])
    if what == "collect":
        links = links.filter(collection__in=shelves)
    return int(links.delete()[0])


def _put_back(what: str, rows: list[dict[str, Any]], shelves: CollectionQuerySet) -> int:
    """The links that were taken away, where nobody has put one there since and its tag or collection still is."""
    model = LINKS[what.removeprefix("un")]
    back = [_link(model, one["had"]) for one in rows]
    back = _whole(back, shelves)
    there = set(
        model._default_manager.filter(generation__in=[one.generation_id for one in back]).values_list(
            *_key(model)
        )
    )
    missing = [one for one in back if tuple(getattr(one, name) for name in _key(model)) not in there]
    model._default_manager.bulk_create(missing)
    return len(missing)


def _link(model: type[models.Model], had: dict[str, Any]) -> Any:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    values = {name: fields[name].to_python(value) for name, value in had.items()}
    return model(**values)


def _whole(links: list[Any], seen: CollectionQuerySet) -> list[Any]:
    """Those whose tag or collection was not deleted or closed meanwhile."""
    tags = {one.tag_id for one in links if hasattr(one, "tag_id")}
    shelves = {one.collection_id for one in links if hasattr(one, "collection_id")}
    tags = set(Tag.objects.filter(pk__in=tags).values_list("pk", flat=True)) if tags else tags
    shelves = set(seen.filter(pk__in=shelves).values_list("pk", flat=True)) if shelves else shelves
    return [
        one
        for one in links
        if getattr(one, "tag_id", None) in tags | {None}
        and getattr(one, "collection_id", None) in shelves | {None}
    ]


def _key(model: type[models.Model]) -> tuple[str, str]:
    """What a link is of: (tag, generation), (user, generation), (collection, generation)."""
    other = {"Favourite": "user_id", "Tagging": "tag_id", "CollectionItem": "collection_id"}[model.__name__]
    return other, "generation_id"
