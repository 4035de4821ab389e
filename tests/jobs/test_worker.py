"""The worker as a process: it answers the bell, survives nothing, and loses nothing by that."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kommo.db import writing
from kommo.jobs import queue
from kommo.jobs.worker import Worker
from kommo.sandbox import Server, make_world, serve
from kommo.services import ERASE, SYNC, Services
from kommo.store import connections, runs
from kommo.store.progress import RunView
from kommo.store.tables import Connection, Wallet
from kommo.sync import control
from tests import databases, processes
from tests.conftest import make_services, make_settings
from tests.jobs.conftest import Starter
from tests.sync.accounts import connect, difference, run, run_view


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Services, Server, int]]:
    """An installation with Padaria Estrela connected: ten and six pages."""
    services = make_services(make_settings(tmp_path, lease=1.0))
    with serve(make_world(contacts=2400, deals=1400)) as server:
        yield services, server, connect(services, server)
    services.engine.dispose()


def _done(services: Services, connection: int) -> bool:
    return not run_view(services, connection).active


def test_a_worker_killed_again_and_again_ends_with_an_exact_copy(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter
) -> None:
    """P5: kill -9 after every few requests; each successor goes on where the last one stopped."""
    services, server, connection = account
    rng = random.Random(7)
    control.start(services, connection, "page")
    kills, budget, lock = 0, [0], threading.Lock()
    child = start_worker()

    def strike(_method: str, _path: str, _query: str) -> None:
        with lock:
            budget[0] -= 1
            if budget[0] == 0:
                os.kill(child.pid, signal.SIGKILL)

    server.world.before_request = strike
    while kills < 5 and not _done(services, connection):
        budget[0] = rng.randint(9, 12)
        processes.wait_for(lambda child=child: child.poll() is not None or _done(services, connection))
        if child.poll() is not None:
            kills += 1
            child = start_worker()
    server.world.before_request = None
    processes.wait_for(lambda: _done(services, connection))
    assert kills >= 2
    view = run_view(services, connection)
    assert view.proved, (view.errors, (tmp_path / "worker.log").read_text()[-2000:])
    assert difference(services, connection, server.world) == []
    assert processes.end(child) == 0


def test_a_worker_without_a_sign_of_life_is_told(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter
) -> None:
    """Frozen, killed, or on a full disk: the page says so as soon as the lease is over."""
    services, server, connection = account
    control.start(services, connection, "page")
    child = start_worker()
    frozen, once = threading.Event(), threading.Lock()

    def freeze(_method: str, path: str, _query: str) -> None:
        if path == "/api/v4/contacts" and once.acquire(blocking=False):
            processes.freeze(child, services)
            frozen.set()

    server.world.before_request = freeze
    assert frozen.wait(60)
    processes.wait_for(lambda: "não dá sinal há" in (run_view(services, connection).waiting or ""))
    os.kill(child.pid, signal.SIGCONT)
    processes.wait_for(lambda: _done(services, connection))
    assert run_view(services, connection).proved
    assert run_view(services, connection).waiting is None


def test_it_ends_within_seconds_and_gives_its_run_back(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter
) -> None:
    services, server, connection = account
    control.start(services, connection, "page")
    reading = threading.Event()
    server.world.before_request = lambda _m, path, _q: reading.set() if path == "/api/v4/contacts" else None
    server.world.fail("GET /api/v4/contacts", times=None, how="slow", seconds=0.3)
    child = start_worker(KOMMO_LEASE="60")
    assert reading.wait(60)
    assert processes.end(child) == 0
    assert run_view(services, connection).state == "queued"


def test_it_ends_when_the_process_that_started_it_is_gone(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter
) -> None:
    """Not before: it works while its standard input is open."""
    services, _server, connection = account
    control.start(services, connection, "page")
    command = [sys.executable, "-m", "kommo.jobs.worker", "--until-stdin-closes"]
    env = processes.environment(tmp_path / "instance")
    with subprocess.Popen(command, cwd=processes.ROOT, env=env, stdin=subprocess.PIPE) as child:
        try:
            processes.wait_for(lambda: _done(services, connection))
            assert child.poll() is None
            assert child.stdin is not None
            child.stdin.close()
            assert child.wait(60) == 0
        finally:
            child.kill()


def test_it_refuses_a_database_it_does_not_know(tmp_path: Path) -> None:
    databases.address_for(tmp_path / "instance", empty=True)
    env = processes.environment(tmp_path / "instance")
    done = subprocess.run(
        [sys.executable, "-m", "kommo.jobs.worker"], cwd=processes.ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "O banco de dados ainda não foi preparado por esta versão; inicie primeiro `python app.py`.\n"


def test_it_erases_a_copy_that_nobody_wants(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter
) -> None:
    services, _server, connection = account
    run(services, connection)
    with writing(services.engine) as session:
        session.get_one(Connection, connection).erasing = True
    child = start_worker()

    def erased() -> bool:
        with writing(services.engine) as session:
            return session.query(Wallet).count() == 0 and connections.by_id(session, "1", connection) is None

    processes.wait_for(erased)
    assert processes.end(child) == 0


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("redis", marks=pytest.mark.redis),
                                    pytest.param("postgresql", marks=pytest.mark.postgres)])  # fmt: skip
def test_the_bell_rings_on_every_queue(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter, engine: str
) -> None:
    """A run starts at once when the bell rings, on SQLite, Redis and PostgreSQL."""
    services, _server, connection = account
    if engine == "postgresql":
        with databases.postgres_database() as address:
            view = _ring(start_worker, services, connection, address.replace("+psycopg", ""))
    else:
        address = databases.redis() if engine == "redis" else f"sqlite:///{tmp_path / 'queue.sqlite3'}"
        view = _ring(start_worker, services, connection, address)
    assert view.proved


def _ring(start_worker: Starter, services: Services, connection: int, address: str) -> RunView:
    """Ring for a run more often than needed, and wait for its end."""
    child = start_worker(KOMMO_QUEUE_URL=address, KOMMO_LEASE="3600")
    opened = queue.open_queue(address)
    ring = queue.bell(opened)
    run_id = control.start(services, connection, "page")
    ring(SYNC, run_id)
    ring(SYNC, run_id)  # a doubled message is harmless
    ring(ERASE, connection)  # and so is one for a row without work
    processes.wait_for(lambda: _done(services, connection))
    assert processes.end(child) == 0
    opened.storage.close()
    return run_view(services, connection, run_id)


def test_a_lost_message_is_made_good_by_the_tick(
    tmp_path: Path, account: tuple[Services, Server, int], start_worker: Starter
) -> None:
    """Nobody rings; the worker's own look at the rows finds the run."""
    services, _server, connection = account
    with writing(services.engine) as session:
        runs.request(session, connection, "api")
    child = start_worker()
    processes.wait_for(lambda: _done(services, connection))
    assert run_view(services, connection).proved
    assert processes.end(child) == 0


def test_a_queue_that_is_away_is_said_on_the_run_s_row(tmp_path: Path, padaria: Server) -> None:
    """The database takes a sentence though the queue takes no message; the tick after that tries again."""
    with databases.closed_port() as port:
        services = make_services(make_settings(tmp_path, queue_url=f"redis://127.0.0.1:{port}/0"))
        account = connect(services, padaria)
        control.start(services, account, "page")
        Worker(services).tick()
    view = run_view(services, account)
    assert (view.state, view.waiting) == (
        "queued",
        "A fila de trabalho não respondeu: a sincronização espera e continua sozinha.",
    )
