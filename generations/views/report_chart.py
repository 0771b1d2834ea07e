"""The charts of a report: one of each currency, a column for each day or month, split by what the report is by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.reports import By, Row, Span
from generations.templatetags.ui import money
from generations.views import chart
from generations.views.report_table import label

Amounts = dict[tuple[date, Any], Decimal]


@dataclass(frozen=True)
class Drawing:
    """A chart with what it is called and what it tells, for those who do not see it."""

    currency: str
    title: str
    told: str
    chart: chart.Chart


def drawings(span: Span, by: By, rows: list[Row], drawn: dict[str, Amounts]) -> list[Drawing]:
    """A chart of each currency in which anything was spent."""
    names = {row.key: label(by, row) for row in rows} if by not in (By.DAY, By.TAG) else {}
    return [_drawing(span, currency, names, amounts) for currency, amounts in sorted(drawn.items())]


def _drawing(span: Span, currency: str, names: dict[Any, str], amounts: Amounts) -> Drawing:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    by_bucket: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for (bucket, key), spent in amounts.items():
        totals[str(key)] += spent
        by_bucket[bucket, str(key)] += spent
    texts = {str(key): name for key, name in names.items()}
    shown = chart.largest(totals)
    rest = [key for key in totals if key not in shown]
    series = [texts.get(key, key) or _("Spent") for key in shown] + ([_("Others")] if rest else [])
    columns = []
    for bucket in span.buckets():
        parts = [by_bucket[bucket, key] for key in shown]
        if rest:
            parts.append(sum((by_bucket[bucket, key] for key in rest), Decimal(0)))
        columns.append((_short(span, bucket), _read(span, bucket, series, parts, currency), parts))
    whole = sum(totals.values(), Decimal(0))
    words = {"total": money(whole, currency), "first": _day(span.first), "last": _day(span.last)}
    title = _("Spent per month") if span.is_drawn_by_month else _("Spent per day")
    told = _("From %(first)s to %(last)s: %(total)s in total.") % words
    return Drawing(currency, f"{title}, {currency}", told, chart.stacked(columns, series))


def _day(day: date) -> str:
    return date_format(day, "j F Y")


def _short(span: Span, bucket: date) -> str:
    return date_format(bucket, "M") if span.is_drawn_by_month else str(bucket.day)


def _read(span: Span, bucket: date, names: list[str], parts: list[Decimal], currency: str) -> str:
    when = date_format(bucket, "F Y" if span.is_drawn_by_month else "l j F")
    words = {"when": when, "total": money(sum(parts, Decimal(0)), currency)}
    split = [f"{name} {money(part, currency)}" for name, part in zip(names, parts, strict=True) if part]
    if not split:
        return _("%(when)s: nothing.") % words
    if len(names) == 1:
        return _("%(when)s: %(total)s.") % words
    return _("%(when)s: %(total)s. %(split)s.") % {**words, "split": ", ".join(split)}
