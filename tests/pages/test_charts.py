"""The chart of the months, as numbers: everything inside its frame, nothing on top of another."""

import pytest

from kommo.pages.charts import HEIGHT, compact, month_chart
from kommo.store.months import Month
from kommo.store.overview import MonthSums, Sum


def sums(*values: tuple[float, float]) -> list[MonthSums]:
    return [
        MonthSums(Month(2026, place + 1, 0.0, 1.0), Sum(1, won), Sum(1, lost), place == len(values) - 1)
        for place, (won, lost) in enumerate(values)
    ]


@pytest.mark.parametrize("top", [0.01, 1, 7, 99, 1234, 50_000, 1_547_410, 9e9, 1e15])
def test_the_chart_fits_its_frame_at_every_size(top: float) -> None:
    chart = month_chart(sums((top, top / 3), (0, top), (top / 1000, 0), (-top, top / 2)))
    assert chart is not None
    for column in chart.columns:
        for bar in (column.won, column.lost):
            assert 0 <= bar.y <= HEIGHT
            assert bar.y + bar.height == pytest.approx(HEIGHT)
            assert 0 <= bar.x <= bar.x + bar.width <= 100
    assert 2 <= len(chart.ticks) <= 5
    assert all(0 < tick.y < HEIGHT for tick in chart.ticks)
    assert chart.columns[0].won.height == pytest.approx(3 * chart.columns[0].lost.height)


@pytest.mark.parametrize("last", [(0, 0), (5, 5), (10, 9.9), (9.9, 10), (10, 0), (0.1, 0)])
def test_the_names_of_the_series_stay_apart_and_inside(last: tuple[float, float]) -> None:
    chart = month_chart(sums((10, 10), last))
    assert chart is not None
    assert abs(chart.won_y - chart.lost_y) >= 8.4
    assert min(chart.won_y, chart.lost_y) > 0
    assert max(chart.won_y, chart.lost_y) <= HEIGHT
    if abs(last[0] - last[1]) > 2:
        assert (chart.won_y < chart.lost_y) == (last[0] > last[1])


def test_there_is_no_chart_of_nothing() -> None:
    assert month_chart(sums((0, 0), (0, 0))) is None
    assert month_chart([]) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(500, "500"), (0.5, "0,50"), (50_000, "50 mil"), (2_500, "2,5 mil"), (1_500_000, "1,5 mi"), (2e9, "2 bi")],
)
def test_round_amounts_in_few_letters(value: float, words: str) -> None:
    assert compact(value).replace("\u00a0", " ") == words
