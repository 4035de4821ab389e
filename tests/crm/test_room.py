"""The room's own walls: what it may import, how large its parts are."""

import ast
from pathlib import Path

import pytest

import kommo.crm

FILES = sorted(Path(kommo.crm.__file__).parent.glob("*.py"))


def imported(file: Path) -> set[str]:
    """The modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names} | {str(node.module)}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_everything_it_needs_is_handed_in(file: Path) -> None:
    foreign = [
        name
        for name in imported(file)
        if name.split(".")[0] in ("flask", "sqlalchemy", "pydantic", "os")
        or (
            name.startswith("kommo.")
            and not name.startswith(("kommo.addresses", "kommo.crm", "kommo.ids", "kommo.text"))
        )
    ]
    assert foreign == []


def test_one_module_sends() -> None:
    senders = [
        file.stem for file in FILES if imported(file) & {"requests", "requests.adapters", "http.client", "socket"}
    ]
    assert senders == ["deadline", "transport"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rooms_and_functions_are_small(file: Path) -> None:
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
