"""Finding a list's length by galloping: right for every length, from every guess, in few requests."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kommo.crm.client import Page
from kommo.crm.errors import Nonsense
from kommo.sync.counting import PAGE, Length, measure

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
