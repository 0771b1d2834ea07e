"""Where the money goes: sums over the receipts of a span of days, and those receipts themselves.

Sums are of one currency each. `spent` is what counts against allowances, `Generation.cost_counted`; it is always
`charged` plus `estimated`. Each function is one query over the receipts of the span, which the database finds by index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncMonth
from django.utils import timezone

from accounts.models import Membership, Period, Team
from generations.models import Generation, Tag, Tagging
from generations.quota import ZERO

ENDED_BADLY = Q(status__in=["failed", "cancelled"])
DAYS_DRAWN = 62
"""A chart of more days has a column for each month."""
RECEIPT = (
    "id", "created_at", "author__name", "author__email", "model", "kind", "status", "currency", "cost_estimated",
    "cost_actual", "cost_counted", "upstream_id", "consume_money", "consume_coins", "task_cost_time",
    "third_party_consume_money",
)  # fmt: skip


class By(StrEnum):
    """What a report has a row for."""

    DAY = "day"
    MEMBER = "member"
    MODEL = "model"
    KIND = "kind"
    STATE = "state"
    TAG = "tag"
    """A generation counts under each of its tags, so these rows may add up to more than was spent."""


@dataclass(frozen=True)
class Span:
    """Days of the calendar of `zone`, both included."""

    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def of(cls, period: Period, team: Team, now: datetime | None = None) -> Span:
        """The running week or month of the team."""
        start, end = period.bounds(now or timezone.now(), team.zone)
        assert start and end  # noqa: PT018, S101 - "ever" is no span
        return cls(start.date(), end.date() - timedelta(days=1), team.zone)

    @classmethod
    def month_before(cls, team: Team, now: datetime | None = None) -> Span:
        """The last month that is over on the clock of the team."""
        last = cls.of(Period.MONTH, team, now).first - timedelta(days=1)
        return cls(last.replace(day=1), last, team.zone)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """From the first moment, included, to the last one, excluded."""
        after = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), self.zone), datetime.combine(after, time(), self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_drawn_by_month(self) -> bool:
        return self.days > DAYS_DRAWN

    def buckets(self) -> list[date]:
        """The first day of each column of a chart."""
        if not self.is_drawn_by_month:
            return [self.first + timedelta(days=n) for n in range(self.days)]
        found = [self.first.replace(day=1)]
        while (after := (found[-1] + timedelta(days=32)).replace(day=1)) <= self.last:
            found.append(after)
        return found


@dataclass(frozen=True)
class Wanted:
    """Which receipts of a team: those of a span, and of it those that fit everything that is given."""

    span: Span
    author: int | None = None
    model: str = ""
    kind: str = ""
    state: str = ""
    tag: int | None = None


@dataclass(frozen=True)
class Row:
    """One row of a report. `key` is the day, the id of user or tag, the slug, the kind or the state; None: all
    together, or without a tag.

    `free` ended badly and cost nothing; of `unknown` neither estimate nor charge is known, so they count as nothing
    as yet. `name` is that of a member or tag, `email` a member's.
    """

    key: Any
    currency: str
    made: int
    spent: Decimal
    charged: Decimal
    estimated: Decimal
    free: int
    unknown: int
    name: str = ""
    email: str = ""


SUMS: dict[str, Any] = {
    "made": Count("id"),
    "spent": Sum("cost_counted"),
    "charged": Sum("cost_actual"),
    "estimated": Sum("cost_counted", filter=Q(cost_actual=None)),
    "free": Count("id", filter=ENDED_BADLY & Q(cost_counted=0)),
    "unknown": Count("id", filter=~ENDED_BADLY & Q(cost_actual=None, cost_estimated=None)),
}
KEYS: dict[By, dict[str, Any]] = {
    By.MEMBER: {"key": F("author_id"), "name": F("author__name"), "email": F("author__email")},
    By.MODEL: {"key": F("model")},
    By.KIND: {"key": F("kind")},
    By.STATE: {"key": F("status")},
    By.TAG: {"key": F("taggings__tag"), "name": F("taggings__tag__name")},
}


def receipts(team: Team, wanted: Wanted) -> QuerySet[Generation]:
    """The rows that a report sums up; what was imported is no receipt."""
    start, end = wanted.span.bounds
    rows = Generation.objects.filter(team=team, created_at__gte=start, created_at__lt=end).exclude(
        currency=""
    )
    given = {"author": wanted.author, "model": wanted.model, "kind": wanted.kind, "status": wanted.state}
    rows = rows.filter(**{field: value for field, value in given.items() if value})
    return (
        rows.filter(pk__in=Tagging.objects.filter(tag=wanted.tag).values("generation"))
        if wanted.tag
        else rows
    )


def rows(team: Team, wanted: Wanted, by: By) -> list[Row]:
    """A row for each day in order, else for each member, model, kind, state or tag, the most expensive first.

    Amounts of two currencies are two rows. Days without receipts are left out.
    """
    keys = KEYS.get(by) or {"key": TruncDate("created_at", tzinfo=wanted.span.zone)}
    found = receipts(team, wanted).order_by().values("currency", **keys).annotate(**SUMS)
    made = [_row(dict(one)) for one in found]
    if by is By.DAY:
        return sorted(made, key=lambda row: (row.key, row.currency))
    return sorted(made, key=lambda row: (row.currency, -row.spent, str(row.name), str(row.key)))


def together(some: list[Row]) -> list[Row]:
    """The sum of these rows, one for each currency."""
    sums: dict[str, Row] = {}
    for row in some:
        so_far = sums.get(row.currency, Row(None, row.currency, 0, ZERO, ZERO, ZERO, 0, 0))
        sums[row.currency] = Row(
            key=None,
            currency=row.currency,
            made=so_far.made + row.made,
            spent=so_far.spent + row.spent,
            charged=so_far.charged + row.charged,
            estimated=so_far.estimated + row.estimated,
            free=so_far.free + row.free,
            unknown=so_far.unknown + row.unknown,
        )
    return [sums[currency] for currency in sorted(sums)]


def drawn(team: Team, wanted: Wanted, by: By) -> dict[str, dict[tuple[date, Any], Decimal]]:
    """What a chart shows: for each currency the money of each column and key.

    By day and by tag there is one key, "", because what has two tags is drawn once.
    """
    trunc = TruncMonth if wanted.span.is_drawn_by_month else TruncDate
    keys = {"key": KEYS[by]["key"]} if by in KEYS and by is not By.TAG else {}
    cut: dict[str, Any] = {"bucket": trunc("created_at", tzinfo=wanted.span.zone), **keys}
    asked = receipts(team, wanted).filter(cost_counted__gt=0).order_by()
    found: dict[str, dict[tuple[date, Any], Decimal]] = {}
    for row in asked.values("currency", **cut).annotate(spent=Sum("cost_counted")):
        one: dict[str, Any] = dict(row)
        bucket = one["bucket"].date() if isinstance(one["bucket"], datetime) else one["bucket"]
        found.setdefault(one["currency"], {})[bucket, one.get("key", "")] = one["spent"]
    return found


def each(team: Team, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    """The receipts one by one, oldest first: the values of RECEIPT. However many, only a part is in memory."""
    rows = receipts(team, wanted).order_by("created_at", "id").values_list(*RECEIPT)
    return rows.iterator(chunk_size=2000)


def authors(team: Team) -> list[Membership]:
    """Everybody who is or was in the team, by name: receipts outlast memberships."""
    found = Membership.objects.filter(team=team).select_related("user")
    return sorted(found, key=lambda row: (row.user.display_name.casefold(), row.pk))


def tags(team: Team) -> list[Tag]:
    """The tags of the team, by name."""
    return list(Tag.objects.filter(team=team).order_by("folded"))


def _row(one: dict[str, Any]) -> Row:
    return Row(
        key=one["key"],
        currency=one["currency"],
        made=one["made"],
        spent=one["spent"] or ZERO,
        charged=one["charged"] or ZERO,
        estimated=one["estimated"] or ZERO,
        free=one["free"],
        unknown=one["unknown"],
        name=one.get("name") or "",
        email=one.get("email") or "",
    )
