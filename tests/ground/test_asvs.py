"""docs/asvs.md: every item of OWASP ASVS 5.0 once, each with a test that exists or a reason, and the right counts."""

from collections.abc import Callable

import pytest

from kommo.settings import ROOT
from tests.ground import asvs
from tests.ground.asvs import MET, NOT_MET, Item, items, problems

TEXT = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
NAMED = "`tests/ground/test_asvs.py::test_every_item_is_there_with_its_proof`"


def test_the_levels_are_those_of_the_standard() -> None:
    assert [list(asvs.LEVELS.values()).count(level) for level in (1, 2, 3)] == [70, 183, 8]


def test_every_item_is_there_with_its_proof() -> None:
    assert problems(TEXT, ROOT) == []


def row_of(item: str) -> str:
    """An item's row as it stands in the document."""
    return next(line for line in TEXT.splitlines() if line.startswith(f"| {item} |"))


def without(item: str) -> str:
    """The document without an item."""
    return TEXT.replace(row_of(item) + "\n", "")


def with_row(item: str, level: str, words: str, state: str, proof: str) -> str:
    """The document with another row for an item."""
    return TEXT.replace(row_of(item), f"| {item} | {level} | {words} | {state} | {proof} |")


def with_counts(change: Callable[[str], str]) -> str:
    """The document with another first number in the row of levels 1 and 2 together."""
    line = next(line for line in TEXT.splitlines() if line.startswith("| 1 e 2 |"))
    return TEXT.replace(line, change(line))


GOOD = ("1", "consultas parametrizadas", MET, NAMED)
BROKEN = {
    "1.2.4 is missing": without("1.2.4"),
    "1.2.10 is missing": without("1.2.10"),
    "1.2.4 is there 2 times": TEXT + row_of("1.2.4") + "\n",
    "1.2.99: no item of these levels": TEXT + row_of("1.2.4").replace("1.2.4", "1.2.99") + "\n",
    "1.2.11: no item of these levels": TEXT + "| 1.2.11 | 3 | quase igual | não atende | fica para depois |\n",
    "1.2.4: level 2 instead of 1": with_row("1.2.4", "2", *GOOD[1:]),
    "1.2.4: 'Atende' is no state": with_row("1.2.4", "1", GOOD[1], "Atende", NAMED),
    "1.2.4: 'em parte' is no state": with_row("1.2.4", "1", GOOD[1], "em parte", NAMED),
    "1.2.4: '' is no state": with_row("1.2.4", "1", GOOD[1], "", NAMED),
    "1.2.4: met, and no test is named": with_row("1.2.4", "1", GOOD[1], MET, "a biblioteca cuida disso"),
    "1.2.4: no reason is given": with_row("1.2.4", "1", GOOD[1], NOT_MET, "ainda"),
    "1.2.4: it says not what is asked for": with_row("1.2.4", "1", "SQL", MET, NAMED),
    "1.2.4: there is no tests/ground/test_asvs.py::test_of_nothing": with_row(
        "1.2.4", "1", GOOD[1], MET, "`tests/ground/test_asvs.py::test_of_nothing`"
    ),
    "1.2.4: there is no tests/ground/test_nothing.py::test_of_nothing": with_row(
        "1.2.4", "1", GOOD[1], MET, f"{NAMED}, `tests/ground/test_nothing.py::test_of_nothing`"
    ),
    "1.2.4: there is no tests/ground/test_asvs.py::row_of": with_row(
        "1.2.4", "1", GOOD[1], MET, "`tests/ground/test_asvs.py::row_of`"
    ),
    "1.2.4 has 6 columns": with_row("1.2.4", "1", GOOD[1], MET, f"{NAMED} | e mais"),
}


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_table_is_noticed(said: str) -> None:
    found = problems(BROKEN[said], ROOT)
    assert said in found, found


@pytest.mark.parametrize("other", ["0", "9999"])
def test_a_wrong_count_is_noticed(other: str) -> None:
    def change(line: str) -> str:
        cells = line.split("|")
        return "|".join([*cells[:2], f" {other} ", *cells[3:]])

    assert any(said.startswith(f"level 1 e 2 is told as [{other}, ") for said in problems(with_counts(change), ROOT))
    assert any(said.startswith("level 1 e 2 is told as None") for said in problems(with_counts(lambda _: ""), ROOT))


def test_a_state_that_changes_makes_the_count_wrong() -> None:
    row = next(row for row in items(TEXT) if row.state == MET and row.level == "2")
    changed = with_row(row.id, row.level, row.words, NOT_MET, "deixou de ser verdade")
    assert len([said for said in problems(changed, ROOT) if said.startswith("level ")]) == 2


def test_tests_are_found_by_their_names() -> None:
    here = ROOT / "tests" / "ground" / "test_asvs.py"
    assert "test_every_item_is_there_with_its_proof" in asvs.names_of(here)
    assert "row_of" not in asvs.names_of(here)
    assert "TestItIsKommosWordThatCounts" not in asvs.names_of(here)
    assert any("::" in name for name in asvs.names_of(ROOT / "tests" / "api" / "test_owners.py"))
    assert asvs.names_of(ROOT / "tests" / "nowhere.py") == frozenset()


def test_methods_of_a_class_are_named_with_it() -> None:
    row = Item("1.1.1", "2", "", MET, "`tests/a/test_b.py::TestC::test_d`, `tests/a/test_b.py::test_e`")
    assert row.tests == [("tests/a/test_b.py", "TestC::test_d"), ("tests/a/test_b.py", "test_e")]
