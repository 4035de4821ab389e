"""The schema: made, kept, backed up, and refused when it is newer than the program."""

import sqlite3
import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Integer, create_engine, inspect, text

from kommo.db import Base, engine_options, prepare_engine, reading, writing
from kommo.store import schema
from kommo.store.schema import SchemaError
from tests import databases


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


def test_two_processes_migrate_once(tmp_path: Path) -> None:
    """PostgreSQL: two that start together; the second finds it done."""
    with databases.postgres_database() as address:
        engine = create_engine(address, **engine_options(address))
        schema.upgrade(engine, tmp_path)
        with reading(engine) as session:
            assert schema.current(session.connection()) == schema.head()
        engine.dispose()


OURS = {
    "owner.id", "connection.user_id", "rate_slot.scope", "Wallet.user_id", "Wallet.kind", "Wallet.name", "Wallet.type",
    "custom_field.entity", "sync_run.trigger", "sync_run.state", "sync_run.phase", "sync_stream.stream",
    "sync_stream.state", "sync_band.stream", "sync_seen.stream", "sync_seen.change", "sync_candidate.stream",
    "sync_candidate.evidence", "sync_candidate.verdict", "sync_run.mode", "sync_mark.feed", "sync_missing.stream",
    "catalogue_read.catalogue", "rate_use.scope", "rate_use.purpose",
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
