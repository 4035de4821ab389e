"""Six accounts, three workers, kill -9 while they work: every copy is exact, and nothing was done by two at once."""

import contextlib
import os
import random
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from kommo.db import POOL_SIZE, reading
from kommo.jobs import queue
from kommo.jobs.worker import THREADS
from kommo.sandbox import Profile, Server, make_world, serve
from kommo.services import Services
from kommo.store.tables import SyncRun
from kommo.sync import control
from tests import databases, processes
from tests.conftest import make_services, make_settings
from tests.machines.conftest import Machines
from tests.sync.accounts import connect, difference, run_view

pytestmark = pytest.mark.only_on("postgresql", reason="several machines need a database that all of them reach")
WORKERS, ACCOUNTS, KILLS = 3, 6, 7
# Connections with PostgreSQL: a worker's own, one for each thread that listens to the queue, and the queue's two.
OF_A_WORKER, OF_THE_WEB = POOL_SIZE + THREADS + 2, POOL_SIZE + 1


@pytest.fixture(params=["postgresql", pytest.param("redis", marks=pytest.mark.redis)])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Services]:
    """An installation on PostgreSQL whose queue is there as well, or on Redis; its bell really rings."""
    instance = tmp_path / "instance"
    address = databases.redis() if request.param == "redis" else databases.address_for(instance).replace("+psycopg", "")
    opened = queue.open_queue(address)
    made = make_services(make_settings(tmp_path, queue_url=address, lease=1.0))
    yield replace(made, ring=queue.bell(opened))
    opened.storage.close()


@pytest.fixture
def kommos() -> Iterator[list[Server]]:
    """Six accounts whose ids overlap, each slow enough to be met at work."""
    with ExitStack() as stack:
        profiles = [Profile(account_id=30_001_000 + n, name=f"Loja {n}", subdomain=f"loja{n}") for n in range(ACCOUNTS)]
        worlds = [
            make_world(profile, contacts=120 * (n + 1), deals=60 * (n + 1), seed_number=n)
            for n, profile in enumerate(profiles)
        ]
        yield [stack.enter_context(serve(world, latency_ms=25)) for world in worlds]


@dataclass
class Killer:
    """Kills whoever works on an account a moment after its request arrives, every few requests."""

    services: Services
    rng: random.Random
    left: int = KILLS
    killed: list[int] = field(default_factory=list)
    holders: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _until: int = 8

    def watch(self, server: Server, connection_id: int) -> None:
        """Have this account's requests counted."""
        server.world.before_request = lambda _method, _path, _query: self._count(connection_id)

    def _count(self, connection_id: int) -> None:
        with self._lock:
            worker = self._worker_of(connection_id)
            if worker is None:
                return
            self.holders.add(worker)
            self._until -= 1
            if self._until > 0 or not self.left or worker in self.killed:
                return
            self._until = self.rng.randint(6, 12)
            self.left -= 1
            self.killed.append(worker)
            threading.Timer(self.rng.uniform(0, 0.05), self._strike, [worker]).start()

    def _worker_of(self, connection_id: int) -> int | None:
        """The process that holds the account's run; its name is machine, process and thread."""
        with reading(self.services.engine) as session:
            statement = select(SyncRun.worker).where(SyncRun.connection_id == connection_id, SyncRun.state == "running")
            name = session.scalars(statement).one_or_none()
        return int(name.split("-")[-2]) if name else None

    @staticmethod
    def _strike(worker: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def test_every_copy_is_exact_however_often_workers_are_killed(
    services: Services, kommos: list[Server], machines: Machines
) -> None:
    accounts = [connect(services, kommo, owner="12"[n % 2]) for n, kommo in enumerate(kommos)]
    killer = Killer(services, random.Random(20_261_124))
    for kommo, account in zip(kommos, accounts, strict=True):
        killer.watch(kommo, account)
    children = [machines.start(number) for number in range(WORKERS)]
    for account in accounts:
        control.start(services, account, "page")

    most_connections = 0

    def over() -> bool:
        nonlocal most_connections
        for number, child in enumerate(children):
            if child.poll() is not None:
                children[number] = machines.start(number)
        most_connections = max(most_connections, _connections(services))
        return not any(run_view(services, account).active for account in accounts)

    processes.wait_for(over)
    for kommo in kommos:
        kommo.world.before_request = None
    logs = machines.logs()
    for kommo, account in zip(kommos, accounts, strict=True):
        view = run_view(services, account)
        assert view.proved, (view.errors, view.warnings, logs[-3000:])
        assert difference(services, account, kommo.world) == []
    assert len(killer.killed) == KILLS
    assert len(killer.holders) > WORKERS  # all of them worked, and so did their successors
    assert not re.search("sync_broke|job_failed|Traceback", logs), logs[-5000:]
    assert most_connections <= WORKERS * OF_A_WORKER + OF_THE_WEB
    assert [processes.end(child) for child in children] == [0] * WORKERS


def test_the_connections_that_the_document_counts_fit_into_postgresql() -> None:
    """Its `max_connections` is 100 unless somebody changed it, three of them the administrator's."""
    told = (processes.ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    rows = {
        "servidor web e 1 trabalhador": OF_THE_WEB + OF_A_WORKER,
        "servidor web e 3 trabalhadores, fila no PostgreSQL": OF_THE_WEB + 3 * OF_A_WORKER,
        "servidor web e 5 trabalhadores, fila no Redis": 6 * POOL_SIZE,
    }
    for row, number in rows.items():
        assert f"| {row} | {number} |" in told
        assert number <= 100 - 3


def _connections(services: Services) -> int:
    """How many connections the installation's database has."""
    with reading(services.engine) as session:
        statement = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return session.scalar(statement) or 0


def test_two_workers_never_take_the_same_run(services: Services, kommos: list[Server], machines: Machines) -> None:
    """Each message three times more than needed, three workers awake: as many claims as runs."""
    machines.values["KOMMO_LEASE"] = "60"  # on a busy machine a shorter one may run out
    accounts = [connect(services, kommo) for kommo in kommos]
    children = [machines.start(number) for number in range(WORKERS)]
    runs = [control.start(services, account, "page") for account in accounts]
    for run_id in runs * 3:
        services.ring("sync", run_id)
    processes.wait_for(lambda: not any(run_view(services, account).active for account in accounts))
    with reading(services.engine) as session:
        assert session.scalar(select(func.sum(SyncRun.fence))) == ACCOUNTS
    for kommo, account in zip(kommos, accounts, strict=True):
        assert difference(services, account, kommo.world) == []
    assert [processes.end(child) for child in children] == [0] * WORKERS
