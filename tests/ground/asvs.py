"""docs/asvs.md read: the table's rows, and what is wrong with them.

The identifiers and levels are those of OWASP's Application Security Verification Standard 5.0; its text is not here.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LEVEL_1 = """
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1
    3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1
    6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1
    10.4.2 10.4.3 10.4.4 10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1
    15.3.1
"""
LEVEL_2 = """
    1.1.1 1.1.2 1.2.6 1.2.7 1.2.8 1.2.9 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11 1.4.1 1.4.2
    1.4.3 1.5.2 2.1.2 2.1.3 2.2.3 2.3.2 2.3.3 2.3.4 2.4.1 3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.5.4 3.5.5
    3.7.1 3.7.2 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.2 4.4.3 4.4.4 5.1.1 5.2.3 5.4.1 5.4.2 5.4.3 6.1.2 6.1.3 6.2.9
    6.2.10 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2
    6.8.3 6.8.4 7.1.1 7.1.2 7.1.3 7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.2 8.2.3 8.4.1 9.2.2
    9.2.3 9.2.4 10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10
    10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3 11.1.1 11.1.2 11.2.1 11.2.2
    11.2.3 11.3.3 11.4.2 11.4.3 11.4.4 11.5.1 11.6.1 12.1.2 12.1.3 12.3.1 12.3.2 12.3.3 12.3.4 13.1.1 13.2.1
    13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.2 13.4.3 13.4.4 13.4.5 14.1.1 14.1.2 14.2.2 14.2.3 14.2.4
    14.3.2 14.3.3 15.1.2 15.1.3 15.2.2 15.2.3 15.3.2 15.3.3 15.3.4 15.3.5 15.3.6 15.3.7 16.1.1 16.2.1 16.2.2
    16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3 17.1.1 17.2.1
    17.2.2 17.2.3 17.2.4 17.3.1 17.3.2
"""
#: Of the third level only what our own notes ask for.
LEVEL_3 = "1.2.10 6.3.8 13.3.4 14.2.6 14.2.7 15.2.4 15.4.2 16.5.4"
LEVELS = {item: level for level, ids in enumerate((LEVEL_1, LEVEL_2, LEVEL_3), 1) for item in ids.split()}
MET, NOT_MET, NOT_APPLICABLE = STATES = ("atende", "não atende", "não se aplica")
_ROW = re.compile(r"\|\s*(\d+\.\d+\.\d+)\s*\|(.*)\|")
_COUNT = re.compile(r"\|\s*(1|2|3|1 e 2)\s*\|" + r"\s*\*{0,2}(\d+)\*{0,2}\s*\|" * 4)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::((?:\w+::)?\w+)`")
_SHORTEST = 8  # characters of a reason


@dataclass(frozen=True)
class Item:
    """A row: what the standard asks for in our words, whether it is met, and by which tests or why not."""

    id: str
    level: str
    words: str
    state: str
    proof: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        """The tests that are named: file and function."""
        return _TEST.findall(self.proof)


def items(text: str) -> list[Item]:
    """The rows of the table. Raises ValueError for one without its five columns."""
    found = []
    for row in filter(None, map(_ROW.fullmatch, text.splitlines())):
        cells = [cell.strip() for cell in row[2].split("|")]
        if len(cells) != 4:
            raise ValueError(f"{row[1]} has {len(cells) + 1} columns")
        found.append(Item(row[1], *cells))
    return found


def problems(text: str, root: Path) -> list[str]:
    """Everything that is wrong with the document; `root` is where its tests are looked for."""
    try:
        rows = items(text)
    except ValueError as error:
        return [str(error)]
    often = Counter(row.id for row in rows)
    found = [f"{item} is missing" for item in LEVELS if item not in often]
    found += [f"{item} is there {count} times" for item, count in often.items() if count > 1]
    for row in rows:
        found += [f"{row.id}: {wrong}" for wrong in _of_row(row, root)]
    return [*found, *_of_counts(text, rows)]


def _of_row(row: Item, root: Path) -> Iterator[str]:
    if row.id not in LEVELS:
        yield "no item of these levels"
    elif row.level != str(LEVELS[row.id]):
        yield f"level {row.level} instead of {LEVELS[row.id]}"
    if len(row.words) < _SHORTEST:
        yield "it says not what is asked for"
    if row.state not in STATES:
        yield f"{row.state!r} is no state"
    elif row.state == MET and not row.tests:
        yield "met, and no test is named"
    elif row.state != MET and len(row.proof) < _SHORTEST:
        yield "no reason is given"
    for file, name in row.tests:
        if name not in names_of(root / file):
            yield f"there is no {file}::{name}"


def _of_counts(text: str, rows: list[Item]) -> Iterator[str]:
    """What the table at the head says wrongly of the rows: by level, and levels 1 and 2 together."""
    told = {
        found[1]: [int(each) for each in found.groups()[1:]]
        for found in map(_COUNT.fullmatch, text.splitlines())
        if found
    }
    for name, levels in {"1": "1", "2": "2", "3": "3", "1 e 2": "12"}.items():
        states = Counter(row.state for row in rows if row.level and row.level in levels)
        counted = [*(states[state] for state in STATES), sum(states.values())]
        if told.get(name) != counted:
            yield f"level {name} is told as {told.get(name)}, and is {counted}"


@cache
def names_of(path: Path) -> frozenset[str]:
    """The tests in a file: functions, and methods as `Class::method`; none where there is no such file."""
    if not path.is_file():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inside = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            found |= {f"{node.name}::{each.name}" for each in inside if each.name.startswith("test_")}
    return frozenset(found)
