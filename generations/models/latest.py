"""The latest generations of several models, asked for at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from generations.models.generation import OVER, Generation

AT_ONCE = 300
"""Models in one query: SQLite takes 500 parts of a UNION."""


def latest_of_each(
    finished: Iterable[QuerySet[Generation]], most: int, *fields: str
) -> dict[str, list[tuple[Any, ...]]]:
    """These fields of the `most` newest finished rows of each queryset, newest first, by the slug of the model.

    Each queryset is ordered by its end and holds one model. One query for every AT_ONCE of them, in which each walks
    its own index and stops: a window over all rows would read everything that was ever generated.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    # To compose the query costs more than to ask whether anything ever ended; given lazily, its parts too.
    if not Generation.objects.filter(status__in=OVER).exists():
        return found
    whole = list(finished)
    for start in range(0, len(whole), AT_ONCE):
        some = whole[start : start + AT_ONCE]
        parts = [
            Generation.objects.filter(pk__in=one.values("pk")[:most]).values_list(
                "model", "finished_at", *fields
            )
            for one in some
        ]
        rows = sorted(parts[0].union(*parts[1:], all=True), key=lambda row: row[1], reverse=True)
        for model, _, *rest in rows:
            found.setdefault(model, []).append(tuple(rest))
    return found
