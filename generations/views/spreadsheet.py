"""Tables as CSV, sent while they are read.

Texts of people and of upstream are data and never formulas: one that a spreadsheet would reckon with gets an
apostrophe in front. Amounts are plain decimals with all their digits. A byte order mark tells Excel that it is UTF-8.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse

FORMULA = "=+-@\t\r\n＝＋－＠"
"""The wide ones are the same to some spreadsheets."""
AT_ONCE = 200


class _Echo:
    def write(self, line: str) -> str:
        return line


def plain(amount: Decimal | None) -> str:
    """All digits of an amount, two after the point at least: `1204.50`, `0.0035`. Empty where it is not known."""
    return "" if amount is None else f"{amount.normalize() + Decimal('0.00'):f}"


def cell(value: Any) -> str:
    """How a value stands in a file."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if value is None or isinstance(value, int | date):
        return "" if value is None else str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ")[:1] in tuple(FORMULA) else text


def download(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """The table as a file of this name."""
    return StreamingHttpResponse(
        _lines(heads, rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _lines(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([cell(head) for head in heads])
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield "".join(writer.writerow([cell(value) for value in row]) for row in some)
