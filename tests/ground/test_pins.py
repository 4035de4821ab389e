"""Every package that is installed with ours, directly or not, has one exact version, and it is the one installed."""

import re
from importlib.metadata import PackageNotFoundError, distribution, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.ground.test_docs import ROOT, text_of

FILES = ("requirements.txt", "requirements-dev.txt")
_PIN = re.compile(r"^([\w.-]+)(?:\[(\w+)\])?==(\S+)$", re.MULTILINE)


def pinned(*files: str) -> dict[str, str]:
    """The versions by package, as pip compares names."""
    return {canonicalize_name(name): number for file in files for name, _, number in _PIN.findall(text_of(ROOT / file))}


def brought_along() -> set[str]:
    """What the packages that we name need on this machine, and what those need, and so on."""
    todo = [(canonicalize_name(name), extra) for file in FILES for name, extra, _ in _PIN.findall(text_of(ROOT / file))]
    seen: set[tuple[str, str]] = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in distribution(name).requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(needed.name), more) for more in (needed.extras or {""})]
    return {name for name, _ in seen}


def test_what_is_brought_along_is_pinned() -> None:
    assert sorted(brought_along() - set(pinned(*FILES, "constraints.txt"))) == []


def test_nothing_is_pinned_that_nobody_needs() -> None:
    assert sorted(set(pinned("constraints.txt")) - brought_along()) == []
    assert set(pinned(*FILES)) & set(pinned("constraints.txt")) == set()


def test_what_is_pinned_is_what_is_installed() -> None:
    other = {}
    for name, number in pinned(*FILES, "constraints.txt").items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue  # of another system
        if found != number:
            other[name] = (found, number)
    assert other == {}


def test_pip_reads_the_constraints() -> None:
    assert "-c constraints.txt" in text_of(ROOT / "requirements.txt").splitlines()
