"""The chart of the last hour's requests, as numbers: a bar a minute, its parts on top of one another."""

import itertools

import pytest

from kommo.pages.charts import HEIGHT
from kommo.pages.use_chart import UseChart, use_chart
from kommo.store.use import Minute, Used


def made(*used: Used) -> UseChart:
    found = use_chart([Minute(60 * place, each) for place, each in enumerate(used)])
    assert found is not None
    return found


@pytest.mark.parametrize("most", [1, 3, 10, 99, 360, 420, 10_000])
def test_all_stays_in_its_frame(most: int) -> None:
    found = made(Used(sync=most), Used(sync=most // 2, page=most // 3, api=1), Used())
    for bar in found.minutes:
        for _, part in bar.parts:
            assert 0 <= part.y <= part.y + part.height <= HEIGHT + 1e-9
            assert 0 <= part.x <= part.x + part.width <= 100
    assert 1 <= len(found.ticks) <= 5
    assert all(0 < tick.y < HEIGHT for tick in found.ticks)


def test_the_parts_stand_on_one_another_and_are_as_high_as_their_counts() -> None:
    sync, page, api = (part for _, part in made(Used(sync=120, page=30, api=60)).minutes[0].parts)
    assert sync.y + sync.height == pytest.approx(HEIGHT)
    assert page.y + page.height == pytest.approx(sync.y)
    assert api.y + api.height == pytest.approx(page.y)
    assert (sync.height, api.height) == (pytest.approx(4 * page.height), pytest.approx(2 * page.height))


def test_who_did_not_ask_has_no_part() -> None:
    found = made(Used(api=5), Used(refused=3), Used(page=1, sync=2))
    assert [[purpose for purpose, _ in bar.parts] for bar in found.minutes] == [["api"], [], ["sync", "page"]]


def test_one_request_is_not_drawn_as_many() -> None:
    (_, part), *_ = made(Used(page=1)).minutes[0].parts
    assert part.height < 10


def test_bars_do_not_touch() -> None:
    bars = [bar.parts[0][1] for bar in made(*[Used(sync=1)] * 60).minutes]
    assert all(before.x + before.width < after.x for before, after in itertools.pairwise(bars))


def test_there_is_no_chart_of_nothing() -> None:
    assert use_chart([Minute(0, Used(refused=1)), Minute(60, Used())]) is None
    assert use_chart([]) is None
