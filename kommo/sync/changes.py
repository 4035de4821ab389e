"""Reading what changed since a moment of Kommo's clock, as a keyset that moving rows cannot slip through.

After each page the list is asked for anew, from the last change seen, at page 1: page N of a list sorted by change is
another set a moment later. Bounds are widened by a second, since Kommo does not say whether they are inclusive.
"""

from collections.abc import Callable
from typing import Any

from kommo.crm.client import Page
from kommo.crm.errors import NO_RIGHT, Nonsense, Rejected
from kommo.crm.pages import Stream
from kommo.sync import streams
from kommo.sync.counting import measure
from kommo.sync.run import Run

OVERLAP = 300  # seconds read again: clocks of Kommo's servers, answers under way
Write = Callable[[Page, int], None]
_REFUSALS = (*NO_RIGHT, Rejected, Nonsense)
_NEWEST = 50  # rows looked at for the newest change: a writer may have set some into the future


class FilterIgnored(Exception):
    """Kommo gave rows that changed before the moment asked for: it does not filter this list by time."""


def newest(run: Run, before: float) -> int | None:
    """The time of the newest change not after `before`, as the records themselves have it (Unix seconds).

    The clock that stamps records is the only one to compare them with: the one in Kommo's `Date` header may be
    another. None where the lists are empty, refused, or not sorted by change.
    """
    found = []
    for spec in streams.ALL:
        try:
            page = run.kommo.page(spec.remote, 1, limit=_NEWEST, order="-updated_at", version=run.version())
        except _REFUSALS:
            continue  # the reading itself will say so, of this stream alone
        times = [record.updated_at for record in page.records if record.updated_at is not None]
        if times == sorted(times, reverse=True):
            found += [moment for moment in times if moment <= before]
    return max(found, default=None)


def read_since(run: Run, stream: Stream, since: int, write: Write, reached: Callable[[int], None] | None = None) -> int:
    """Hand every page of records that changed at or after `since` (Kommo's Unix seconds) to `write(page, version)`.

    Gives the newest time; `reached` is told how far the reading has come while there is more. Raises FilterIgnored
    where the list cannot be filtered, and what the client raises.
    """
    mark = since
    while True:
        run.check()
        page = _page(run, stream, write, 1, order="updated_at", updated_from=max(mark - 1, 0))
        times = [record.updated_at for record in page.records if record.updated_at is not None]
        if times and min(times) < since - 2:
            raise FilterIgnored(stream.name)
        if not page.has_next:
            return int(max([mark, *times]))
        if times != sorted(times):  # not in order of change: there is no next place to go on from
            _read_span(run, stream, write, mark - 1, None)
            return mark
        if times and max(times) > mark:
            mark = max(times)
        else:
            _read_span(run, stream, write, mark - 1, mark)
            mark += 1
        if reached is not None:
            reached(mark)


def _read_span(run: Run, stream: Stream, write: Write, begin: int, end: int | None) -> None:
    """Read all of a span of time that holds more than a page, by id, from the last page to the first."""
    until = None if end is None else end + 1

    def ask(number: int) -> Page:
        run.check()
        return _page(run, stream, write, number, order="id", updated_from=max(begin - 1, 0), updated_to=until)

    for number in range(measure(ask).pages, 0, -1):
        ask(number)


def _page(run: Run, stream: Stream, write: Write, number: int, **asked: Any) -> Page:
    """Ask for a page and hand it on."""
    version = run.version()
    page = run.kommo.page(stream, number, version=version, **asked)
    write(page, version)
    return page
