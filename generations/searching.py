"""Words that a member types, as conditions upon generations.

Every word must occur somewhere in the title, the prompt, the lyrics or the notes, in the name of a tag or in that of
the author; as part of a word too, in any case. An index answers: FTS5 on SQLite, which gives the newest first and can
stop; inverted indexes on PostgreSQL, which give all there are, so that there the newest are looked through before.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import and_, or_
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, Subquery, TextField, UUIDField, Value
from django.db.models.functions import Cast, Coalesce

from accounts.models import Membership
from generations.models import AUTHOR, TAG, TEAM, Findable, Generation, Tag, mark, number_of

WORDS = 8
"""More words than that are not looked at."""
NAMES = 40
"""A word that is part of the names of more tags than that is found by the first of them."""
NEAR = 2000
"""So many of the newest are looked through one by one before an inverted index is asked for all."""
TRIED = 500
"""So many of those with the long words are tried for the short ones on SQLite before the other index is asked."""
NOTHING = uuid.UUID(int=0)


@dataclass(frozen=True)
class Word:
    """One word in the ways it may be written, with the marks of the people and tags whose names have it.

    The ways may differ in length: Eß is written ess too.
    """

    ways: tuple[str, ...]
    marks: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        return min(len(way) for way in self.ways)

    @property
    def is_letter(self) -> bool:
        """One letter of an alphabet, which is in nearly every text: no index has it, the first rows do."""
        return any(len(way) == 1 and way.isascii() for way in self.ways)


class Holds(Func):
    """Whether the marks of a generation hold one of these."""

    template = "string_to_array(%(expressions)s, ' ')"
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        marks, tags, *wanted = self.get_source_expressions()
        left = [compiler.compile(one) for one in (marks, tags)]
        right = [compiler.compile(one) for one in wanted]
        sql = f"string_to_array({left[0][0]} || {left[1][0]}, ' ') && ARRAY[{', '.join(r[0] for r in right)}]"
        return sql, [*left[0][1], *left[1][1], *(param for r in right for param in r[1])]


class HasPair(Func):
    """Whether a text has these two characters beside each other, or this one."""

    template = "rhweb_pairs(%(expressions)s]"
    arg_joiner = ") @> ARRAY["
    output_field = BooleanField()


def words(membership: Membership, q: str) -> list[Word]:
    """What `q` asks for, by two small queries where it asks for anything."""
    typed = list(dict.fromkeys(q.replace("\x00", " ").split()))[:WORDS]
    if not typed:
        return []
    folds = [word.casefold() for word in typed]
    tags = list(
        Tag.objects.filter(
            reduce(or_, (Q(folded__contains=fold) for fold in folds)), team=membership.team_id
        ).values_list("pk", "folded")[: NAMES * len(folds)]
    )
    people = [
        (row.user_id, row.user.display_name.casefold())
        for row in Membership.objects.filter(team=membership.team_id).select_related("user")
    ]
    found = []
    for word, fold in zip(typed, folds, strict=True):
        marks = [mark(TAG, pk) for pk, name in tags if fold in name][:NAMES]
        if len(fold) > 1 or not fold.isascii():
            marks += [mark(AUTHOR, pk) for pk, name in people if fold in name][:NAMES]
        found.append(Word(tuple(dict.fromkeys((fold, word.lower()))), tuple(marks)))
    return found


def newest(
    rows: QuerySet[Generation], membership: Membership, wanted: list[Word], most: int, after: uuid.UUID | None
) -> QuerySet[Generation]:
    """Of these rows the newest `most` that have every word, made before `after`; newest first."""
    if connection.vendor == "sqlite":
        if _long(wanted) and _short(wanted):
            return _mixed(rows, membership, wanted, most, after)
        return _streamed(rows, membership, wanted, after)[:most]
    return _looked_up(rows, membership, wanted, most, after)


def _streamed(
    rows: QuerySet[Generation], membership: Membership, wanted: list[Word], after: uuid.UUID | None
) -> QuerySet[Generation]:
    """Along the one index that has all the words, whose rows come newest first."""
    spine = "pairs" if _short(wanted) else "trigrams"
    every = [_paired(word) for word in _short(wanted)] or [_any(word) for word in _long(wanted)]
    match = _all(every, membership)
    rows = rows.filter(**{f"findable__{spine}__words__match": match}, **_before(f"findable__{spine}", after))
    return _read(rows, wanted).order_by(f"-findable__{spine}__findable_id")


def _mixed(
    rows: QuerySet[Generation],
    membership: Membership,
    wanted: list[Word],
    most: int,
    after: uuid.UUID | None,
) -> QuerySet[Generation]:
    """Long and short words, which are in two indexes, in one statement.

    To ask one index for each row of the other takes some 20 microseconds, so this is done for TRIED rows only: where
    the long words are rare these are all. Of what is older the index of pairs has first to have all pairs of the long
    words too, which it joins by itself, and then the text has to have them; so there a long word is found where short
    ones are, which is in the first 4,000 characters.
    """
    rows = _read(rows, wanted)
    long = _all([_any(word) for word in _long(wanted)], membership)
    short = [_paired(word) for word in _short(wanted)]
    found = Findable.objects.filter(trigrams__words__match=long, **_before("trigrams", after))
    line = found.order_by("-trigrams__findable_id").values("trigrams__findable_id")
    edge = Coalesce(Subquery(line[TRIED : TRIED + 1]), Value(-1))
    near = rows.filter(
        findable__trigrams__words__match=long,
        findable__pairs__words__match=_all(short, membership),
        findable__trigrams__findable_id__gt=edge,
        **_before("findable__trigrams", after),
    ).order_by("-findable__trigrams__findable_id")
    paired = _all([*short, *filter(None, map(_pairs, _long(wanted)))], membership)
    far = (
        rows.filter(findable__pairs__words__match=paired, findable__pairs__findable_id__lte=edge)
        .filter(reduce(and_, (_written(word) for word in _long(wanted))))
        .order_by("-findable__pairs__findable_id")
    )
    parts = [Generation.objects.filter(pk__in=part.values("pk")[:most]).values("pk") for part in (near, far)]
    return Generation.objects.filter(pk__in=parts[0].union(parts[1], all=True)).order_by("-id")[:most]


def _long(wanted: list[Word]) -> list[Word]:
    return [word for word in wanted if word.length >= 3]


def _short(wanted: list[Word]) -> list[Word]:
    return [word for word in wanted if word.length < 3 and not word.is_letter]


def _read(rows: QuerySet[Generation], wanted: list[Word]) -> QuerySet[Generation]:
    """Those of the rows whose text has what no index tells: letters, and short words that are long in another way."""
    for word in wanted:
        if word.is_letter:
            rows = rows.filter(reduce(or_, (Q(findable__text__icontains=way) for way in word.ways)))
        elif word.length < 3 <= max(map(len, word.ways)):
            rows = rows.filter(_written(word))
    return rows


def _before(index: str, after: uuid.UUID | None) -> dict[str, Any]:
    return {f"{index}__findable_id__lt": number_of(after)} if after else {}


def _all(conditions: list[str], membership: Membership) -> str:
    return " AND ".join([*conditions, _quoted(mark(TEAM, membership.team_id))])


def _pairs(word: Word) -> str:
    """What the index of pairs has of every text with this word, "" for nothing. Only of characters that it is sure to
    take for parts of words.
    """
    ways = [_sure_pairs(way) for way in word.ways]
    return _either([*map(_both, ways), *map(_quoted, word.marks)]) if all(ways) else ""


def _paired(word: Word) -> str:
    """A short word as the index of pairs has it: of a way that is longer than a pair, all pairs of that."""
    ways = [
        _quoted(way) if len(way) < 3 else _both(_sure_pairs(way) or list(map("".join, pairwise(way))))
        for way in word.ways
    ]
    return _either([*ways, *map(_quoted, word.marks)])


def _sure_pairs(way: str) -> list[str]:
    pairs = (a + b for a, b in pairwise(way) if (a + b).isalnum() and max(a, b) < "\uffff")
    return list(dict.fromkeys(pairs))


def _both(pairs: list[str]) -> str:
    return f"({' AND '.join(map(_quoted, pairs))})"


def _written(word: Word) -> Q:
    """Whether the text has this word, or the row a mark of it."""
    found = reduce(or_, map(_spelled, word.ways))
    for one in word.marks:
        found |= Q(findable__marks__contains=one) | Q(findable__tags__contains=one)
    return found


def _spelled(way: str) -> Q:
    """Whether the text has these letters, large or small.

    LIKE takes É and é for two, so it is asked for what is between such letters only; where there are any the whole is
    asked for by an expression, which takes some five times as long.
    """
    parts = "".join(" " if _has_capital(letter) else letter for letter in way).split(" ")
    found = reduce(and_, (Q(findable__text__contains=part) for part in parts if part), Q())
    return found if len(parts) == 1 else found & Q(findable__text__iregex=re.escape(way))


def _has_capital(letter: str) -> bool:
    return not letter.isascii() and letter.upper() != letter


def _any(word: Word) -> str:
    return _either([_quoted(text) for text in (*word.ways, *word.marks)])


def _either(conditions: list[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _quoted(text: str) -> str:
    """A text as FTS5 takes it for one phrase, whatever is in it."""
    return '"' + text.replace('"', '""') + '"'


def _looked_up(
    rows: QuerySet[Generation], membership: Membership, wanted: list[Word], most: int, after: uuid.UUID | None
) -> QuerySet[Generation]:
    """First among the NEAR newest, one by one; only where these are too few the inverted indexes are asked.

    Both are one statement whose second part is not begun when the first is enough. The order of the second is one that
    no index has, so that nobody walks all rows in the hope of meeting a word that is rare; and it is one of the words,
    so that these may be put in order before their generations are looked at, not all generations before their words.
    """
    rows = rows.filter(reduce(and_, (_has(word) for word in wanted)))
    window = Generation.objects.filter(team=membership.team_id)
    if after:
        rows, window = rows.filter(id__lt=after), window.filter(id__lt=after)
    edge = Coalesce(
        Subquery(window.order_by("-id").values("id")[NEAR : NEAR + 1]), Value(NOTHING, UUIDField())
    )
    near = rows.filter(id__gt=edge).order_by("-id").values("pk")[:most]
    far = (
        rows.filter(id__lte=edge)
        .order_by(Cast("findable__generation_id", TextField()).desc())
        .values("pk")[:most]
    )
    both = near.union(far, all=True)[:most]
    return Generation.objects.filter(pk__in=both).order_by("-id")


def _has(word: Word) -> Q:
    found = Q()
    for way in word.ways:
        one = Q(findable__text__contains=way)
        if len(way) < 3 and not word.is_letter:
            one &= Q(HasPair(F("findable__text"), Value(way)))
        found |= one
    if word.marks:
        found |= Q(Holds(F("findable__marks"), F("findable__tags"), *map(Value, word.marks)))
    return found
