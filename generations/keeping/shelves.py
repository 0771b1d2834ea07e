"""Collections: generations in an order that people give them.

A move says what goes before what, and is made under the lock of the collection: two who move at once both get what
they said, and nothing is lost. Places have gaps between them, so that most moves write one row.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from generations.keeping import links
from generations.models import Alteration, Collection, CollectionItem
from generations.models.generation import GenerationQuerySet

MOST_ITEMS = 2000
MOST_OF_TEAM = 1000
GAP = 1024
TWICE = timedelta(seconds=30)
"""Within it a form that comes again is the same form sent twice."""


class Full(ValueError):
    """There is no room for that many; the message says how many there can be."""


class Gone(LookupError):
    """What was to be moved, or what it was to stand before, is not in the collection any more."""


def create(membership: Membership, name: str, description: str = "", *, private: bool = False) -> Collection:
    """Raises `Full`."""
    if Collection.objects.filter(team=membership.team_id).count() >= MOST_OF_TEAM:
        raise Full(_("A team has at most %(most)s collections.") % {"most": MOST_OF_TEAM})
    return Collection.objects.create(
        team=membership.team,
        author=membership.user,
        name=name,
        description=description,
        is_private=private,
    )


def create_once(
    membership: Membership, name: str, description: str = "", *, private: bool = False
) -> Collection:
    """As `create`; for what the same person asks for once more within half a minute, as a double click does, the one
    made first. Raises `Full`.
    """
    with transaction.atomic():
        Membership.objects.select_for_update().get(pk=membership.pk)
        made = Collection.objects.filter(
            team=membership.team_id,
            author=membership.user_id,
            name=name,
            description=description,
            is_private=private,
            created_at__gt=timezone.now() - TWICE,
        )
        return made.first() or create(membership, name, description, private=private)


def add(collection: Collection, rows: GenerationQuerySet, by: User) -> Alteration | None:
    """Puts those that are not in it at its end, in the order of their making. Raises `Full`."""
    with transaction.atomic():
        _lock(collection)
        items = CollectionItem.objects.filter(collection=collection)
        last: int = items.aggregate(last=Max("place"))["last"] or 0
        count = items.count() + rows.exclude(collected__collection=collection).count()
        if count > MOST_ITEMS:
            raise Full(_("A collection has room for %(most)s.") % {"most": MOST_ITEMS})
        places: dict[uuid.UUID, int] = {}

        def item(pk: uuid.UUID) -> CollectionItem:
            places[pk] = last + GAP * (len(places) + 1)
            return CollectionItem(collection=collection, generation_id=pk, place=places[pk], added_by=by)

        made = links.add(rows, by, "collect", {"collection_id": collection.pk}, item)
        _touch(collection, made)
    return made


def remove(collection: Collection, rows: GenerationQuerySet, by: User) -> Alteration | None:
    """Takes them out; they stay in the library."""
    with transaction.atomic():
        _lock(collection)
        taken = links.remove(rows, by, "collect", {"collection_id": collection.pk})
        _touch(collection, taken)
    return taken


def items(collection: Collection) -> QuerySet[CollectionItem]:
    """What is in it, in its order."""
    return CollectionItem.objects.filter(collection=collection).order_by("place", "id")


def move_before(collection: Collection, moved: uuid.UUID, before: uuid.UUID | None) -> bool:
    """Has one stand right before another; None: at the end. False when it stood there already. Raises `Gone`."""
    with transaction.atomic():
        _lock(collection)
        order = list(items(collection).values_list("generation", "place"))
        ids = [pk for pk, _place in order]
        if moved not in ids or (before is not None and before not in ids):
            raise Gone
        return _place(collection, order, moved, before)


def move_by(
    collection: Collection, moved: uuid.UUID, steps: int, among: set[uuid.UUID] | None = None
) -> bool:
    """Moves one so many steps down, or up where that is negative, as far as there are; False when there are none.

    `among` are those that the reader sees: a step passes one of them, and whatever is hidden before it. Raises `Gone`.
    """
    with transaction.atomic():
        _lock(collection)
        order = list(items(collection).values_list("generation", "place"))
        ids = [pk for pk, _place in order if among is None or pk in among or pk == moved]
        if moved not in ids:
            raise Gone
        at = ids.index(moved)
        to = min(max(at + steps, 0), len(ids) - 1)
        if to == at:
            return False
        rest = [pk for pk in ids if pk != moved]
        return _place(collection, order, moved, rest[to] if to < len(rest) else None)


def _place(
    collection: Collection, order: list[tuple[uuid.UUID, int]], moved: uuid.UUID, before: uuid.UUID | None
) -> bool:
    rest = [(pk, place) for pk, place in order if pk != moved]
    at = next((n for n, (pk, _place) in enumerate(rest) if pk == before), len(rest))
    ids = [pk for pk, _place in rest]
    wanted = [*ids[:at], moved, *ids[at:]]
    if moved == before or wanted == [pk for pk, _place in order]:
        return False
    low = rest[at - 1][1] if at else 0
    high = rest[at][1] if at < len(rest) else low + 2 * GAP
    mine = CollectionItem.objects.filter(collection=collection)
    if high - low > 1:
        mine.filter(generation=moved).update(place=(low + high) // 2)
    else:
        rows = {one.generation_id: one for one in mine}
        for n, pk in enumerate(wanted, start=1):
            rows[pk].place = n * GAP
        CollectionItem.objects.bulk_update(rows.values(), ["place"], batch_size=500)
    Collection.objects.filter(pk=collection.pk).update(updated_at=timezone.now())
    return True


def _lock(collection: Collection) -> None:
    """One deed at a time. On SQLite, whose transactions are immediate here, that is so anyway."""
    list(Collection.objects.select_for_update().filter(pk=collection.pk).values_list("pk"))


def _touch(collection: Collection, change: Alteration | None) -> None:
    if change is not None:
        Collection.objects.filter(pk=collection.pk).update(updated_at=timezone.now())
