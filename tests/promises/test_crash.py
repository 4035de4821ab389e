"""P5, crash: a worker may be killed at any instant; the next one ends the run, and the copy is exact.

In one process a worker dies at each of its commits in turn; processes of its own are killed at each request in turn,
and at moments of chance.
"""

import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kommo.sandbox import Server, World, make_world, serve
from kommo.services import Services
from kommo.sync import control, engine
from tests import processes
from tests.conftest import make_settings
from tests.promises.life import REPORTED
from tests.promises.mortal import Mortal, lapse
from tests.promises.soak import COMMITS, FULL, KILLS, RUNS, note, often, some
from tests.promises.watch import BeforeProof, prepared, watched
from tests.sync.accounts import connect, difference, run, run_view

pytestmark = pytest.mark.only_on("sqlite")  # the triggers and copies of files are SQLite's

DEEDS = ("update contacts", "add leads", "delete contacts", "restore contacts", "merge contacts", "delete companies",
         "link deal", "purge contacts", "tag leads")  # fmt: skip
EITHER = pytest.mark.parametrize("sweep", [True, False], ids=["sweep", "delta"])


class Stage:
    """An account and an installation at the moment before a run, to which a test can go back as often as it likes."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.number = 0
        services = self._open(folder / "before")
        self.account = connect(services, server)
        services.engine.dispose()

    def _open(self, folder: Path) -> Services:
        services = prepared(make_settings(folder, lease=600.0))
        watched(services.engine)
        return services

    def copied(self) -> None:
        """Go on from a first load, with a day's work since."""
        services = self._open(self.folder / "before")
        run(services, self.account)
        services.engine.dispose()
        for number, deed in enumerate(DEEDS):
            REPORTED[deed](self.server.world, 11 + 17 * number)

    def again(self) -> tuple[Services, Path]:
        """The installation as it was before, in a folder of its own."""
        self.number += 1
        folder = self.folder / f"again{self.number}"
        shutil.copytree(self.folder / "before", folder)
        return self._open(folder), folder


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with serve(make_world(contacts=2000, deals=300)) as server:
        server.world.bulk_delete("contacts", 3)
        yield Stage(tmp_path, server)


def _finish(services: Services, account: int, run_id: int) -> None:
    """What the next worker does, when the lease of the dead one is over."""
    lapse(services, run_id)
    engine.run_one(services, run_id, "next", threading.Event())
    view = run_view(services, account, run_id)
    assert view.proved, (view.state, view.errors)


@EITHER
def test_a_worker_may_die_at_any_of_its_commits(stage: Stage, sweep: bool) -> None:
    """At each in turn; the next worker dies as well, a few commits on, and the third one ends the run."""
    if not sweep:
        stage.copied()
    world = stage.server.world
    services, _ = stage.again()
    whole = Mortal(services)
    whole.work(control.start(services, stage.account, "shell"))
    services.engine.dispose()
    assert whole.commits > (40 if sweep else 20)
    for number in some(range(1, whole.commits + 1), 4):
        services, folder = stage.again()
        mortal, run_id = Mortal(services), control.start(services, stage.account, "shell")
        world.before_request = looked = BeforeProof(services, stage.account, world)
        if not mortal.work(run_id, dies_at=number):  # the last commits may be spared by what the proof looks at
            lapse(services, run_id)
            if not mortal.work(run_id, dies_at=3 + number % 11):
                _finish(services, stage.account, run_id)
        assert run_view(services, stage.account, run_id).proved
        world.before_request = None
        assert looked.found == [] or not sweep, (
            f"dead at commit {number}"
        )  # a delta's proof finds what only counts tell
        assert difference(services, stage.account, world) == [], f"dead at commit {number}"
        assert mortal.deaths or number > whole.commits - 10
        note(COMMITS, mortal.deaths)
        note(RUNS)
        services.engine.dispose()
        shutil.rmtree(folder)


class Executioner:
    """Starts workers as processes, and kills one at a request of its own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.env = processes.environment(folder / "instance")
        self.log = folder / "worker.log"
        self.kills = 0
        self.asked = threading.Event()
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, at: int | None = None, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Start a worker, to be killed at its request number `at`, before that is carried out."""
        left, lock = [at], threading.Lock()
        self.asked.clear()

        def strike(_method: str, _path: str, _query: str) -> None:
            self.asked.set()
            with lock:
                left[0] = None if left[0] is None else left[0] - 1
                if left[0] == 0:
                    self.kill()
                    meanwhile()

        self.world.before_request = strike
        self.child = processes.worker(self.env, self.log)

    def kill(self) -> None:
        """kill -9."""
        assert self.child is not None
        os.kill(self.child.pid, signal.SIGKILL)
        self.kills += 1
        note(KILLS)

    def gone(self) -> bool:
        """Whether the worker is dead."""
        assert self.child is not None
        return self.child.poll() is not None

    def end(self) -> None:
        """Leave nothing running."""
        self.world.before_request = None
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


@EITHER
def test_a_worker_may_be_killed_at_any_of_its_requests(stage: Stage, sweep: bool) -> None:
    """kill -9 at each request in turn, of a worker that is a process; another worker ends the run."""
    if not sweep:
        stage.copied()
    services, _ = stage.again()
    stage.server.world.reset()
    run(services, stage.account)
    requests = stage.server.world.requests
    services.engine.dispose()
    kills = sum(_kill_at(stage, number) for number in some(range(1, requests + 1), 3 if sweep else 2))
    assert kills > 0


def _kill_at(stage: Stage, number: int) -> int:
    """Kill the worker at its request `number`, let another end the run, and compare; gives how many were killed."""
    services, folder = stage.again()
    run_id = control.start(services, stage.account, "shell")
    executioner = Executioner(stage.server.world, folder)
    executioner.start(at=number)
    try:
        processes.wait_for(lambda: executioner.gone() or not run_view(services, stage.account).active)
    finally:
        executioner.end()
    if executioner.kills:  # the last requests may be spared by what the proof looks at
        _finish(services, stage.account, run_id)
    assert run_view(services, stage.account).proved
    assert difference(services, stage.account, stage.server.world) == [], f"killed at request {number}"
    note(RUNS)
    services.engine.dispose()
    shutil.rmtree(folder)
    return executioner.kills


def test_a_worker_may_be_killed_at_any_moment(stage: Stage) -> None:
    """kill -9 at moments of chance, run after run, each taken up by a process that is killed, too."""
    rng, world = random.Random(7), stage.server.world
    services, folder = stage.again()
    executioner, killed, runs = Executioner(world, folder), often(4, 200), 0
    control.start(services, stage.account, "shell", sweep=True)
    try:
        while executioner.kills < killed:
            executioner.start()
            processes.wait_for(lambda: executioner.asked.is_set() or executioner.gone())
            threading.Event().wait(rng.uniform(0, 0.5 if FULL else 0.2))
            executioner.kill()
            processes.wait_for(executioner.gone)
            if not run_view(services, stage.account).active:
                runs += 1
                _end_well(services, stage, world, runs)
    finally:
        executioner.end()
    lapse(services, run_view(services, stage.account).id)
    engine.run_one(services, run_view(services, stage.account).id, "next", threading.Event())
    assert run_view(services, stage.account).proved
    assert difference(services, stage.account, world) == []
    services.engine.dispose()


def _end_well(services: Services, stage: Stage, world: World, number: int) -> None:
    """A run came to its end between two kills: look at it, and begin another one, with something to do."""
    assert run_view(services, stage.account).proved
    assert difference(services, stage.account, world) == []
    note(RUNS)
    for place, deed in enumerate(DEEDS):
        REPORTED[deed](world, 13 * number + 7 * place)
    control.start(services, stage.account, "shell", sweep=number % 2 == 0)
