"""`kommo.store.move`: every row of every table arrives as it was, in any engine, or none does."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import JSON, Boolean, Column, Engine, LargeBinary, Table, func, insert, select, text, update

from kommo.db import Base, reading, sqlite_file, writing
from kommo.sandbox import Server
from kommo.services import Services
from kommo.store import move, schema
from kommo.store.contacts import contact_list
from kommo.store.filters import Filters
from kommo.store.move import TABLES, MoveError
from kommo.store.tables import Connection, Owner, SearchPending, SyncEvent, SyncRun, Wallet
from kommo.store.transfer import LOT, Difference, compare, same_json
from kommo.sync import control, engine
from tests import databases
from tests.conftest import make_services, make_settings
from tests.factories import make_account, make_run
from tests.store import extremes
from tests.sync.accounts import connect, difference, run


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where to move to: a database with nothing in it, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'outro.sqlite3'}"
    else:
        with databases.postgres_database(empty=True) as found:
            yield found


@pytest.fixture
def target(services: Services, address: str) -> Iterator[Engine]:
    """The engine of the database to move to."""
    found = move.open_target(address, services.engine)
    yield found
    found.dispose()


def moved(services: Services, target: Engine) -> dict[str, int]:
    """Move; gives the rows of each table."""
    return move.move(services.engine, target, services.settings.instance / "backups", lambda _table, _rows: None)


def counted(engine: Engine) -> dict[str, int]:
    """The rows of each table of a prepared database."""
    with reading(engine) as session:
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES}


def test_the_widest_values_of_every_column_arrive(services: Services, target: Engine) -> None:
    extremes.fill(services.engine)
    assert moved(services, target) == {table.name: 1 for table in TABLES} == counted(target)
    with reading(services.engine) as here, reading(target) as there:
        for table in TABLES:
            assert here.execute(select(table)).one() == there.execute(select(table)).one()


def _other(column: Column[object], value: object) -> object:
    """Another value for a column than the one it has."""
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, LargeBinary):
        return b"x" * 16
    if isinstance(column.type, JSON):
        return extremes.VALUES | {"a": {"b": {"c": [True]}}}
    return value - 1 if isinstance(value, int | float) else f"{value}"[:-1]


def test_a_difference_in_any_column_of_any_table_is_found(services: Services, target: Engine) -> None:
    extremes.fill(services.engine)
    moved(services, target)
    looked_at = 0
    for table in TABLES:
        for column in [column for column in table.columns if not column.foreign_keys and not _pointed_at(column)]:
            with reading(services.engine) as here, reading(target) as there:
                value = there.execute(select(column)).scalar_one()
                there.execute(update(table).values({column.name: _other(column, value)}))
                with pytest.raises(Difference, match=table.name):
                    compare(here.connection(), there.connection(), table)
            looked_at += 1
    assert looked_at > 100


def _pointed_at(column: Column[object]) -> bool:
    return any(key.column is column for table in TABLES for key in table.foreign_keys)


def test_a_row_too_many_or_too_few_is_found(services: Services, target: Engine) -> None:
    extremes.fill(services.engine)
    moved(services, target)
    owner: Table = Owner.__table__  # type: ignore[assignment]
    with reading(services.engine) as here, reading(target) as there:
        there.execute(insert(owner), [{"id": "0", "created_at": 0.0}])
        with pytest.raises(Difference):
            compare(here.connection(), there.connection(), owner)
        with pytest.raises(Difference):
            compare(there.connection(), here.connection(), owner)


def test_texts_are_compared_in_one_order(services: Services, target: Engine) -> None:
    """PostgreSQL may sort by a language, SQLite sorts by bytes: as keys, both orders have to be one."""
    with writing(services.engine) as session:
        session.add_all([Owner(id=key, created_at=0.0) for key in ("b", "B", "a", "á", "Z", "_", "1", "ä2", "-", "😀")])
    assert moved(services, target)["owner"] == 10


def test_more_rows_than_are_held_at_once_arrive(services: Services, target: Engine) -> None:
    account = make_account(services.engine)
    rows = [{"connection_id": account.id, "event_id": f"{n:05}", "created_at": n} for n in range(3 * LOT + 7)]
    with writing(services.engine) as session:
        session.connection().execute(insert(SyncEvent.__table__), rows)
    assert moved(services, target)["sync_event"] == len(rows)


def test_a_moved_copy_goes_on_where_it_was(
    services: Services, target: Engine, address: str, tmp_path: Path, padaria: Server, oficina: Server
) -> None:
    """Search, the next run, and a new account with numbers of its own: on the database moved to."""
    padaria.world.update("contacts", padaria.world.ids("contacts")[0], name="Quitéria Procurada")
    account = connect(services, padaria)
    assert run(services, account).proved
    moved(services, target)
    there = make_services(make_settings(tmp_path, database_url=address))
    assert difference(there, account, padaria.world) == []

    with reading(there.engine) as session:
        assert session.scalars(select(SearchPending)).all() == []
        found = contact_list(session, session.get_one(Connection, account), Filters("quiteria", sort="nome"))
    assert "Quitéria Procurada" in [row.title for row in found.rows]

    padaria.world.update("contacts", padaria.world.ids("contacts")[1], name="Depois da mudança")
    padaria.world.delete("leads", padaria.world.ids("leads")[0])
    assert run(there, account).proved
    assert difference(there, account, padaria.world) == []
    other = connect(there, oficina)
    assert run(there, other).proved
    assert difference(there, other, oficina.world) == []


def test_a_run_that_rests_moves_too_and_ends_there(
    services: Services, target: Engine, address: str, tmp_path: Path, padaria: Server
) -> None:
    """Workers that were asked to stop leave their run queued: nobody has to wait for it before moving."""
    account = connect(services, padaria)
    run_id = control.start(services, account, "page")
    moved(services, target)
    there = make_services(make_settings(tmp_path, database_url=address))
    assert engine.run_one(there, run_id, "test", threading.Event())
    assert difference(there, account, padaria.world) == []


def test_numbers_go_on_above_the_highest(services: Services, target: Engine) -> None:
    account = make_account(services.engine)
    last = [make_run(services.engine, account) for _ in range(3)][-1]
    moved(services, target)
    assert make_run(target, account) == last + 1
    assert make_account(target, name="Oficina Norte", account_id=30002000).id == account.id + 1


def test_nobody_writes_to_the_source_meanwhile(services: Services, target: Engine) -> None:
    """Or what they wrote would be lost: their write waits, and fails in the end."""
    refused: list[str] = []

    def try_to_write(table: str, _rows: int) -> None:
        file = sqlite_file(str(services.engine.url))
        if table != "Wallet":
            return
        if file:
            with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("UPDATE owner SET created_at = 1")
                refused.append(str(other.execute("SELECT count(*) FROM owner").fetchone()))
        else:
            url = services.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(url, options="-c lock_timeout=100") as other:
                assert other.execute("SELECT count(*) FROM owner").fetchone() == (1,)
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute("UPDATE owner SET created_at = 1")
                refused.append("yes")

    make_account(services.engine)
    move.move(services.engine, target, services.settings.instance / "backups", try_to_write)
    assert len(refused) == 1


def _spoil(target: Engine, table: str, column: str) -> None:
    """Let the target change what is written into it."""
    with writing(target) as session:
        if target.dialect.name == "sqlite":
            session.execute(
                text(f"CREATE TRIGGER spoil AFTER INSERT ON {table} BEGIN UPDATE {table} SET {column} = 7; END")
            )
        else:
            session.execute(
                text(
                    f"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.{column} = 7; "
                    f"RETURN NEW; END $$"
                )
            )
            session.execute(
                text(f"CREATE TRIGGER spoil BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION spoil()")
            )


def test_where_a_row_arrives_otherwise_nothing_is_left(services: Services, target: Engine, tmp_path: Path) -> None:
    extremes.fill(services.engine)
    schema.upgrade(target, tmp_path / "backups")
    _spoil(target, "sync_stream", "pages")
    with pytest.raises(MoveError, match=r"de sync_stream não chegou igual: .* nada ficou no destino"):
        moved(services, target)
    assert set(counted(target).values()) == {0}
    assert set(counted(services.engine).values()) == {1}


@pytest.mark.only_on("sqlite", reason="PostgreSQL never held such a text")
def test_what_the_target_cannot_hold_leaves_nothing_there(services: Services, tmp_path: Path) -> None:
    make_account(services.engine)
    with writing(services.engine) as session:
        session.execute(update(Connection).values(name="NUL \0"))
    with databases.postgres_database(empty=True) as address:
        target = move.open_target(address, services.engine)
        with pytest.raises(MoveError, match="nada ficou no destino") as refused:
            moved(services, target)
        assert "Padaria" not in str(refused.value)
        assert set(counted(target).values()) == {0}
        target.dispose()
    assert counted(services.engine)["connection"] == 1


def test_a_target_that_holds_anything_is_refused_untouched(services: Services, target: Engine, tmp_path: Path) -> None:
    with writing(target) as session:
        session.execute(text("CREATE TABLE pedidos (id integer)"))
    with pytest.raises(MoveError, match="tem a tabela pedidos"):
        moved(services, target)
    with reading(target) as session:
        assert schema.current(session.connection()) is None
    with writing(target) as session:
        session.execute(text("DROP TABLE pedidos"))
    schema.upgrade(target, tmp_path / "backups")
    make_account(target)
    with pytest.raises(MoveError, match="há linhas em"):
        moved(services, target)
    assert counted(target)["connection"] == 1


def test_the_queue_s_tables_in_the_target_do_not_matter(services: Services, target: Engine) -> None:
    with writing(target) as session:
        session.execute(text("CREATE TABLE huey_task (id integer)"))
    assert set(moved(services, target).values()) == {0}


def test_a_target_of_a_newer_program_is_refused(services: Services, target: Engine, tmp_path: Path) -> None:
    schema.upgrade(target, tmp_path / "backups")
    with writing(target) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.SchemaError, match="versão mais nova"):
        moved(services, target)


def test_a_run_under_way_is_refused(services: Services, target: Engine) -> None:
    account = make_account(services.engine)
    run_id = make_run(services.engine, account, "running", lease_until=0.0)
    with writing(services.engine) as session:
        session.get_one(SyncRun, run_id).lease_until = move.runs.now(session) + 30
    with pytest.raises(MoveError, match=f"sincronização nº {run_id} está em andamento: encerre"):
        moved(services, target)
    assert set(counted(target).values()) == {0}
    with writing(services.engine) as session:  # its worker is dead
        session.get_one(SyncRun, run_id).lease_until = 0.0
    assert moved(services, target)["sync_run"] == 1


def test_an_erasure_under_way_is_refused(services: Services, target: Engine) -> None:
    account = make_account(services.engine)
    with writing(services.engine) as session:
        session.get_one(Connection, account.id).erasing = True
    with pytest.raises(MoveError, match="conta 30001000 está sendo apagada"):
        moved(services, target)
    assert set(counted(target).values()) == {0}


def test_no_column_holds_json_and_sometimes_nothing() -> None:
    """A missing value and JSON's null would arrive as the same."""
    columns = [column for table in Base.metadata.tables.values() for column in table.columns]
    assert [str(column) for column in columns if isinstance(column.type, JSON) and column.nullable] == []


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ("1e16", "10000000000000000", True),
        ("1.0", "1.0", True),
        ("-0.0", "0.0", True),
        ("0.1", "0.10", True),
        ("1", "true", False),
        ("0", "false", False),
        ("[1]", "[true]", False),
        ("null", "false", False),
        ('""', "null", False),
        ("[]", "{}", False),
        ("[1, 2]", "[2, 1]", False),
        ('{"a": 1}', '{"a": 1, "b": null}', False),
        ("1e16", "10000000000000001", False),
        ('"1"', "1", False),
    ],
)
def test_json_is_compared_as_a_value(one: str, other: str, equal: bool) -> None:
    assert same_json(one, other) is equal


def test_the_wallet_s_record_is_compared_as_json(services: Services, target: Engine) -> None:
    """True where 1 was is a difference, though Python calls them equal."""
    extremes.fill(services.engine)
    moved(services, target)
    wallet: Table = Wallet.__table__  # type: ignore[assignment]
    changed = extremes.VALUES | {
        extremes.HOSTILE: [extremes.NUMBERS, True, True, None, [], {}, "", [[extremes.HOSTILE]]]
    }
    with reading(services.engine) as here, reading(target) as there:
        there.execute(update(wallet).values({"metadata": changed}))
        with pytest.raises(Difference):
            compare(here.connection(), there.connection(), wallet)


@pytest.mark.only_on("postgresql", reason="on SQLite the busy timeout says so")
def test_a_source_that_others_write_to_is_given_up(
    services: Services, target: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "_PATIENCE", 1)
    with writing(services.engine) as session:
        session.add(Owner(id="1", created_at=0.0))
        session.flush()
        with pytest.raises(MoveError, match="lock timeout"):
            moved(services, target)
    assert set(counted(target).values()) == {0}
