"""The geometry of a bar chart: shapes for an <svg> that stretches, words for the lines beside it.

The box is 10 units wide for each column and 100 high; y grows downwards, as in SVG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

STEPS = 4
SERIES = 5


@dataclass(frozen=True)
class Bar:
    """One coloured part of a column. The numbers are texts with a point, ready for attributes."""

    series: int
    x: str
    y: str
    height: str


@dataclass(frozen=True)
class Column:
    label: str
    read: str
    x: int
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Chart:
    """`ticks` are the amounts beside the lines, from the top down; `names` the series in order of size."""

    columns: Sequence[Column]
    ticks: Sequence[Decimal]
    names: Sequence[str]

    @property
    def width(self) -> int:
        return 10 * len(self.columns)


def largest(totals: Mapping[str, Decimal]) -> list[str]:
    """The names that get a colour of their own, largest first; past five, the fifth is for the rest."""
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    return ranked if len(ranked) <= SERIES else ranked[: SERIES - 1]


def stacked(columns: Sequence[tuple[str, str, Sequence[Decimal]]], names: Sequence[str]) -> Chart:
    """A chart of (label, what to read out, amount of each series) columns."""
    top = ceiling(max((sum(amounts, Decimal(0)) for _, _, amounts in columns), default=Decimal(0)))
    drawn = []
    for place, (label, read, amounts) in enumerate(columns):
        bars, below = [], Decimal(0)
        for series, amount in enumerate(amounts, start=1):
            if amount > 0:
                height = 100 * amount / top
                below += height
                bars.append(Bar(series, f"{10 * place + 1.6:.1f}", f"{100 - below:.2f}", f"{height:.2f}"))
        drawn.append(Column(label, read, 10 * place, bars))
    return Chart(drawn, [top * (STEPS - step) / STEPS for step in range(STEPS + 1)], names)


def ceiling(highest: Decimal) -> Decimal:
    """A round number not below `highest` that four steps divide well: 1, 2, 4 or 8 times a power of ten."""
    if highest <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(highest.adjusted())
    for step in (1, 2, 4, 8, 10):
        if highest <= step * power:
            return step * power
    return (highest / power).to_integral_value(rounding=ROUND_CEILING) * power
