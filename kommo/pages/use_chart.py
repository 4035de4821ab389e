"""The geometry of the chart of the last hour's requests: one bar a minute, stacked by who asked; all in percent."""

from collections.abc import Sequence
from dataclasses import dataclass

from kommo.pages.charts import HEIGHT, Bar, Tick, compact, step
from kommo.store.use import PURPOSES, Minute

_GAP = 0.18  # of a minute's width between two bars
_LEAST = 10.0  # requests; a chart of fewer would make one request look like many


@dataclass(frozen=True, slots=True)
class MinuteBar:
    """One minute's bars, the lowest first, each with the purpose it stands for; none where nothing was asked."""

    minute: Minute
    parts: list[tuple[str, Bar]]


@dataclass(frozen=True, slots=True)
class UseChart:
    """All minutes, the oldest first, and the faint lines behind them."""

    minutes: list[MinuteBar]
    ticks: list[Tick]


def use_chart(minutes: Sequence[Minute]) -> UseChart | None:
    """The chart of these minutes; None where nothing was asked in any of them."""
    most = max((minute.used.total for minute in minutes), default=0)
    if not most:
        return None
    top = max(float(most), _LEAST)
    apart = step(top)
    scale = HEIGHT / (top * 1.06)
    bars = [_bar(place, len(minutes), minute, scale) for place, minute in enumerate(minutes)]
    return UseChart(
        bars, [Tick(HEIGHT - n * apart * scale, compact(n * apart)) for n in range(1, int(top / apart) + 1)]
    )


def _bar(place: int, count: int, minute: Minute, scale: float) -> MinuteBar:
    wide, below, parts = 100 / count, HEIGHT, []
    for purpose in PURPOSES:
        height = getattr(minute.used, purpose) * scale
        if height:
            below -= height
            parts.append((purpose, Bar((place + _GAP / 2) * wide, (1 - _GAP) * wide, below, height)))
    return MinuteBar(minute, parts)
