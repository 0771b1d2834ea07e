"""Finding: filters, text search, orders and pages of a team's generations.

Pages are cut by the value that orders them and the id, so page 500 costs what page 1 costs; nothing is ever counted.
A cursor says both, so a page goes on where the one before ended, whatever became of that row since.
Each filter and each order walks an index of its own and stops when the page is full.
"""

from __future__ import annotations

import math
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    BooleanField,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    UUIDField,
    Value,
    prefetch_related_objects,
)

from accounts.models import Membership
from accounts.models.money import MICRO
from generations import searching
from generations.models import (
    CollectionItem,
    Favourite,
    Generation,
    Given,
    Output,
    Rows,
    State,
    Tagging,
    VoiceUse,
    since,
)

PAGE = 24
HEAVY = ("search_text", "results", "error_detail", "request_digest")
LISTED = Output.objects.only(
    *("generation", "index", "kind", "extension", "text", "bytes", "duration", "sample_rate"),
    *("width", "height", "poster", "peaks_row", "is_keeper"),
)
"""What a line shows of its outputs."""
SORTED_AMONG = 5000
"""Of what words find so many of the newest are put into another order."""
BETWEEN = "~"
"""Stands in a cursor between the id and the value, and is in no id."""


class BadCursor(ValueError):
    """The cursor is none that a page gave."""


@dataclass(frozen=True)
class Order:
    """`column` decides, then the id. Rows without a value are left out where `has_gaps`."""

    column: str = ""
    descending: bool = True
    has_gaps: bool = False


SORTS = {
    "newest": Order(),
    "oldest": Order(descending=False),
    "title": Order("title", descending=False),
    "longest": Order("length", has_gaps=True),
    "rating": Order("rating"),
    "cost": Order("cost_counted"),
}


@dataclass(frozen=True)
class Filter:
    """What to show, and in which order. Empty means everything, newest first."""

    q: str = ""
    model: str = ""
    author: int | None = None
    status: str = ""
    kind: str = ""
    voice: uuid.UUID | None = None
    """A voice of the team that spoke."""
    tag: int | None = None
    collection: uuid.UUID | None = None
    favourite: bool = False
    """Starred by whoever asks."""
    rating: int | None = None
    length: int | None = None
    """The class of its length, as `length_class`."""
    cost: int | None = None
    approved: bool = False
    private: bool = False
    start: datetime | None = None
    end: datetime | None = None
    """Made from `start` on and before `end`."""
    sort: str = "newest"

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) not in ("", None, False) for f in fields(self) if f.name != "sort")

    @property
    def order(self) -> Order:
        return SORTS.get(self.sort, SORTS["newest"])

    @property
    def is_partly_sorted(self) -> bool:
        """Whether only the newest of what the words find are in the order asked for."""
        return bool(self.q.split()) and self.sort != "newest"


@dataclass(frozen=True)
class Place:
    """Where a page ends: the id of its last row, and what orders that row where it is not time."""

    pk: uuid.UUID
    value: Any = None


@dataclass(frozen=True)
class Page:
    """One page in the order of the filter. `next_cursor` is empty on the last."""

    items: list[Generation]
    next_cursor: str


class Beyond(Func):
    """Whether one pair of values comes before another, in the way in which an index of both can tell."""

    template = "(%(expressions)s)"
    output_field = BooleanField()

    def __init__(self, *pairs: Any, descending: bool = True) -> None:
        super().__init__(*pairs)
        self.sign = "<" if descending else ">"

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:  # type: ignore[override]
        parts = [compiler.compile(one) for one in self.get_source_expressions()]
        a, b, c, d = (sql for sql, _params in parts)
        return f"({a}, {b}) {self.sign} ({c}, {d})", [param for _sql, params in parts for param in params]


def shelf(membership: Membership, without: Collection[uuid.UUID] = ()) -> QuerySet[Generation]:
    """All that this member sees in the library, in no order: nothing that lies in the trash.

    `without` are those that are not for whoever asks: few, so that they are named one by one.
    """
    rows = Generation.objects.seen_by(membership).filter(trashed_at=None)
    return rows.exclude(pk__in=without) if without else rows


def find(
    membership: Membership,
    wanted: Filter,
    without: Collection[uuid.UUID] = (),
    after: Place | None = None,
    most: int = PAGE,
) -> QuerySet[Generation]:
    """What fits of the member's library, in the order asked for; no more than `most` where words are looked for.

    `after` is the row where the page before ended.
    """
    order = wanted.order
    rows = _plain(shelf(membership, without), wanted)
    words = searching.words(membership, wanted.q)
    by_time = not order.column
    if words:
        narrowed = _joined(rows, membership, wanted)
        if wanted.sort == "newest":
            return searching.newest(narrowed, membership, words, most, after.pk if after else None)
        among = searching.newest(narrowed, membership, words, SORTED_AMONG, None)
        rows = Generation.objects.filter(pk__in=among.values("pk"))
    elif by_time:
        return _walked(rows, membership, wanted, after)
    else:
        rows = _joined(rows, membership, wanted)
    if order.has_gaps:
        rows = rows.exclude(**{order.column: None})
    sign = "-" if order.descending else ""
    if after and by_time:
        rows = rows.filter(**{f"id__{'lt' if order.descending else 'gt'}": after.pk})
    elif after:
        field: Any = Generation._meta.get_field(order.column)
        value = Value(after.value, field.output_field if field.generated else field)
        last = (value, Value(after.pk, UUIDField()))
        rows = rows.filter(Beyond(F(order.column), F("id"), *last, descending=order.descending))
    return rows.order_by(*([f"{sign}{order.column}"] if order.column else []), f"{sign}id")


def page(
    membership: Membership,
    wanted: Filter,
    cursor: str = "",
    size: int = PAGE,
    without: Collection[uuid.UUID] = (),
    fields: Collection[str] = (),
) -> Page:
    """The page after `cursor` with authors and outputs loaded, in a fixed number of queries; only `fields`, if any,
    and then only what a line shows of the outputs, as `listed_outputs`.

    Raises `BadCursor` when the cursor is not one of ours.
    """
    after = _last(membership, wanted, cursor) if cursor else None
    rows = find(membership, wanted, without, after, size + 1)
    rows = rows.select_related("author")
    if fields:
        rows = rows.only(*fields, *filter(None, [wanted.order.column]))
    else:
        rows = rows.defer(*HEAVY).prefetch_related("outputs")
    items = list(rows[: size + 1])
    if fields:
        _list_outputs(items[:size])
    return Page(items[:size], cursor_at(items[size - 1], wanted.order) if len(items) > size else "")


def _list_outputs(generations: Sequence[Generation]) -> None:
    """As `prefetch_related` would, put into words once for every page of the usual size."""
    if len(generations) > PAGE:
        prefetch_related_objects(generations, Prefetch("outputs", LISTED, to_attr="listed_outputs"))
        return
    by_id: dict[uuid.UUID, list[Output]] = {one.pk: [] for one in generations}
    # What is left over of the places asks for the first one again.
    pks = [*by_id, *([next(iter(by_id))] * (PAGE - len(by_id)))] if by_id else []
    for output in _listed(**{str(place): pk for place, pk in enumerate(pks)}) if pks else ():
        by_id[output.generation_id].append(output)
    for one in generations:
        setattr(one, "listed_outputs", by_id[one.pk])  # noqa: B010 - an attribute that the model does not declare


@Rows
def _listed() -> QuerySet[Output]:
    places: list[Any] = [Given(str(place)) for place in range(PAGE)]
    return LISTED.filter(reduce(or_, (Q(generation=place) for place in places)))


def stamps_query(
    membership: Membership,
    wanted: Filter,
    cursor: str,
    columns: Sequence[str],
    size: int = PAGE,
    without: Collection[uuid.UUID] = (),
) -> QuerySet[Generation, Any]:
    """These columns of the rows of `page` and of the one after it. Raises `BadCursor`."""
    after = _last(membership, wanted, cursor) if cursor else None
    return find(membership, wanted, without, after, size + 1).values_list(*columns)[: size + 1]


def cursor_at(row: Generation, order: Order) -> str:
    """The cursor of a page that ends with this row; short enough for an address even with the longest title."""
    if not order.column:
        return row.id.hex
    return f"{row.id.hex}{BETWEEN}{_told(order.column, getattr(row, order.column))}"


def _last(membership: Membership, wanted: Filter, cursor: str) -> Place:
    """Where the page before ended. Of the id alone, which is what cursors once were, the value is looked up."""
    column = wanted.order.column
    name, separate, told = cursor.partition(BETWEEN)
    try:
        pk = uuid.UUID(name)
        if separate:
            return Place(pk, _value(column, told))
    except (ValueError, OverflowError):
        raise BadCursor(cursor) from None
    if not column:
        return Place(pk)
    rows = Generation.objects.filter(team=membership.team_id, pk=pk)
    value = rows.values_list(column, flat=True).first()
    if value is None:
        raise BadCursor(cursor)
    return Place(pk, value)


def _told(column: str, value: Any) -> str:
    """What orders a row, as `_value` reads the very same: `repr` of a float is exact, money is whole millionths."""
    if column == "title":
        return urlsafe_b64encode(value.encode()).decode().rstrip("=")
    return str(int(value / MICRO)) if column == "cost_counted" else repr(value)


def _value(column: str, told: str) -> Any:
    """Raises `ValueError` or `OverflowError` for what no row of any database could have."""
    value: Any = None
    possible = False
    if column == "title":
        value = urlsafe_b64decode(told + "==").decode()
        possible = "\x00" not in value
    elif column == "length":
        value = float(told)
        possible = math.isfinite(value)
    elif column == "rating":
        value = int(told)
        possible = 0 <= value <= 5
    elif column == "cost_counted":
        value = int(told) * MICRO
        possible = abs(int(told)) < 1 << 63
    if not possible:
        raise ValueError(told)
    return value


def _plain(rows: QuerySet[Generation], wanted: Filter) -> QuerySet[Generation]:
    """The filters that the row itself answers."""
    same: dict[str, Any] = {
        "model": wanted.model or None,
        "author": wanted.author,
        "kind": wanted.kind or None,
        "rating": wanted.rating,
        "length_class": wanted.length,
        "cost_class": wanted.cost,
    }
    rows = rows.filter(**{name: value for name, value in same.items() if value is not None})
    if wanted.status:
        rows = rows.filter(status=wanted.status) if wanted.status in State.values else rows.none()
    if wanted.approved:
        rows = rows.filter(approved_at__isnull=False)
    if wanted.private:
        rows = rows.filter(is_private=True)
    return rows


def _joins(membership: Membership, wanted: Filter) -> list[tuple[str, str, Any, type[Any]]]:
    """The filters that another table answers: by which relation, its column, the value, the table. What usually has
    the fewest rows comes first, because a page is read along the first.
    """
    found: list[tuple[str, str, Any, type[Any]]] = []
    if wanted.collection:
        found.append(("collected", "collection", wanted.collection, CollectionItem))
    if wanted.voice:
        found.append(("voice_use", "voice", wanted.voice, VoiceUse))
    if wanted.favourite:
        found.append(("favourites", "user", membership.user_id, Favourite))
    if wanted.tag is not None:
        found.append(("taggings", "tag", wanted.tag, Tagging))
    return found


def _exists(column: str, value: Any, table: type[Any]) -> Exists:
    return Exists(table.objects.filter(generation=OuterRef("pk"), **{column: value}))


def _joined(rows: QuerySet[Generation], membership: Membership, wanted: Filter) -> QuerySet[Generation]:
    """With the filters of other tables and of time, for rows that are found or ordered by something else."""
    for _relation, column, value, table in _joins(membership, wanted):
        rows = rows.filter(_exists(column, value, table))
    return rows.filter(_made("id", wanted, None))


def _walked(
    rows: QuerySet[Generation], membership: Membership, wanted: Filter, after: Place | None
) -> QuerySet[Generation]:
    """By time. Where another table has a filter, along that one: its rows know the id, which is the time."""
    path, spine = "id", Q()
    for relation, column, value, table in _joins(membership, wanted):
        if path == "id":
            path, spine = f"{relation}__generation_id", Q(**{f"{relation}__{column}": value})
        else:
            rows = rows.filter(_exists(column, value, table))
    rows = rows.filter(spine & _made(path, wanted, after))
    return rows.order_by(f"{'-' if wanted.order.descending else ''}{path}")


def _made(path: str, wanted: Filter, after: Place | None) -> Q:
    """Between two moments, and beyond the last row of the page before: both are ranges of ids."""
    made = Q()
    if wanted.start:
        made &= Q(**{f"{path}__gte": since(wanted.start)})
    if wanted.end:
        made &= Q(**{f"{path}__lt": since(wanted.end)})
    if after:
        made &= Q(**{f"{path}__{'lt' if wanted.order.descending else 'gt'}": after.pk})
    return made
