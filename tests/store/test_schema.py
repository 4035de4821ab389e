"""The schema: made, kept, backed up, and refused when it is newer than the program."""

import itertools
import multiprocessing
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Integer, create_engine, event, inspect, text

from kommo.db import Base, engine_options, prepare_engine, writing
from kommo.settings import Settings
from kommo.store import schema
from kommo.store.schema import SchemaError
from tests import databases, processes


@pytest.fixture
def engine(database: str, tmp_path: Path):
    (tmp_path / "instance").mkdir()
    made = create_engine(database, **engine_options(database))
    prepare_engine(made)
    schema.upgrade(made, tmp_path / "backups")
    yield made
    made.dispose()


def _is_ours(difference: tuple) -> bool:
    """The search index's own tables and its index on PostgreSQL are made by hand."""
    return "wallet_search" not in str(difference) and "ix_Wallet_search" not in str(difference)


def test_the_migrations_make_what_the_classes_say(engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [found for found in compare_metadata(context, Base.metadata) if _is_ours(found)] == []


def test_whoever_writes_the_next_migration_asks_alembic_itself(engine, tmp_path: Path, monkeypatch) -> None:
    """`alembic -c migrations/alembic.ini …` works on the database that the settings name."""
    assert engine  # is at the newest
    monkeypatch.setenv("KOMMO_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("DATABASE_URL", databases.address_for(tmp_path / "instance"))
    command.current(Config(schema.MIGRATIONS / "alembic.ini", stdout=(said := StringIO())))
    assert schema.head() in said.getvalue()


@pytest.mark.only_on("sqlite", reason="what is imported is the same")
def test_a_start_with_nothing_to_do_leaves_alembic_out(settings: Settings) -> None:
    """It would be a fifth of what a start costs."""
    databases.prepare(settings)
    code = "import sys; from app import app; sys.exit('alembic' in sys.modules)"
    env = processes.environment(settings.instance)
    assert subprocess.run([sys.executable, "-c", code], cwd=processes.ROOT, env=env).returncode == 0


def test_down_and_up_again(engine, tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with writing(engine) as session:
        config.attributes["connection"] = session.connection()
        command.downgrade(config, "base")
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    schema.upgrade(engine, tmp_path / "backups")
    schema.require_current(engine)


def test_a_newer_schema_is_refused_in_words(engine, tmp_path: Path) -> None:
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refuse in (lambda: schema.upgrade(engine, tmp_path / "backups"), lambda: schema.require_current(engine)):
        with pytest.raises(SchemaError) as refused:
            refuse()
        assert "versão mais nova" in str(refused.value)
        assert "9999" in str(refused.value)


def test_an_unprepared_database_is_refused_by_workers(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    engine = create_engine(address, **engine_options(address))
    prepare_engine(engine)
    with pytest.raises(SchemaError, match=r"python app\.py"):
        schema.require_current(engine)
    engine.dispose()


def test_a_backup_is_a_whole_and_closed_copy(tmp_path: Path) -> None:
    file = tmp_path / "kommo.sqlite3"
    with sqlite3.connect(file) as source:
        source.execute("PRAGMA journal_mode=WAL")
        source.execute("CREATE TABLE a (b)")
        source.execute("INSERT INTO a VALUES (1)")
    copies = [schema.backup(file, tmp_path / "backups", f"{number:04}") for number in range(schema.KEPT_BACKUPS + 2)]
    source.close()
    kept = sorted((tmp_path / "backups").iterdir())
    assert len(kept) == schema.KEPT_BACKUPS
    assert copies[-1] in kept
    assert stat.S_IMODE(copies[-1].stat().st_mode) == 0o600
    with sqlite3.connect(copies[-1]) as copy:
        assert copy.execute("SELECT b FROM a").fetchall() == [(1,)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


def test_an_upgrade_backs_the_file_up_first(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'kommo.sqlite3'}"
    engine = create_engine(address, **engine_options(address))
    prepare_engine(engine)
    schema.upgrade(engine, tmp_path / "backups")
    assert not (tmp_path / "backups").exists()  # nothing was there to lose
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(Exception, match="0000"):  # no such revision: alembic's own error, after the backup
        schema.upgrade(engine, tmp_path / "backups")
    assert len(list((tmp_path / "backups").iterdir())) == 1
    engine.dispose()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[str]:
    """The address of a database in which nothing is yet, on each engine."""
    if databases.engine == databases.SQLITE:
        yield f"sqlite:///{tmp_path / 'bare.sqlite3'}"
    else:
        with databases.postgres_database(empty=True) as address:
            yield address


def _upgrade(address: str, backups: Path, killed_at: int = 0) -> None:
    """What a process does at its start; `killed_at` is the table at whose making it is killed."""
    engine = create_engine(address, **engine_options(address))
    prepare_engine(engine)
    made = itertools.count(1)

    def strike(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.strip().startswith("CREATE TABLE") and next(made) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", strike)
    schema.upgrade(engine, backups)
    schema.require_current(engine)
    engine.dispose()


@pytest.mark.parametrize("table", [2, 9, 17])
def test_an_upgrade_that_is_killed_has_not_begun(bare: str, tmp_path: Path, table: int) -> None:
    """F30: it is one transaction; the next start does it whole."""
    child = multiprocessing.get_context("spawn").Process(target=_upgrade, args=(bare, tmp_path / "backups", table))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    engine = create_engine(bare, **engine_options(bare))
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    _upgrade(bare, tmp_path / "backups")


def test_processes_that_start_together_migrate_once(bare: str, tmp_path: Path) -> None:
    """Whoever comes later finds it done."""
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_upgrade, args=(bare, tmp_path / "backups")) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0, 0]


OURS = {
    "owner.id", "connection.user_id", "rate_slot.scope", "Wallet.user_id", "Wallet.kind", "Wallet.name", "Wallet.type",
    "custom_field.entity", "sync_run.trigger", "sync_run.state", "sync_run.phase", "sync_stream.stream",
    "sync_stream.state", "sync_band.stream", "sync_seen.stream", "sync_seen.change", "sync_candidate.stream",
    "sync_candidate.evidence", "sync_candidate.verdict", "sync_run.mode", "sync_mark.feed", "sync_missing.stream",
    "catalogue_read.catalogue", "rate_use.scope", "rate_use.purpose", "audit.actor_kind", "audit.action", "audit.owner",
    "suppression.user_id", "suppression.kind", "keeping.name", "user.owner", "user.name", "user.role",
    "login_session.token_hash", "login_session.address", "login_session.agent", "api_key.name", "api_key.key_hash",
    "api_key.hint", "attempt.subject",
}  # fmt: skip


def test_only_words_of_our_own_have_a_length() -> None:
    """What Kommo, a setting or a machine's name says may be of any length; PostgreSQL refuses what is longer."""
    columns = [column for table in Base.metadata.tables.values() for column in table.columns]
    limited = {
        str(column) for column in columns if getattr(column.type, "length", None) and column.type.python_type is str
    }
    assert limited == OURS


def test_whole_numbers_of_kommo_have_64_bits() -> None:
    """Integer is for our own keys and counts."""
    narrow = {
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if type(column.type) is Integer
    }
    catalogues = ("pipeline", "stage", "kommo_user", "loss_reason", "custom_field", "company")
    foreign = {name for name in narrow if name.startswith(catalogues) and not name.endswith(".connection_id")}
    assert foreign == set()
    assert {name for name in narrow if name.startswith("Wallet")} == {"Wallet.connection_id"}
