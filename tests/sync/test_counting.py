"""Finding a list's length by galloping: right for every length, from every guess, in few requests."""

import itertools
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kommo.crm.client import Page
from kommo.crm.errors import Nonsense
from kommo.sync.counting import PAGE, Ids, Length, measure

SAME = settings(deadline=None, derandomize=True)


class _List:
    """A list of so many rows that counts what it is asked."""

    def __init__(self, rows: int, *, eager: bool = False) -> None:
        self.rows, self.eager, self.asked = rows, eager, 0

    def __call__(self, number: int) -> Page:
        self.asked += 1
        here = min(max(self.rows - (number - 1) * PAGE, 0), PAGE)
        more = self.rows > number * PAGE or (self.eager and here == PAGE)
        return Page(list(range(here)), more, number)


@SAME
@given(st.integers(0, 200_000), st.integers(1, 2_000))
def test_every_length_from_every_guess(rows: int, guess: int) -> None:
    assert measure(_List(rows), guess) == Length(math.ceil(rows / PAGE), rows)


@SAME
@given(st.integers(0, 100_000))
def test_a_right_guess_is_one_request(rows: int) -> None:
    asked = _List(rows)
    measure(asked, max(math.ceil(rows / PAGE), 1))
    assert asked.asked == 1


@SAME
@given(st.integers(1, 100_000))
def test_from_nothing_it_takes_about_two_logarithms(rows: int) -> None:
    asked = _List(rows)
    measure(asked)
    assert asked.asked <= 2 * math.log2(math.ceil(rows / PAGE) + 1) + 3


@SAME
@given(st.integers(1, 100))
def test_a_full_last_page_that_links_on_is_told(pages: int) -> None:
    assert measure(_List(pages * PAGE, eager=True)) == Length(pages, pages * PAGE, cut=True)


def test_a_list_without_an_end_is_nonsense() -> None:
    """Kommo ignores the number of the page: it would be asked for ever, and no column would hold the count."""
    asked = _List(10**15)
    with pytest.raises(Nonsense):
        measure(asked)
    assert asked.asked < 30


class _Numbered(_List):
    """A list whose records have ids, `gaps` apart in turn."""

    def __init__(self, rows: int, gaps: list[int]) -> None:
        super().__init__(rows)
        self.ids = list(itertools.accumulate(itertools.islice(itertools.cycle(gaps), rows)))

    def __call__(self, number: int) -> Page:
        page = super().__call__(number)
        records = [SimpleNamespace(id=key) for key in self.ids[(number - 1) * PAGE : number * PAGE]]
        return Page(records, page.has_next, number)

    def newest(self) -> int | None:
        """The highest id: one request more."""
        self.asked += 1
        return self.ids[-1] if self.ids else None


@SAME
@given(st.integers(0, 60_000), st.integers(1, 300), st.lists(st.integers(1, 10_000), min_size=1, max_size=400))
def test_ids_never_lead_astray(rows: int, guess: int, gaps: list[int]) -> None:
    asked = _Numbered(rows, gaps)
    assert measure(asked, guess, Ids(asked.newest)) == Length(math.ceil(rows / PAGE), rows)


@SAME
@given(st.integers(1, 100_000), st.integers(1, 1000))
def test_even_ids_tell_the_end_in_three_requests(rows: int, gap: int) -> None:
    asked = _Numbered(rows, [gap])
    measure(asked, 1, Ids(asked.newest))
    assert asked.asked <= 3


def test_ids_that_become_rarer_cost_a_few_requests_more() -> None:
    """An import gave the first ones in a row; since then Kommo's other customers take most."""
    asked = _Numbered(0, [1])
    asked.rows, asked.ids = 60_000, [*range(1, 10_001), *range(20_000, 20_000 + 50_000 * 400, 400)]
    assert measure(asked, 1, Ids(asked.newest)) == Length(240, 60_000)
    assert asked.asked <= 14


@pytest.mark.parametrize("newest", [None, 0, 5])
def test_a_highest_id_that_cannot_be_is_no_help(newest: int | None) -> None:
    assert measure(_Numbered(5000, [3]), 1, Ids(lambda: newest)) == Length(20, 5000)
