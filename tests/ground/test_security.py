"""docs/security.md: the tests it names exist, its inventory has every algorithm, its classes every table."""

import ast
import re
from collections.abc import Iterator

import pytest

from kommo.db import Base
from kommo.settings import ROOT
from kommo.store import tables
from tests.ground.asvs import names_of

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
CRYPTOGRAPHY = {"hashlib", "hmac", "cryptography", "argon2", "pyotp", "bcrypt", "nacl", "Crypto", "scrypt"}
SOURCES = [path for path in sorted((ROOT / "kommo").rglob("*.py")) if "sandbox" not in path.parts]


def section(heading: str) -> str:
    """What stands under a heading."""
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def named_in(text: str) -> set[str]:
    """What stands between backticks in a text."""
    return set(re.findall(r"`([^`]+)`", text))


def algorithms(source: str) -> Iterator[str]:
    """The algorithms that a source takes from a library, by the names they have there; its errors are none."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in CRYPTOGRAPHY:
            if not (node.module or "").endswith("exceptions"):
                yield from (each.name for each in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib":
            yield node.attr
        elif isinstance(node, ast.Import) and any(each.name == "pyotp" for each in node.names):
            yield "pyotp"


def test_every_test_that_is_named_exists() -> None:
    found = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", TEXT)
    assert len(found) > 20
    assert [f"{file}::{name}" for file, name in found if name not in names_of(ROOT / file)] == []


def test_every_attacker_of_the_model_meets_a_test() -> None:
    rows = [line for line in section("Modelo de ameaças").splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    assert [row[:40] for row in rows if "`tests/" not in row] == []


def test_every_algorithm_is_in_the_inventory() -> None:
    told = named_in(section("Inventário de criptografia"))
    missing = set()
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        used = set(algorithms(path.read_text(encoding="utf-8")))
        missing |= used - told
        missing |= {name} - told if used else set()
    assert missing == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import hashlib\nhashlib.blake2b(a)", {"blake2b"}),
        ("from hashlib import sha512", {"sha512"}),
        ("from cryptography.hazmat.primitives.ciphers.aead import AESGCM", {"AESGCM"}),
        ("from cryptography.exceptions import InvalidTag", set()),
        ("import pyotp", {"pyotp"}),
        ("import json", set()),
    ],
)
def test_algorithms_are_seen(source: str, found: set[str]) -> None:
    assert set(algorithms(source)) == found


def test_every_table_has_its_class() -> None:
    assert tables.Connection.__tablename__ == "connection"  # all tables are known here
    told = named_in(section("Que dados há"))
    assert len(Base.metadata.tables) > 20
    assert set(Base.metadata.tables) - told == set()
