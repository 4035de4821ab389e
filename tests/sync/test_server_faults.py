"""What can happen to the server under a run: no room, no writing, a damaged file, a reader that never ends, a kill.

By the faults' own means: SQLite's and the system's limits, bytes written over the file, a second process.
"""

import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, func, select, update

from kommo.db import reading, writing
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store.tables import SyncRun, Wallet
from kommo.sync import control, engine
from tests import processes
from tests.conftest import make_services, make_settings
from tests.jobs.conftest import Starter, start_worker
from tests.sync.accounts import connect, copy_of, difference, run, run_view

__all__ = ["start_worker"]
ON_SQLITE = pytest.mark.only_on("sqlite", reason="the database's file is ours; PostgreSQL's is its server's")
ROOM = 30  # SQLite pages that are left: enough for a sentence, not for a page of records


def wallet_file(services: Services) -> Path:
    return services.settings.instance / "kommo.sqlite3"


def is_whole(services: Services) -> bool:
    with closing(sqlite3.connect(wallet_file(services))) as probe:
        return probe.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextmanager
def no_room(services: Services) -> Iterator[None]:
    """SQLite's own limit of a file's size: to whoever writes past it the disk is full."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + ROOM}")

    services.engine.dispose()
    event.listen(services.engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(services.engine, "connect", limit)
        services.engine.dispose()


@ON_SQLITE
@pytest.mark.parametrize("again", [False, True], ids=["first", "sweep"])
def test_on_a_full_disk_a_run_waits_and_loses_nothing(services: Services, again: bool) -> None:
    """F10: it says so, what is there can be read, and it goes on where it stopped once there is room."""
    with serve(make_world(contacts=900, deals=300)) as server:
        account = connect(services, server)
        if again:
            assert run(services, account).proved
            for key in server.world.ids("contacts"):
                server.world.update("contacts", key, name=f"Nome bem mais comprido do que era, número {key}" * 9)
        held = len(copy_of(services, account, "contact"))
        with no_room(services):
            view = run(services, account, sweep=again)
            assert (view.state, view.active, view.proved) == ("paused", True, False)
            assert (
                view.waiting
                == "Sem espaço ou sem acesso ao disco do servidor: a sincronização espera e continua sozinha."
            )
            assert len(copy_of(services, account, "contact")) >= held
        assert is_whole(services)
        assert control.resume(services, account, view.id)
        assert engine.run_one(services, view.id, "test", threading.Event())
        assert run_view(services, account).proved
        assert difference(services, account, server.world) == []


@ON_SQLITE
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process is Linux's")
def test_a_worker_that_may_not_write_is_told_and_goes_on(tmp_path: Path, start_worker: Starter) -> None:
    """F11: the system refuses every write to the file, the worker's own sentence too; the process lives on."""
    import resource

    services = make_services(make_settings(tmp_path, lease=1.0))
    with serve(make_world(contacts=2400, deals=300)) as server:
        account = connect(services, server)
        control.start(services, account, "page")
        child = start_worker()
        struck = threading.Event()

        def strike(_method: str, path: str, query: str) -> None:
            if path == "/api/v4/contacts" and "page=6" in query and not struck.is_set():
                resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
                struck.set()

        server.world.before_request = strike
        assert struck.wait(60)
        processes.wait_for(lambda: "espaço" in (run_view(services, account).waiting or ""))
        view = run_view(services, account)
        assert view.active
        assert not view.proved
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        processes.wait_for(lambda: not run_view(services, account).active)
        assert run_view(services, account).proved, run_view(services, account).errors
        assert difference(services, account, server.world) == []
        assert is_whole(services)
        assert processes.end(child) == 0


@ON_SQLITE
def test_a_damaged_file_ends_the_run_in_words(services: Services, padaria: Server) -> None:
    """F14: bytes of the table of records are gone; the page says what to do, and the rest is left as it was."""
    account = connect(services, padaria)
    assert run(services, account).proved
    services.engine.dispose()
    with closing(sqlite3.connect(wallet_file(services))) as probe:
        probe.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = probe.execute("PRAGMA page_size").fetchone()[0]
        root = probe.execute("SELECT rootpage FROM sqlite_master WHERE name = 'Wallet'").fetchone()[0]
    with wallet_file(services).open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    view = run(services, account, sweep=True)
    assert (view.state, view.proved) == ("failed", False)
    assert view.errors == [
        "O arquivo do banco de dados está danificado e não se grava mais nada nele: restaure a última cópia de "
        "segurança (docs/operation.md) e sincronize de novo."
    ]


def test_a_reader_that_takes_its_time_is_in_nobodys_way(services: Services) -> None:
    """F9: it sees one moment of the copy, the run ends, and the log beside the file does not grow with every run."""
    with serve(make_world(contacts=900, deals=100)) as server:
        account = connect(services, server)
        assert run(services, account).proved
        beside = wallet_file(services).with_name("kommo.sqlite3-wal")
        names = select(func.count()).where(Wallet.name == "Outro nome")
        with reading(services.engine) as reader:
            reader.connection(execution_options={"isolation_level": "REPEATABLE READ"} if not beside.exists() else {})
            assert reader.scalar(names) == 0
            for key in server.world.ids("contacts"):
                server.world.update("contacts", key, name="Outro nome")
            assert run(services, account, sweep=True).proved
            assert reader.scalar(names) == 0
        assert difference(services, account, server.world) == []
        if not beside.exists():
            return
        assert run(services, account).proved  # the first to write afterwards begins the log anew
        grown = beside.stat().st_size
        for _ in range(3):
            assert run(services, account, sweep=True).proved
        assert beside.stat().st_size <= grown


@ON_SQLITE
def test_the_log_is_written_back_when_a_run_is_over(services: Services, padaria: Server, tmp_path: Path) -> None:
    """So it is used anew: on a small disk it would fill what room there is, and no write could ever be taken again."""
    account = connect(services, padaria)
    assert run(services, account).proved
    copy = tmp_path / "without-its-log.sqlite3"
    shutil.copyfile(wallet_file(services), copy)
    with closing(sqlite3.connect(copy)) as probe:
        assert probe.execute('SELECT count(*) FROM "Wallet"').fetchone() == (90,)
    log = wallet_file(services).with_name("kommo.sqlite3-wal")
    before = log.stat().st_size
    for _ in range(5):
        for key in padaria.world.ids("contacts"):
            padaria.world.update("contacts", key, name=f"{time.time()}")
        assert run(services, account).proved
    assert log.stat().st_size < 2 * before


@ON_SQLITE
def test_a_lock_that_is_held_too_long_is_waited_out(services: Services, padaria: Server) -> None:
    """Somebody else writes for longer than anybody waits (here a moment): the run is left, and taken up afterwards."""
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")
    services.engine.dispose()
    event.listen(services.engine, "connect", lambda made, _: made.execute("PRAGMA busy_timeout = 50"))
    with closing(sqlite3.connect(wallet_file(services), isolation_level=None, check_same_thread=False)) as other:

        def hold(_method: str, path: str, query: str) -> None:
            if path == "/api/v4/leads" and "page=" in query and not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")

        padaria.world.before_request = hold
        assert engine.run_one(services, run_id, "first", threading.Event())
        assert other.in_transaction
        assert run_view(services, account).active
        padaria.world.before_request = None
        other.execute("ROLLBACK")
    with writing(services.engine) as session:  # the lease is over
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(lease_until=0.0))
    assert engine.run_one(services, run_id, "second", threading.Event())
    assert run_view(services, account).proved
    assert difference(services, account, padaria.world) == []


@pytest.mark.only_on("postgresql", reason="SQLite is no server")
def test_a_database_server_that_is_away_is_waited_for(tmp_path: Path, start_worker: Starter) -> None:
    """It ends every connection and takes none for a while, as when it starts anew: the worker lives on."""
    services = make_services(make_settings(tmp_path, lease=1.0))
    name = str(services.engine.url.database)
    elsewhere = services.engine.url.set(database="postgres", drivername="postgresql")
    with serve(make_world(contacts=2400, deals=300)) as server:
        account = connect(services, server)
        control.start(services, account, "page")
        away = threading.Event()

        def go_away(_method: str, path: str, query: str) -> None:
            if path == "/api/v4/contacts" and "page=6" in query and not away.is_set():
                away.set()
                answer(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
                answer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

        def answer(command: str) -> None:
            address = elsewhere.render_as_string(hide_password=False)
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(command)  # type: ignore[arg-type]

        server.world.before_request = go_away
        child = start_worker()
        assert away.wait(60)
        time.sleep(2)
        assert child.poll() is None
        answer(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        processes.wait_for(lambda: not run_view(services, account).active)
        assert run_view(services, account).proved, run_view(services, account).errors
        assert difference(services, account, server.world) == []
        assert processes.end(child) == 0
