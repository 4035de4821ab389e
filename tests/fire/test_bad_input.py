"""Bad input of every kind, in one table: its status, its sentence, nothing stored, no failure of ours, no secret told.

Each room has its rows in a module of its own; what is added to the product adds a module, and its name here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests import told
from tests.fire import bodies, browser, hostile, lists, people, privacy, tokens, values
from tests.fire.place import Place, opened
from tests.fire.rows import ENGLISH, Row

MODULES = (tokens, lists, bodies, browser, hostile, values, people, privacy)
TRIES = ("attempt", "audit")
ROWS: list[Row] = [row for module in MODULES for row in module.ROWS]


@dataclass
class Seen:
    """What there was before a row: all that is stored, the length of the log."""

    place: Place
    stored: dict[str, list[str]]
    logged: int = 0


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One installation for all rows: none of them leaves a trace."""
    with opened(tmp_path_factory.mktemp("fire")) as place:
        yield Seen(place, place.stored())


def test_there_are_enough_of_them() -> None:
    assert len(ROWS) >= 160
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.encode("unicode_escape").decode()[:70])
def test_bad_input(seen: Seen, row: Row, request: pytest.FixtureRequest) -> None:
    place = seen.place
    asked = place.kommo.world.requests
    said = row.send(place)
    assert said.status == row.status, said.words[:2000]
    assert place.filled(row.says) in said.words, said.words[:2000]
    assert 200 <= said.status < 400 or not ENGLISH.search(said.words), said.words[:2000]
    stored, before = place.stored(), seen.stored
    seen.stored = stored
    changed = {name for name in stored if stored[name] != before[name]} - set(TRIES if row.notes else ())
    assert isinstance(row, browser.Twice) or not changed
    assert row.asks or place.kommo.world.requests == asked
    logged = place.log.read_text()[seen.logged :]
    seen.logged += len(logged)
    assert "Traceback" not in logged
    assert not row.secret or row.secret not in said.whole + logged
    told.count(request, "entradas ruins")
