"""Moving a whole database into another, empty one, on any two engines, and proving that nothing differs.

Nobody writes to the source meanwhile, and the target gets everything in one transaction: afterwards it holds all
rows, found equal, or none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, column, create_engine, inspect, literal, make_url, select, table, text
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.orm import Session

from kommo.db import Base, engine_options, prepare_engine, reading, sqlite_file, writing
from kommo.settings import check_database
from kommo.store import erase, runs, schema, search
from kommo.store.tables import Connection as Account
from kommo.store.tables import SearchPending, SyncRun
from kommo.store.transfer import Difference, compare, copy, go_on_counting

#: Every table, each behind those it points to. What waits for the search index is found anew.
TABLES = [each for each in Base.metadata.sorted_tables if each is not SearchPending.__table__]
_OF_THE_ENGINE = ("alembic_version", "wallet_search", "huey_")  # a queue may live in the same database
_PATIENCE = 15  # seconds to wait for others to end their transactions


class MoveError(Exception):
    """Nothing was moved: the source is as it was, the target has no row. The text is a Portuguese sentence."""


def open_target(address: str, source: Engine) -> Engine:
    """The engine for the address to move to; raises MoveError and SettingError where it cannot be the target."""
    try:
        url = make_url(check_database(address))
        options = engine_options(address)
    except (ValueError, ArgumentError):
        raise MoveError(
            "O endereço não serve; use sqlite:///caminho/do/arquivo ou "
            "postgresql+psycopg://usuario:senha@servidor/banco."
        ) from None
    if _place(url) == _place(source.url):
        raise MoveError("O destino é o banco em uso: escolha outro, vazio.")
    engine = create_engine(url, **options)
    prepare_engine(engine)
    return engine


def move(source: Engine, target: Engine, backups: Path, told: Callable[[str, int], None]) -> dict[str, int]:
    """Copy every table and compare every row; gives the rows of each table, `told` hears of each when it is done.

    Raises MoveError, and SchemaError where a newer program made the target.
    """
    _prepare(target, backups)
    rows = {}
    try:
        with _still(source) as from_session, writing(target) as session:
            here, there = from_session.connection(), session.connection()
            _hold(there, "EXCLUSIVE")
            _require_empty(there)
            for each in TABLES:
                copy(here, there, each)
                go_on_counting(there, each)
                rows[each.name] = compare(here, there, each)
                told(each.name, rows[each.name])
            search.mark_all(session)
        _settle(target)
    except DatabaseError as error:
        raise MoveError(
            f"A mudança parou ({_reason(error)}): o banco em uso está como estava, e nada ficou no destino."
        ) from None
    except Difference as difference:
        raise MoveError(f"{difference}: o banco em uso está como estava, e nada ficou no destino.") from None
    return rows


def _prepare(target: Engine, backups: Path) -> None:
    """Find the target there and empty, and bring its schema up to date."""
    try:
        with reading(target) as session:
            _require_empty(session.connection())
        schema.upgrade(target, backups)
    except DatabaseError as error:
        raise MoveError(f"O destino não pôde ser preparado ({_reason(error)}): confira o endereço.") from None


def _settle(target: Engine) -> None:
    """What the copy needs to be quick: SQLite's search index, PostgreSQL's knowledge of the rows."""
    search.catch_up(target)
    if target.dialect.name == "postgresql":
        with writing(target) as session:
            session.execute(text("ANALYZE"))


@contextmanager
def _still(source: Engine) -> Iterator[Session]:
    """The source, nobody able to write to it; raises MoveError where a run or an erasure goes on."""
    with writing(source) as session:
        _hold(session.connection(), "SHARE")
        working = select(SyncRun.id).where(SyncRun.state == "running", ~runs.due())
        if (run_id := session.scalars(working).first()) is not None:
            raise MoveError(
                f"A sincronização nº {run_id} está em andamento: encerre o painel e os trabalhadores e tente de novo "
                "(um trabalhador morto conta como vivo por até KOMMO_LEASE segundos)."
            )
        if erasing := erase.waiting(session):
            number = session.get_one(Account, erasing[0]).account_id
            raise MoveError(
                f"A cópia da conta {number} está sendo apagada: deixe um trabalhador terminar, encerre tudo "
                "e tente de novo."
            )
        yield session


def _hold(connection: Connection, mode: str) -> None:
    """Keep others from writing until the transaction ends; on SQLite a writing transaction does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}s'"))
    names = ", ".join(quote(each.name) for each in Base.metadata.sorted_tables)
    connection.execute(text(f"LOCK TABLE {names} IN {mode} MODE"))


def _require_empty(connection: Connection) -> None:
    """Raise MoveError for a database that holds a row of ours, or a table that is not ours."""
    ours = set(Base.metadata.tables)
    for name in inspect(connection).get_table_names():
        if name.startswith(_OF_THE_ENGINE):
            continue
        if name not in ours:
            raise MoveError(f"O destino não está vazio (tem a tabela {name}): escolha outro, vazio.")
        if connection.execute(select(literal(1)).select_from(table(name, column("x"))).limit(1)).first():
            raise MoveError(f"O destino não está vazio (há linhas em {name}): escolha outro, vazio.")


def _place(url: URL) -> tuple[object, ...]:
    """What tells two addresses of the same database from two databases."""
    file = sqlite_file(str(url))
    if file is not None:
        return (file.resolve(),)
    return url.host, url.port or 5432, url.database


def _reason(error: DatabaseError) -> str:
    return str(error.orig).splitlines()[0]
