"""How many records a list holds: Kommo gives no totals, so its last page is looked for, by ids where they help."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from kommo.crm.client import Page
from kommo.crm.errors import Nonsense

PAGE = 250  # rows: the most Kommo gives at once
MOST_PAGES = 2**31 // PAGE  # 2,147,483,500 rows: more than any account has, and what the counts' columns hold
_GUESSES = 6  # made of ids; where ids are so uneven that these do not help, halving does
_FARTHEST = 64  # times as far as known so far: nobody says what Kommo makes of a page in the millions


@dataclass(frozen=True, slots=True)
class Length:
    """A list's last page (0 where it is empty) and how many rows stand in all.

    `cut` tells that the last page links a next one, which is empty: maybe Kommo gives no page beyond it.
    """

    pages: int
    rows: int
    cut: bool = False


class Ids:
    """Where a list sorted by id may end, told from the pages read so far and from its highest id."""

    def __init__(self, newest: Callable[[], int | None]) -> None:
        self._newest = newest
        self._asked = False
        self._top: int | None = None
        self._first: tuple[int, int] | None = None  # page number and first id of the lowest page read
        self._last: tuple[int, int, float] | None = None  # number, last id and ids a page of the highest page read
        self._left = _GUESSES

    def saw(self, page: Page) -> None:
        """Take note of a page that is followed by another one."""
        low, high = page.records[0].id, page.records[-1].id
        if self._first is None or page.number < self._first[0]:
            self._first = page.number, low
        if self._last is None or page.number > self._last[0]:
            self._last = page.number, high, (high - low) * PAGE / max(len(page.records) - 1, 1)

    def guess(self) -> int | None:
        """The number of the page that should hold the highest id; None where ids tell nothing (any more)."""
        if self._first is None or self._last is None or self._left == 0:
            return None
        self._left -= 1
        if not self._asked:
            self._asked, self._top = True, self._newest()
        number, high, a_page = self._last
        if number > self._first[0]:
            a_page = (high - self._first[1]) * PAGE / ((number - self._first[0] + 1) * PAGE - 1)
        if self._top is None or self._top < high or a_page <= 0:
            return None
        return min(number + math.ceil(round((self._top - high) / a_page, 6)), 1000 + _FARTHEST * number)


def measure(ask: Callable[[int], Page], guess: int = 1, ids: Ids | None = None) -> Length:
    """Find a list's length; `ask` reads a page by its number, `guess` is where the last one may be.

    From the guess it doubles its step outward, then halves: about 2·log2(pages) requests from nothing, two or fewer
    when the guess is right. With `ids` it goes where the ids read so far put the end: three or four requests where
    they are even. A page that links no next one ends the search at once. Raises Nonsense where there is no end: Kommo
    gives the same page for every number.
    """
    low, high = 0, None  # low: highest page known to hold rows and to be followed; high: lowest page known to be empty
    number, step = max(guess, 1), 1
    while high is None or high - low > 1:
        if number > MOST_PAGES:
            raise Nonsense(200, note="a list without an end")
        page = ask(number)
        if page.records and not page.has_next:
            return Length(number, (number - 1) * PAGE + len(page.records))
        if page.records:
            low = max(low, number)
            if ids is not None:
                ids.saw(page)
        else:
            high = number
        number, step = _next(low, high, step)
        place = ids.guess() if ids is not None and low else None
        if place is not None and (high is None or place < high):
            number = max(place, low + 1)
    return Length(low, low * PAGE, cut=low > 0)


def _next(low: int, high: int | None, step: int) -> tuple[int, int]:
    """The page to ask for next, and the step after it."""
    if high is None:
        return low + step, step * 2
    if low == 0:
        return max(high - step, 1), step * 2
    return (math.isqrt(low * high) if high > 8 * low else (low + high) // 2), step
