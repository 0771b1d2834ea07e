"""What a generation is found by: its words, indexed so that any piece of them is found among a million.

Triggers of the database keep the rows, so that nobody who writes a title, a note or a tag has to think of it. They
stand apart from the generation because the pipeline rewrites that many times, and these words hardly ever change.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, models

from generations.models.generation import Generation

TEAM, AUTHOR, TAG = "g", "a", "t"
_LETTERS = {TEAM: 0xE001, AUTHOR: 0xE002, TAG: 0xE003}
_HIGH = 0xF0000


class Findable(models.Model):
    """The words of a generation. `number` sorts like its id.

    `marks` name its team and author and `tags` its tags, each as `mark` writes them: what is renamed keeps its mark.
    """

    number = models.BigIntegerField(primary_key=True)
    generation = models.OneToOneField(Generation, on_delete=models.CASCADE, related_name="findable")
    text = models.TextField()
    marks = models.TextField()
    tags = models.TextField(default="")

    def __str__(self) -> str:
        return str(self.number)


class Matched(models.TextField):  # type: ignore[type-arg]
    """The hidden column of an FTS5 table, which takes only the lookup `match`."""


@Matched.register_lookup
class Match(models.Lookup):
    """`MATCH`, with an expression as FTS5 reads it."""

    lookup_name = "match"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, given = self.process_lhs(compiler, connection)
        right, wanted = self.process_rhs(compiler, connection)
        return f"{left} MATCH {right}", [*given, *wanted]


class Unlisted(models.Manager):  # type: ignore[type-arg]
    """An index is joined and asked, and has no rows to list; nor would FTS5 list those of one without content."""

    def get_queryset(self) -> Any:
        return super().get_queryset().none()


class Trigrams(models.Model):
    """The index of words of three characters and more on SQLite; asked, never written."""

    findable = models.OneToOneField(
        Findable,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_column="rowid",
        db_constraint=False,
        related_name="trigrams",
    )
    words = Matched(db_column="generations_trigrams")

    objects = Unlisted()

    class Meta:
        managed = False
        db_table = "generations_trigrams"

    def __str__(self) -> str:
        return str(self.pk)


class Pairs(models.Model):
    """The index of two characters, and of one where a character is a word, on SQLite; asked, never written."""

    findable = models.OneToOneField(
        Findable,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_column="rowid",
        db_constraint=False,
        related_name="pairs",
    )
    words = Matched(db_column="generations_pairs")

    objects = Unlisted()

    class Meta:
        managed = False
        db_table = "generations_pairs"

    def __str__(self) -> str:
        return str(self.pk)


def number_of(pk: uuid.UUID) -> int:
    """The first number of a row of this id: its 60 bits of time, with room for eight of the same instant."""
    return (pk.int >> 80 << 12 | pk.int >> 64 & 0xFFF) << 3


def mark(letter: str, pk: int) -> str:
    """How the index names a team, an author or a tag.

    On SQLite three characters of the private area, which are one trigram and one pair and no word of anybody.
    """
    if connection.vendor == "sqlite":
        return chr(_LETTERS[letter]) + chr(_HIGH + (pk >> 12)) + chr(_HIGH + (pk & 0xFFF))
    return f"{letter}{pk}"
