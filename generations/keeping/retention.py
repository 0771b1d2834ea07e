"""Retention: what the rules of a team let go, and what they never touch.

Never touched is what anybody starred, what is approved, in a collection or shared, and what a voice is heard by. Rows
are looked at from the oldest on, a bounded window at a time, because the oldest may all be such.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from generations.keeping.shared import shared
from generations.keeping.trash import LIVES
from generations.models import (
    OVER,
    Alteration,
    CollectionItem,
    Favourite,
    Generation,
    RetentionRule,
    Tag,
    Tagging,
)
from generations.models.generation import GenerationQuerySet

WINDOW = 2000
"""Rows that are looked at in one step."""
LOOKS = 10
"""Steps of one preview, and of one sweep of a rule."""
EXAMPLES = 10
Place = tuple[datetime, uuid.UUID]


@dataclass(frozen=True)
class Preview:
    """What would go now. `whole` is false when there is more to look at than was looked at."""

    count: int
    bytes: int
    examples: Sequence[Generation]
    whole: bool


def old_enough(rule: RetentionRule, now: datetime) -> GenerationQuerySet:
    """What a rule looks at, in its order: everything of the team that is as old and not in the trash."""
    rows = Generation.objects.filter(
        team=rule.team_id, trashed_at=None, created_at__lt=now - timedelta(days=rule.older_than_days)
    )
    return rows.order_by("created_at", "id")


def lets_go(rule: RetentionRule) -> Q:
    """What a rule lets go of what is old enough."""
    fits = Q(status=rule.status) if rule.status in OVER else Q(status__in=OVER)
    if rule.kind:
        fits &= Q(kind=rule.kind)
    if rule.larger_than:
        fits &= Q(stored_bytes__gt=rule.larger_than)
    links = [
        Exists(model._default_manager.filter(generation=OuterRef("pk")))
        for model in (Favourite, CollectionItem)
    ]
    free = Q(approved_at=None, made_voice=None, voice_sample=None)
    for link in links:
        free &= ~Q(link)
    return fits & free & ~shared()


def window(rule: RetentionRule, now: datetime, after: Place | None) -> list[Place]:
    """Where the next rows after `after` stand: at most WINDOW of them, fewer at the end."""
    rows = old_enough(rule, now)
    if after is not None:
        at, pk = after
        rows = rows.filter(Q(created_at__gt=at) | Q(created_at=at, id__gt=pk), created_at__gte=at)
    return list(rows.values_list("created_at", "id")[:WINDOW])


def within(rule: RetentionRule, now: datetime, places: Sequence[Place]) -> GenerationQuerySet:
    """What the rule lets go of this window."""
    ids = [pk for _at, pk in places]
    return old_enough(rule, now).filter(lets_go(rule), pk__in=ids)


def preview(rule: RetentionRule, now: datetime | None = None) -> Preview:
    """What would go if the rule were on, by at most LOOKS steps; nothing is changed."""
    now = now or timezone.now()
    count = size = 0
    examples: list[Generation] = []
    after: Place | None = None
    for _step in range(LOOKS):
        places = window(rule, now, after)
        rows = within(rule, now, places)
        if places:
            found = rows.order_by().aggregate(size=Sum("stored_bytes"))
            count += rows.count()
            size += found["size"] or 0
        if len(examples) < EXAMPLES:
            examples += rows.select_related("author").defer("params", "search_text")[
                : EXAMPLES - len(examples)
            ]
        if len(places) < WINDOW:
            return Preview(count, size, examples, whole=True)
        after = places[-1]
    return Preview(count, size, examples, whole=False)


def let_go(rule: RetentionRule, now: datetime | None = None) -> list[tuple[int, int]]:
    """One step: looks at the next window and moves what it lets go to the trash. Gives (author, bytes) of each.

    Where it looked is noted with what it did, so the next step goes on there, and at the end it begins anew. Whoever
    else is at the same step meanwhile finds it done.
    """
    now = now or timezone.now()
    after = (rule.looked_at, rule.looked_id) if rule.looked_at and rule.looked_id else None
    places = window(rule, now, after)
    last = places[-1] if len(places) == WINDOW else (None, None)
    mine = RetentionRule.objects.filter(pk=rule.pk, is_on=True, looked_id=rule.looked_id)
    if not mine.update(looked_at=last[0], looked_id=last[1]):
        return []
    rule.looked_at, rule.looked_id = last
    gone = list(within(rule, now, places).order_by().values_list("pk", "author", "stored_bytes"))
    rows = within(rule, now, places).filter(pk__in=[pk for pk, *_ in gone]).order_by()
    rows.update(trashed_at=now, trashed_by=None, purge_at=now + LIVES, updated_at=now)
    moved = Generation.objects.filter(pk__in=[pk for pk, *_ in gone], trashed_at=now)
    really = set(moved.values_list("pk", flat=True))
    return [(author, size) for pk, author, size in gone if pk in really]


def forget() -> None:
    """Removes what nothing needs any more: deeds that cannot be taken back, and words that nothing is tagged with."""
    day = timezone.now() - Alteration.LIVES
    Alteration.objects.filter(created_at__lt=day).delete()
    unused = Tag.objects.exclude(Exists(Tagging.objects.filter(tag=OuterRef("pk")))).filter(
        created_at__lt=day
    )
    unused.delete()
