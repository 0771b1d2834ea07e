"""A report as a table: the same texts for the page and for the file, so that neither shows what the other does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from generations.catalogue import load
from generations.models import State
from generations.reports import By, Row
from generations.views.spreadsheet import cell


@dataclass(frozen=True)
class Line:
    """One row: what it is about, a note that tells it from others of that name, where it leads, and its figures."""

    label: str
    note: str
    url: str
    currency: str
    figures: Sequence[str]


@dataclass(frozen=True)
class Table:
    """`has_notes`: the second column tells e-mail or slug."""

    about: str
    noted: str
    figures: Sequence[str]
    lines: Sequence[Line]
    totals: Sequence[Line]

    def heads(self) -> list[str]:
        noted = [self.noted] if self.noted else []
        return [self.about, *noted, _("Currency"), *self.figures]

    def cells(self) -> list[list[str]]:
        """Every row as the page shows it, the totals last."""
        return [
            [line.label, *([line.note] if self.noted else []), line.currency, *line.figures]
            for line in [*self.lines, *self.totals]
        ]


def names(by: By) -> tuple[str, str]:
    """What the first column is called, and the note beside it."""
    return {
        By.DAY: (_("Day"), ""),
        By.MEMBER: (_("Member"), _("Email")),
        By.MODEL: (_("Model"), _("API name")),
        By.KIND: (_("Kind"), ""),
        By.STATE: (_("State"), ""),
        By.TAG: (_("Tag"), ""),
    }[by]


def label(by: By, row: Row) -> str:
    """What a row is called."""
    if by is By.DAY:
        return f"{row.key:%Y-%m-%d}"
    if by is By.MEMBER:
        return row.name or row.email.partition("@")[0]
    if by is By.TAG:
        return row.name or _("No tag")
    return word(by, str(row.key))


def word(by: By, key: str) -> str:
    """What a model, a kind or a state is called."""
    if by is By.MODEL:
        try:
            return load.get(key).title
        except load.UnknownModel:
            return key
    if by is By.STATE:
        return str(State(key).label) if key in State.values else key
    return key.capitalize()


def table(rows: list[Row], by: By, address: Callable[[Row], str], whole: list[Row]) -> Table:
    """`address` tells where a row leads, "" for nowhere. `whole` is what all receipts come to."""
    about, noted = names(by)
    figures = [
        _("Generations"),
        _("Spent"),
        _("Charged"),
        _("Only estimated"),
        _("Ended without charge"),
        _("Cost unknown"),
    ]
    lines = [Line(label(by, row), _note(by, row), address(row), row.currency, _figures(row)) for row in rows]
    totals = [Line(_("Together"), "", "", row.currency, _figures(row)) for row in whole]
    return Table(about, noted, figures, lines, totals)


def _note(by: By, row: Row) -> str:
    return row.email if by is By.MEMBER else str(row.key) if by is By.MODEL else ""


def _figures(row: Row) -> list[str]:
    numbers = (row.made, row.spent, row.charged, row.estimated, row.free, row.unknown)
    return [cell(number) for number in numbers]
