"""P6, one runner for each account: a run has one worker at a time, and one that lost it writes nothing any more."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kommo.db import writing
from kommo.sandbox import Server, World, make_world, serve
from kommo.services import Services
from kommo.store import runs
from kommo.store.runs import Claim
from kommo.sync import control, engine
from tests import processes
from tests.conftest import make_services, make_settings
from tests.jobs.conftest import Starter, start_worker
from tests.promises.mortal import lapse
from tests.promises.soak import RUNS, TAKEOVERS, note, some
from tests.promises.watch import everything, prepared, watched
from tests.sync.accounts import connect, difference, run, run_view

__all__ = ["start_worker"]


def _at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """Do something so many times, as nearly at the same moment as threads can."""
    gate = threading.Barrier(number)

    def wait(place: int) -> Any:
        gate.wait()
        return work(place)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(wait, range(number)))


def test_of_many_who_claim_a_run_one_gets_it(services: Services, padaria: Server) -> None:
    """Eight at once, of a run that was asked for, then of one whose worker is dead."""
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")

    def claim(place: int) -> Claim | None:
        with writing(services.engine) as session:
            return runs.claim(session, run_id, f"worker {place}", 60.0)

    for fence in (1, 2, 3):
        got = [one for one in _at_once(8, claim) if one is not None]
        assert [one.fence for one in got] == [fence]
        lapse(services, run_id)


def test_of_many_who_ask_for_a_run_one_begins_it(services: Services, padaria: Server) -> None:
    """A double click, a schedule and a program at the same moment: one run, and the others are told which."""
    account = connect(services, padaria)

    def ask(_place: int) -> tuple[bool, int]:
        try:
            return True, control.start(services, account, "api")
        except runs.AlreadyRunning as error:
            return False, error.run_id

    answers = _at_once(8, ask)
    assert sorted(begun for begun, _ in answers) == [False] * 7 + [True]
    assert len({run_id for _, run_id in answers}) == 1


def test_a_worker_that_comes_for_a_run_in_good_hands_goes_away(services: Services, padaria: Server) -> None:
    """At every request of the first one."""
    account = connect(services, padaria)
    run_id, taken = control.start(services, account, "page"), []
    padaria.world.before_request = lambda *_: taken.append(
        engine.run_one(services, run_id, "second", threading.Event())
    )
    assert engine.run_one(services, run_id, "first", threading.Event())
    assert len(taken) > 12
    assert not any(taken)
    assert run_view(services, account).proved


class Sleeper:
    """Holds one worker at a request of its own until another one has done its work."""

    def __init__(self, world: World, at: int) -> None:
        self.asleep, self.awake = threading.Event(), threading.Event()
        self._left, self._lock, self._world = at, threading.Lock(), world
        world.before_request = self

    def __call__(self, _method: str, _path: str, _query: str) -> None:
        with self._lock:
            self._left -= 1
            if self._left != 0:
                return
            self._world.before_request = None  # the other one is not held
        self.asleep.set()
        assert self.awake.wait(120)


@pytest.fixture
def shop() -> Iterator[Server]:
    with serve(make_world(contacts=600, deals=300)) as server:
        yield server


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("number", some(range(1, 24), 5))
def test_who_slept_past_the_lease_writes_nothing(tmp_path: Path, shop: Server, number: int) -> None:
    """Asleep at each request in turn; another worker ends the run; the first one awakes, and not one row differs."""
    services = prepared(make_settings(tmp_path, lease=600.0))
    watched(services.engine)
    other = prepared(make_settings(tmp_path, lease=600.0))
    account = connect(services, shop)
    run_id, sleeper = control.start(services, account, "page"), Sleeper(shop.world, number)
    first = threading.Thread(target=engine.run_one, args=(services, run_id, "first", threading.Event()))
    first.start()
    assert sleeper.asleep.wait(60)
    lapse(other, run_id)
    assert engine.run_one(other, run_id, "second", threading.Event())
    assert run_view(other, account).proved
    before = everything(other)
    sleeper.awake.set()
    first.join(60)
    assert not first.is_alive()
    assert everything(other) == before
    assert difference(other, account, shop.world) == []
    note(TAKEOVERS)
    services.engine.dispose()
    other.engine.dispose()


@pytest.mark.parametrize("page", some(range(1, 10), 1))
def test_a_process_asleep_past_its_lease_writes_nothing_when_it_wakes(
    tmp_path: Path, start_worker: Starter, page: int
) -> None:
    """SIGSTOP, another process takes over and ends the run, SIGCONT: the copy stays as the second one left it."""
    services = make_services(make_settings(tmp_path, lease=1.0))
    with serve(make_world(contacts=2100, deals=300)) as server:
        account = connect(services, server)
        control.start(services, account, "page")
        first = start_worker("first.log")
        asleep, once = threading.Event(), threading.Lock()

        def put_to_sleep(_method: str, path: str, query: str) -> None:
            if path == "/api/v4/contacts" and f"page={page}&" in query and once.acquire(blocking=False):
                processes.freeze(first, services)
                asleep.set()

        server.world.before_request = put_to_sleep
        assert asleep.wait(120)
        second = start_worker("second.log")
        processes.wait_for(lambda: not run_view(services, account).active)
        server.world.update("contacts", server.world.ids("contacts")[0], name="Depois")
        assert run_view(services, account).proved
        assert processes.end(second) == 0  # it would take the next run, too
        run(services, account)
        before = everything(services)
        os.kill(first.pid, signal.SIGCONT)
        processes.wait_for(lambda: "sync_lost_lease" in (tmp_path / "first.log").read_text())
        assert processes.end(first) == 0
        assert everything(services) == before
        assert difference(services, account, server.world) == []
    note(TAKEOVERS)
    note(RUNS, 2)
