"""Every fault of the list, by real means: the process lives or comes back, a person reads why, and nothing is lost.

`make test` does each once; `make soak`, at least twenty times.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import needs, processes, told
from tests.databases import POSTGRESQL, SQLITE
from tests.fire import faults
from tests.fire.faults import IN_TMPFS
from tests.fire.inside import strike
from tests.fire.site import Site, standing
from tests.promises.soak import FAULTS, FULL, note, often

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="its means are Linux's"),
    *([pytest.mark.timeout(3600)] if FULL else []),
]
TABLE = "Falhas: segundos até a cópia estar conferida de novo"
SIZE = "12m"  # of the small disk: enough for an installation, soon full


def _on(engine: str) -> list[str]:
    return [one.name for one in faults.ALL.values() if engine in one.engines]


class Hand:
    """The site that serves one fault after the other, until one spoils it."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._folders = tmp_path_factory
        self._stack = ExitStack()
        self._site: Site | None = None

    def site(self) -> Site:
        """A running installation with a proved copy."""
        if self._site is None or self._site.broken:
            self._stack.close()
            self._site = self._stack.enter_context(standing(self._folders.mktemp("fire")))
        return self._site

    def close(self) -> None:
        """End it."""
        self._stack.close()


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """What stands for all faults of this module."""
    found = Hand(tmp_path_factory)
    yield found
    found.close()


def test_there_are_enough_kinds() -> None:
    assert len(faults.ALL) >= 50


@pytest.mark.only_on("sqlite", reason="those of SQLite's file, and those that no database has a part in")
@pytest.mark.parametrize("name", _on(SQLITE))
def test_a_fault(hand: Hand, name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    times = often(1, 20)
    if faults.ALL[name].place == IN_TMPFS:
        seconds = _in_tmpfs(tmp_path, name, times)
    else:
        seconds = [strike(hand.site(), name) for _ in range(times)]
    _tell(request, name, seconds)


@pytest.mark.only_on("postgresql", reason="those of a database server, and of processes that share one")
@pytest.mark.parametrize("name", _on(POSTGRESQL))
def test_a_fault_on_postgresql(hand: Hand, name: str, request: pytest.FixtureRequest) -> None:
    _tell(request, name, [strike(hand.site(), name) for _ in range(often(1, 20))])


def _tell(request: pytest.FixtureRequest, name: str, seconds: list[float]) -> None:
    for one in seconds:
        told.took(request, TABLE, name, one)
    told.count(request, "falhas provocadas", len(seconds))
    note(FAULTS, len(seconds))


def _in_tmpfs(folder: Path, name: str, times: int) -> list[float]:
    """The same on a disk of its own, in a mount namespace."""
    unshare = needs.program("unshare")
    if subprocess.run([unshare, "-Urm", "true"], capture_output=True).returncode:
        needs.missing("unshare -Urm (user namespaces)")
    disk = folder / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size={SIZE} tmpfs "$1" && exec "{sys.executable}" -m tests.fire.inside "$@"'
    done = subprocess.run(
        [unshare, "-Urm", "bash", "-c", script, "bash", str(disk), name, str(times)], cwd=processes.ROOT,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-6000:]
    return list(json.loads(done.stdout.splitlines()[-1]))
