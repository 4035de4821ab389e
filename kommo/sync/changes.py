"""Reading what changed since a moment of Kommo's clock, as a keyset that moving rows cannot slip through.

After each page the list is asked for anew, from the last change seen, at page 1: page N of a list sorted by change is
another set a moment later. Bounds are widened by a second, since Kommo does not say whether they are inclusive.
"""

from typing import Any

from kommo.crm.client import Page
from kommo.sync.bands import write_records
from kommo.sync.counting import measure
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec

OVERLAP = 300  # seconds read again: clocks of Kommo's servers, answers under way


class FilterIgnored(Exception):
    """Kommo gave rows that changed before the moment asked for: it does not filter this list by time."""


def read_since(run: Run, spec: StreamSpec, since: int, read_pass: int) -> None:
    """Bring every record that changed at or after `since` (Kommo's Unix seconds) into the copy.

    Raises FilterIgnored where the list cannot be filtered, and what the client raises.
    """
    mark = since
    while True:
        run.check()
        page = _read_page(run, spec, read_pass, 1, order="updated_at", updated_from=mark - 1)
        times = [record.updated_at or 0 for record in page.records]
        if times and min(times) < since - 2:
            raise FilterIgnored(spec.name)
        if not page.has_next:
            return
        if max(times) > mark and times == sorted(times):
            mark = max(times)
        else:
            _read_span(run, spec, mark - 1, mark, read_pass)
            mark += 1


def _read_span(run: Run, spec: StreamSpec, begin: int, end: int, read_pass: int) -> None:
    """Read all of a span of time that holds more than a page, by id, from the last page to the first."""

    def ask(number: int) -> Page:
        run.check()
        return _read_page(run, spec, read_pass, number, order="id", updated_from=begin - 1, updated_to=end + 1)

    for number in range(measure(ask).pages, 0, -1):
        ask(number)


def _read_page(run: Run, spec: StreamSpec, read_pass: int, number: int, **asked: Any) -> Page:
    """Ask for a page and bring it into the copy."""
    version = run.version()
    page = run.kommo.page(spec.remote, number, version=version, **asked)
    write_records(run, spec, page.records, version, read_pass)
    return page
