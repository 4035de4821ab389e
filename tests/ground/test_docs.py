"""The documents name what exists: links, pictures, commands, files, packages, versions, addresses of the API."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from kommo.settings import ROOT

DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURES = ROOT / "docs" / "imagens"
LARGEST = 160_000  # bytes of one picture
STANDARD_MODULES = {"pip", "venv", "pytest"}
OWN_FOLDERS = "kommo|tests|bench|templates|static|migrations|docs|instance"
HOSTS = re.compile(
    r"127\.0\.0\.1|localhost|servidor|(?:[\w-]+\.)?kommo\.com|www\.python\.org|keepachangelog\.com|semver\.org"
)
ELSEWHERE = re.compile(r"(?<![\w.:/-])/(?:home|root|tmp|work|mnt|Users|var)/\w")  # a path of somebody's machine


def text_of(path: Path) -> str:
    """A document as text."""
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    """A document's name for the test's."""
    return path.name


@cache
def everything() -> str:
    """All documents in one text."""
    return "\n".join(text_of(path) for path in DOCS)


def anchors(path: Path) -> set[str]:
    """The anchors that a document's headings make, as GitHub spells them."""
    prose = re.sub(r"^```.*?^```", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE):
        kept = (char for char in heading.lower() if char in "-_ " or unicodedata.category(char)[0] in "LN")
        found.add("".join(kept).replace(" ", "-"))
    return found


@cache
def help_of(*command: str) -> str:
    """What a command of ours says of itself."""
    done = subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.is_file(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_nothing_of_another_place_is_named(path: Path) -> None:
    assert ELSEWHERE.findall(text_of(path)) == []
    addresses = re.findall(r"https?://([^\s/:`'\")>,?#]+)", text_of(path))
    assert [host for host in addresses if not HOSTS.fullmatch(host)] == []


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_file_that_is_named_exists(path: Path) -> None:
    for name in re.findall(rf"`((?:{OWN_FOLDERS})/[\w./-]*[\w/])`", text_of(path)):
        if not name.startswith("instance/"):  # made on first start
            assert (ROOT / name).exists(), name


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named_ones = set(re.findall(r"(?:^|`|[A-Z]+=\S+ )make ([a-z]+)", everything(), re.MULTILINE))
    assert {"run", "test", "bench", "pictures"} <= named_ones
    assert named_ones <= targets


def test_every_module_that_is_run_exists() -> None:
    modules = set(re.findall(r"-m ([a-z_.]+)", everything())) - STANDARD_MODULES
    assert {"kommo.jobs.worker", "kommo.sandbox", "bench"} <= modules
    assert [name for name in sorted(modules) if importlib.util.find_spec(name) is None] == []


def test_every_command_of_flask_that_is_named_exists(app: Flask) -> None:
    for words in set(re.findall(r"flask ((?:[a-z-]+ ?)+)", everything())):
        first, *rest = words.split()
        group = app.cli.get_command(None, first)  # type: ignore[arg-type]
        assert group is not None, words
        if first == "kommo":
            assert rest[0] in group.commands  # type: ignore[attr-defined]
            deeper = getattr(group.commands[rest[0]], "commands", {})  # type: ignore[attr-defined]
            assert not deeper or not rest[1:] or rest[1] in deeper, words


@pytest.mark.parametrize(
    ("document", "command"),
    [("operation.md", ("app.py",)), ("testing.md", ("-m", "kommo.sandbox"))],
)
def test_every_option_is_documented_and_no_other(document: str, command: tuple[str, ...]) -> None:
    told = set(re.findall(r"--[a-z][a-z-]+", help_of(*command))) - {"--help"}
    lines = text_of(ROOT / "docs" / document).splitlines()
    rows = "\n".join(line for line in lines if line.startswith("| `") and not line.startswith("| `flask "))
    assert set(re.findall(r"(?<=[ `])--[a-z][a-z-]+", rows)) == told


def test_every_address_of_the_api_is_documented(app: Flask) -> None:
    api = text_of(ROOT / "docs" / "api.md")
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/kommo/")}
    assert len(rules) >= 5
    assert [rule for rule in sorted(rules) if f"`{re.sub('<[^>]+>', '<número>', rule)}`" not in api] == []


def test_every_package_has_its_reason() -> None:
    pins = text_of(ROOT / "requirements.txt") + text_of(ROOT / "requirements-dev.txt")
    packages = set(re.findall(r"^([a-z][a-z0-9-]+)(?:\[\w+\])?==", pins, re.MULTILINE))
    told = set(re.findall(r"[a-z][a-z0-9-]+", text_of(ROOT / "docs" / "architecture.md")))
    assert len(packages) > 20
    assert packages - told == set()


def test_every_room_has_its_reason() -> None:
    told = text_of(ROOT / "docs" / "architecture.md")
    rooms = [path.stem if path.is_dir() else path.name for path in (ROOT / "kommo").iterdir() if path.name[0] != "_"]
    assert [room for room in rooms if f"`kommo/{room}`" not in told] == []


def test_pins_that_the_documents_repeat_are_the_pins() -> None:
    pins = text_of(ROOT / "requirements.txt") + text_of(ROOT / "requirements-dev.txt")
    repeated = set(re.findall(r"[a-z-]+(?:\[\w+\])?==[\w.]+", everything()))
    assert [pin for pin in sorted(repeated) if pin not in pins.split()] == []


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    assert f"## [{version}]" in text_of(ROOT / "CHANGELOG.md")


def test_every_picture_is_shown_and_small() -> None:
    pictures = sorted(PICTURES.glob("*.png"))
    assert len(pictures) >= 6
    assert [path.name for path in pictures if f"(docs/imagens/{path.name})" not in text_of(ROOT / "README.md")] == []
    assert [path.name for path in pictures if path.stat().st_size > LARGEST] == []
