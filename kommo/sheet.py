"""CSV that any spreadsheet opens as it is meant: RFC 4180, UTF-8 with a mark, and no text that becomes a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

MARK = "\ufeff"
#: What a spreadsheet takes for the beginning of a formula, in their full-width forms too, and what it skips before one.
_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")


def guarded(value: Any) -> str:
    """A value as the text of a cell; a text that would be a formula gets an apostrophe in front, a number none."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    guard = "'" if text.startswith(_FORMULA) else ""
    return guard + text.replace("\0", "")


def lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The file, a line at a time; each ends with CR LF."""
    yield MARK + _line(head)
    for row in rows:
        yield _line([guarded(value) for value in row])


def _line(cells: Sequence[str]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerow(cells)
    return made.getvalue()
