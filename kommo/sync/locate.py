"""Where copy and account differ: found by the rank of ids, without reading everything again.

In a list sorted by id the first record of page n has 250·(n-1) others before it, at Kommo as here. Where that number
is another one here, a difference lies before it: halving finds the page in log2(pages) requests.
"""

from array import array
from bisect import bisect_left
from itertools import pairwise
from math import log2

from kommo.crm.client import Page
from kommo.db import reading
from kommo.store import looks
from kommo.sync import proof
from kommo.sync.counting import PAGE
from kommo.sync.proof import Comparison
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec

MOST = 20  # differences looked for one after the other; more, and the list is read whole


def differences(run: Run, spec: StreamSpec, read_pass: int, found: Comparison) -> bool:
    """Look for the pages where the copy has too much or too little, and put those right.

    Records that Kommo does not give are suspected. Gives whether it was worth a try.
    """
    cost = abs(found.difference) * (log2(max(found.pages, 1)) + 1)
    if not found.difference or abs(found.difference) > MOST or cost > found.pages:  # the list is as soon read whole
        return False
    with reading(run.services.engine) as session:
        search = _Search(run, spec, looks.live_ids(session, run.target(spec, read_pass)), found)
    looked = Comparison(equal=False)
    for page, until in search.pages_that_differ():
        proof.look_at(run, spec, page, read_pass, looked, until=until)
    return search.sorted


class _Search:
    """The ranks of one list's pages, asked for as they are needed."""

    def __init__(self, run: Run, spec: StreamSpec, ids: "array[int]", found: Comparison) -> None:
        self.run = run
        self.spec = spec
        self.ids = ids
        self.found = found
        self.sorted = True
        self._seen: dict[int, Page] = {}

    def pages_that_differ(self) -> list[tuple[Page, int | None]]:
        """The pages behind which the rank is off by another number than before them, each with its highest id."""
        pages: list[tuple[Page, int | None]] = []
        todo = [(1, 0, self.found.pages + 1, self.found.difference)]
        while todo and self.sorted and len(pages) < MOST:
            low, before, high, after = todo.pop()
            if before != after and high - low == 1:
                pages.append((self._page(low), self._first_id(high)))
            elif before != after:
                middle = (low + high) // 2
                off = self._off(middle)
                todo += [(low, before, middle, off), (middle, off, high, after)]
        return pages

    def _first_id(self, number: int) -> int | None:
        """The highest id that can stand before a page; None where there is no such page."""
        records = self._page(number).records if number <= self.found.pages else []
        return records[0].id - 1 if records else None

    def _off(self, number: int) -> int:
        """By how many records more are held before this page than Kommo has there."""
        records = self._page(number).records
        if not records:  # the list has become shorter meanwhile
            return self.found.difference
        return bisect_left(self.ids, records[0].id) - PAGE * (number - 1)

    def _page(self, number: int) -> Page:
        if number not in self._seen:
            self.run.check()
            version = self.run.version()
            page = self.run.kommo.page(self.spec.remote, number, order="id", version=version)
            ids = [record.id for record in page.records]
            self.sorted = self.sorted and all(low < high for low, high in pairwise(ids))
            self._seen[number] = page
        return self._seen[number]
