"""The latest generations of several models, asked for at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from generations.models.generation import Generation

AT_ONCE = 450
"""Models in one query: SQLite takes 500 parts of a UNION."""
MADE = """
    WITH RECURSIVE made(model) AS (
        SELECT min(model) FROM generations_generation
        UNION ALL
        SELECT (SELECT min(model) FROM generations_generation WHERE model > made.model)
        FROM made WHERE made.model IS NOT NULL
    )
    SELECT model FROM made WHERE model IS NOT NULL
"""
"""One step in an index for each model, however many generations there are."""


def ever_made() -> set[str]:
    """The slugs of all models that anything was ever ordered of."""
    with connection.cursor() as cursor:
        cursor.execute(MADE)
        return {row[0] for row in cursor.fetchall()}


def latest_of_each(
    models: Iterable[str], finished: Callable[[str], QuerySet[Generation]], most: int, *fields: str
) -> dict[str, list[tuple[Any, ...]]]:
    """These fields of the `most` newest finished rows of each model, newest first, by its slug.

    `finished` gives the rows of one model, ordered by their end. One query for every AT_ONCE of
    them, in which each walks its own index and stops: a window over all rows would read everything that was ever
    generated. To compose a part costs more than to run it, so models that were never used have none.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    made = ever_made()
    whole = [finished(model) for model in models if model in made]
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
