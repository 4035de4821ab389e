"""How many records a list holds: Kommo gives no totals, so its last page is found by galloping."""

from collections.abc import Callable
from dataclasses import dataclass

from kommo.crm.client import Page
from kommo.crm.errors import Nonsense

PAGE = 250  # rows: the most Kommo gives at once
MOST_PAGES = 2**31 // PAGE  # 2,147,483,500 rows: more than any account has, and what the counts' columns hold


@dataclass(frozen=True, slots=True)
class Length:
    """A list's last page (0 where it is empty) and how many rows stand in all.

    `cut` tells that the last page links a next one, which is empty: maybe Kommo gives no page beyond it.
    """

    pages: int
    rows: int
    cut: bool = False


def measure(ask: Callable[[int], Page], guess: int = 1) -> Length:
    """Find a list's length; `ask` reads a page by its number, `guess` is where the last one may be.

    From the guess it doubles its step outward, then halves: about 2·log2(pages) requests from nothing, two or fewer
    when the guess is right. A page that links no next one ends the search at once. Raises Nonsense where there is
    no end: Kommo gives the same page for every number.
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
        else:
            high = number
        number, step = _next(low, high, step)
    return Length(low, low * PAGE, cut=low > 0)


def _next(low: int, high: int | None, step: int) -> tuple[int, int]:
    """The page to ask for next, and the step after it."""
    if high is None:
        return low + step, step * 2
    if low == 0:
        return max(high - step, 1), step * 2
    return (low + high) // 2, step
