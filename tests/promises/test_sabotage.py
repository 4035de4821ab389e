"""The list of sabotages is true: each still finds its place in the code, and its test is there."""

import ast

import pytest

from tests.promises.sabotage import ALL, ROOT, Sabotage


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_it_applies_in_one_place(one: Sabotage) -> None:
    """The text to change is there once, the change makes a program, and another one."""
    assert one.count(ROOT) == 1
    changed = (ROOT / one.file).read_text().replace(one.old, one.new, 1)
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse((ROOT / one.file).read_text()))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_its_test_is_there(one: Sabotage) -> None:
    file, _, name = one.tests.partition("::")
    path = ROOT / "tests" / file
    assert path.exists()
    assert not name or f"def {name}(" in path.read_text()


def test_every_promise_is_sabotaged() -> None:
    """And no change stands in the list twice."""
    assert len(ALL) >= 20
    assert len({one.name for one in ALL}) == len({(one.file, one.old, one.new) for one in ALL}) == len(ALL)
    assert {one.tests.partition("::")[0] for one in ALL} >= {
        f"promises/test_{name}.py"
        for name in ("no_gap", "convergence", "idempotence", "monotone", "crash", "one_runner")
    }
