"""What no code of the product does: run text as code, read what runs code, hash weakly, format a text of somebody's."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kommo.settings import ROOT

SOURCES = [ROOT / "app.py", *sorted(path for room in ("kommo", "migrations") for path in (ROOT / room).rglob("*.py"))]
RUNS = {"eval", "exec", "compile", "__import__"}
TEMPLATES = {"render_template_string", "from_string"}
READERS = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "xml", "lxml", "jsonpickle", "telnetlib", "ftplib"}
WEAK = {"md5", "sha1", "md4", "new"}
FORMATS = {"format", "format_map", "vformat", "safe_substitute"}
#: Chance that is no secret: when to try again, which page to look at a second time. The sandbox invents its people.
CHANCE = {"kommo/crm/caller.py", "kommo/store/budget.py", "kommo/sync/proof.py"}


def dangers(source: str) -> list[str]:
    """What a source does of all that, each as it stands there."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if _is_danger(node)]


def _is_danger(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(each.name.split(".")[0] in READERS for each in node.names)
    if isinstance(node, ast.ImportFrom):
        weak = node.module == "hashlib" and any(each.name in WEAK for each in node.names)
        return weak or (node.module or "").split(".")[0] in READERS
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib":
        return node.attr in WEAK
    return isinstance(node, ast.Call) and _is_dangerous_call(node)


def _is_dangerous_call(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Name):
        return node.func.id in RUNS | TEMPLATES
    if not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in FORMATS:
        return not _is_ours(node.func.value)
    return node.func.attr in TEMPLATES or (node.func.attr in RUNS and ast.unparse(node.func.value) == "builtins")


def _is_ours(node: ast.expr) -> bool:
    """Whether a text stands in the source: by itself, as a constant of the module, or as markup."""
    if isinstance(node, ast.Call) and node.args:
        return ast.unparse(node.func) == "Markup" and _is_ours(node.args[0])
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def by_chance() -> Iterator[str]:
    """The files that know of guessable chance."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import) and any(each.name == "random" for each in node.names):
                yield path.relative_to(ROOT).as_posix()
            if isinstance(node, ast.ImportFrom) and node.module == "random":
                yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_dangerous_call(path: Path) -> None:
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "exec(text)",
        "builtins.eval(text)",
        "import pickle",
        "from xml.etree import ElementTree",
        "import xml.sax as sax",
        "hashlib.md5(data)",
        "method = hashlib.sha1",
        "from hashlib import md5",
        "hashlib.new(name)",
        "name.format(self)",
        "record['name'].format(1)",
        "Markup(name).format(1)",
        "flask.render_template_string(name)",
        "environment.from_string(name)",
    ],
)
def test_a_danger_is_seen(source: str) -> None:
    assert dangers(source)


@pytest.mark.parametrize(
    "source",
    [
        "re.compile('a')",
        "statement.compile(dialect=a)",
        "_WORDS.format(a)",
        "'{} de {}'.format(a, b)",
        "Markup('<b>{}</b>').format(a)",
        "hashlib.sha256(a)",
        "import json",
        "number.evaluate(a)",
    ],
)
def test_what_is_none_is_let_through(source: str) -> None:
    assert dangers(source) == []


def test_what_must_not_be_guessed_does_not_come_by_chance() -> None:
    assert {name for name in by_chance() if not name.startswith("kommo/sandbox/")} == CHANCE
