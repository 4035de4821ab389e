"""Workers as processes, none of which outlives its test."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import processes

Starter = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Starter]:
    """Starts a worker of the installation in `tmp_path`; `values` are settings, `log` its output's file name."""
    children: list[subprocess.Popen[bytes]] = []

    def start(log: str = "worker.log", **values: str) -> "subprocess.Popen[bytes]":
        children.append(processes.worker(processes.environment(tmp_path / "instance", **values), tmp_path / log))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()
