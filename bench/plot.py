"""Small charts as SVG: one for each measure, its value a row over the number of rows, both on logarithmic scales."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from kommo.text import number

WIDTH, HEIGHT, COLUMNS = 260, 180, 3  # of one chart, pixels; charts side by side
_LEFT, _RIGHT, _TOP, _BOTTOM = 16, 16, 46, 26  # room around a chart's lines
_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #4b5563 }
.title { font-weight: 600; font-size: 12px; fill: #111827 }
.line { fill: none; stroke: #2563eb; stroke-width: 2 }
.dot { fill: #2563eb }
.level { stroke: #9ca3af; stroke-dasharray: 3 3 }
.back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #9ca3af }
.title { fill: #f3f4f6 }
.line { stroke: #60a5fa }
.dot { fill: #60a5fa }
.level { stroke: #6b7280 }
.back { fill: #111827 }
}
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """A measure: its title, its unit, and its value at each number of rows."""

    title: str
    unit: str
    values: Sequence[float]


def svg(rows: Sequence[int], curves: Sequence[Curve], description: str) -> str:
    """All charts in one picture. A line that does not rise tells that the measure grows no faster than the rows."""
    high = math.ceil(len(curves) / COLUMNS) * HEIGHT
    charts = "".join(_chart(rows, curve, place) for place, curve in enumerate(curves))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * WIDTH} {high}" role="img">'
        f"<title>{escape(description)}</title><style>{_STYLE}</style>"
        f'<rect class="back" width="100%" height="100%"/>{charts}</svg>\n'
    )


def _chart(rows: Sequence[int], curve: Curve, place: int) -> str:
    each = [max(value, 1e-9) / count * 1000 for value, count in zip(curve.values, rows, strict=True)]
    across = _scale([math.log(count) for count in rows], _LEFT, WIDTH - _RIGHT)
    # Three decades in all charts, so that slopes can be compared; the highest value stands at the top.
    bottom, top = math.log10(max(each)) - 3, math.log10(max(each))
    down = [_TOP + (top - max(math.log10(one), bottom)) / 3 * (HEIGHT - _TOP - _BOTTOM) for one in each]
    points = [f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True)]
    dots = "".join(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in zip(across, down, strict=True))
    ends = _label(across[0], HEIGHT - 8, number(rows[0]), "start") + _label(
        across[-1], HEIGHT - 8, number(rows[-1]), "end"
    )
    first, last = (f"{_short(each[at])} {curve.unit}" for at in (0, -1))
    head = f'<text class="title" x="{_LEFT}" y="16">{escape(curve.title)}</text>'
    said = _label(_LEFT, 32, f"por 1.000 linhas: de {first} a {last}", "start")
    level = f'<line class="level" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{down[0]:.1f}" y2="{down[0]:.1f}"/>'
    drawn = f'{level}<polyline class="line" points="{" ".join(points)}"/>{dots}'
    x, y = place % COLUMNS * WIDTH, place // COLUMNS * HEIGHT
    return f'<g transform="translate({x} {y})">{head}{said}{drawn}{ends}</g>'


def _scale(values: list[float], start: float, end: float) -> list[float]:
    low, high = min(values), max(values)
    return [start + (value - low) / ((high - low) or 1) * (end - start) for value in values]


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(value: float) -> str:
    """A value in about three digits."""
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 4)
