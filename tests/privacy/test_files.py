"""After an erasing no byte of the person is in any file of the installation."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from kommo.connect import flow
from kommo.db import reading, writing
from kommo.privacy import erase, files
from kommo.services import Services
from kommo.store import schema
from kommo.store.erase import erase as erase_copy
from kommo.store.tables import Audit, Scrub, SyncRun
from tests.privacy.conftest import BY, VALUES, Scene
from tests.sync.accounts import run

SPELLINGS = [value.encode() for value in VALUES]


def leaks(folder: Path) -> list[str]:
    """The files, whatever they are, in whose raw bytes one of Quitéria's values stands."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        found += [f"{path.name}: {value.decode()}" for value in SPELLINGS if value in raw]
    return found


def clean(scene: Scene) -> bool:
    erase.erase(scene.services, scene.connection, scene.person, BY)
    return files.clean(scene.services)


@pytest.mark.only_on("sqlite", reason="the file is ours to clean")
def test_no_byte_is_left_in_any_file(scene: Scene) -> None:
    folder = scene.services.settings.instance
    database = folder / "kommo.sqlite3"
    backup = schema.backup(database, folder / "backups", "antes")
    schema.copy_file(database, folder / "backups" / "copia-20261101-120000.sqlite3")
    before = leaks(folder)
    places = {one.partition(":")[0] for one in before}
    assert places >= {backup.name, "copia-20261101-120000.sqlite3"}
    assert places & {"kommo.sqlite3", "kommo.sqlite3-wal"}

    assert clean(scene)

    assert leaks(folder) == []


@pytest.mark.only_on("sqlite", reason="the file is ours to clean")
def test_before_the_cleaning_the_bytes_are_there(scene: Scene) -> None:
    """What the test above finds gone is not gone by itself."""
    erase.erase(scene.services, scene.connection, scene.person, BY)
    assert leaks(scene.services.settings.instance) != []


@pytest.mark.only_on("sqlite", reason="the file is ours to clean")
def test_the_next_runs_bring_no_byte_back(scene: Scene) -> None:
    assert clean(scene)
    scene.kommo.world.update("contacts", scene.person, first_name="Quitéria")
    assert run(scene.services, scene.connection_id, sweep=True).proved
    assert run(scene.services, scene.connection_id).proved
    assert leaks(scene.services.settings.instance) == []


@pytest.mark.only_on("sqlite", reason="the file is ours to clean")
def test_backups_are_replaced_by_a_clean_one_that_opens(scene: Scene) -> None:
    folder = scene.services.settings.instance / "backups"
    schema.backup(scene.services.settings.instance / "kommo.sqlite3", folder, "antes")
    assert clean(scene)
    (only,) = folder.iterdir()
    with closing(sqlite3.connect(only)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM suppression WHERE kind = 'contact'").fetchone() == (1,)


@pytest.mark.only_on("sqlite", reason="the file is ours to clean")
def test_the_file_is_whole_and_searches_afterwards(scene: Scene) -> None:
    assert clean(scene)
    with closing(sqlite3.connect(scene.services.settings.instance / "kommo.sqlite3")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file.execute("INSERT INTO wallet_search(wallet_search, rank) VALUES ('integrity-check', 1)")


def test_without_backups_none_is_made(scene: Scene) -> None:
    assert clean(scene)
    assert files.backups(scene.services.settings.instance) == []


@pytest.mark.only_on("postgresql", reason="backups there are of an older database")
def test_on_postgresql_old_backups_go(scene: Scene) -> None:
    folder = scene.services.settings.instance / "backups"
    folder.mkdir(exist_ok=True)
    (folder / "kommo-20250101-000000-0001.sqlite3").write_bytes(b"old")
    assert clean(scene)
    assert files.backups(scene.services.settings.instance) == []


def test_it_waits_while_a_synchronisation_runs(scene: Scene) -> None:
    with writing(scene.services.engine) as session:
        now = 4_000_000_000.0
        session.add(SyncRun(connection_id=scene.connection_id, trigger="page", state="running", requested_at=now))
        session.flush()
        row = session.scalars(select(SyncRun).where(SyncRun.state == "running")).one()
        row.lease_until = _soon(session)
    assert not clean(scene)
    assert _undone(scene.services) == 1
    with writing(scene.services.engine) as session:
        session.scalars(select(SyncRun).where(SyncRun.state == "running")).one().state = "cancelled"
    assert files.clean(scene.services)
    assert _undone(scene.services) == 0


def test_a_run_of_a_dead_worker_does_not_hold_it_up(scene: Scene) -> None:
    with writing(scene.services.engine) as session:
        session.add(SyncRun(connection_id=scene.connection_id, trigger="page", state="running", requested_at=0.0))
    assert clean(scene)


def test_one_cleaning_does_for_all_that_were_asked_for(scene: Scene) -> None:
    others = scene.kommo.world.ids("contacts")[:2]
    for each in others:
        erase.erase(scene.services, scene.connection, each, BY)
    assert _undone(scene.services) == 2
    assert files.clean(scene.services)
    assert _undone(scene.services) == 0
    with reading(scene.services.engine) as session:
        assert list(session.scalars(select(Audit.action)))[-1] == "privacy.file_cleaned"
        assert files.waiting(session) == []


@pytest.mark.only_on("sqlite", reason="the file is ours to clean")
def test_a_whole_copy_that_was_erased_leaves_no_byte_either(scene: Scene) -> None:
    flow.disconnect(scene.services, "1", scene.connection_id, with_copy=True)
    erase_copy(scene.services.engine, scene.connection_id)
    assert _undone(scene.services) == 1
    assert files.clean(scene.services)
    assert leaks(scene.services.settings.instance) == []


@pytest.mark.only_on("sqlite", reason="the log beside the file")
def test_a_reader_puts_it_off_and_the_next_try_does_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    erase.erase(scene.services, scene.connection, scene.person, BY)
    with closing(sqlite3.connect(scene.services.settings.instance / "kommo.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM Wallet").fetchone()
        monkeypatch.setattr(files, "PATIENCE", 0.05)
        assert not files.clean(scene.services)
        assert _undone(scene.services) == 1
    monkeypatch.undo()
    assert files.clean(scene.services)
    assert leaks(scene.services.settings.instance) == []


def test_a_worker_does_it_by_itself(scene: Scene) -> None:
    from kommo.jobs.worker import Worker

    erase.erase(scene.services, scene.connection, scene.person, BY)
    worker = Worker(scene.services)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        done = threading.Event()
        for _ in range(200):
            if _undone(scene.services) == 0:
                break
            done.wait(0.1)
    finally:
        worker.stopping.set()
        thread.join(30)
    assert _undone(scene.services) == 0


def _soon(session: object) -> float:
    from kommo.db import now

    return now(session) + 3600  # type: ignore[arg-type]


def _undone(services: Services) -> int:
    with reading(services.engine) as session:
        return len(list(session.scalars(select(Scrub.id).where(Scrub.done_at.is_(None)))))
