"""The geometry of the chart of won and lost by month, as numbers; a template draws them as SVG.

Widths and heights are shares of the whole (percent), so that the chart grows with the page and its words do not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kommo.store.overview import MonthSums
from kommo.text import number

HEIGHT = 100.0  # percent from the top to the base line
MONTHS = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")
LONG_MONTHS = (
    "janeiro", "fevereiro", "março", "abril", "maio", "junho",
    "julho", "agosto", "setembro", "outubro", "novembro", "dezembro",
)  # fmt: skip
_TOP = 7.0  # how far down the words at the right stand at least: they end inside of the chart
_APART = 8.5  # between those words, at least: a line's height in the lowest chart
_BARS = ((0.14, 0.44), (0.62, 0.24))  # of a month's width: where the bars of won and of lost begin, how wide they are


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: left edge, width, upper edge and height in percent."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One month: its two bars, its label at `x` percent, and what its numbers are."""

    won: Bar
    lost: Bar
    x: float
    label: str
    sums: MonthSums


@dataclass(frozen=True, slots=True)
class Tick:
    """A faint line at `y` percent with its words."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All of it; `won_y` and `lost_y` are where the two series are named, at the right of their last bars."""

    columns: list[Column]
    ticks: list[Tick]
    won_y: float
    lost_y: float


def month_chart(months: Sequence[MonthSums]) -> Chart | None:
    """The chart of the values by month; None where nothing was closed in any of them."""
    top = max((max(month.won.value, month.lost.value) for month in months), default=0.0)
    if top <= 0:
        return None
    apart = step(top)
    scale = HEIGHT / max(top * 1.06, apart)
    columns = [_column(place, len(months), month, scale) for place, month in enumerate(months)]
    ticks = [Tick(HEIGHT - n * apart * scale, compact(n * apart)) for n in range(1, int(top * 1.06 / apart) + 1)]
    return Chart(columns, ticks, *_named(columns[-1]))


def compact(value: float) -> str:
    """A round amount in few letters: "500", "50 mil", "1,5 mi"."""
    for size, word in ((1e9, "bi"), (1e6, "mi"), (1e3, "mil")):
        if value >= size:
            found = value / size
            return f"{number(found, 0 if found == int(found) else 1)}\u00a0{word}"
    return number(value, 0 if value == int(value) else 2)


def _column(place: int, count: int, month: MonthSums, scale: float) -> Column:
    wide = 100 / count
    won, lost = (
        Bar(
            x=(place + begin) * wide,
            width=share * wide,
            y=HEIGHT - max(value, 0.0) * scale,
            height=max(value, 0.0) * scale,
        )
        for (begin, share), value in zip(_BARS, (month.won.value, month.lost.value), strict=True)
    )
    return Column(won, lost, (place + 0.5) * wide, MONTHS[month.month.month - 1], month)


def step(top: float) -> float:
    """A round distance between the lines, three or four of them up to `top`."""
    size: float = 10.0 ** math.floor(math.log10(top / 3))
    return next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor * 4 >= top)


def _named(last: Column) -> tuple[float, float]:
    """Where to name the two series so that the words stay apart and inside."""
    won, lost = max(last.won.y, _TOP), max(last.lost.y, _TOP)
    if abs(won - lost) < _APART:
        middle = min(max((won + lost) / 2, _TOP + _APART / 2), HEIGHT - _APART / 2)
        above = -1 if won <= lost else 1
        won, lost = middle + above * _APART / 2, middle - above * _APART / 2
    return min(won, HEIGHT), min(lost, HEIGHT)
