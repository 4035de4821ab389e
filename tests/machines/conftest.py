"""Machines of one installation: a folder each, and in common the database, the queue and the key to the tokens."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kommo.services import Services
from tests import processes


@dataclass
class Machines:
    """Starts workers as different machines would: worker number n has a folder and a log of its own."""

    folder: Path
    values: dict[str, str]
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, number: int) -> "subprocess.Popen[bytes]":
        """A worker on machine `number`, anew where it is gone."""
        env = processes.environment(self.folder / f"machine-{number}", **self.values)
        self.children.append(processes.worker(env, self.log(number)))
        return self.children[-1]

    def log(self, number: int) -> Path:
        """Where the workers of a machine write."""
        return self.folder / f"machine-{number}.log"

    def logs(self) -> str:
        """What all workers have written."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("machine-*.log")))


@pytest.fixture
def machines(services: Services, tmp_path: Path) -> Iterator[Machines]:
    """Machines on the database and the queue of `services`; no process of theirs is left."""
    values = {
        "DATABASE_URL": services.settings.database,
        "KOMMO_QUEUE_URL": services.settings.queue,
    }
    found = Machines(tmp_path, values)
    yield found
    for child in found.children:
        child.kill()
        child.wait()
