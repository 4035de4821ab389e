"""The database: one engine for SQLite and PostgreSQL, short write transactions, its own clock.

Reads run in deferred transactions. Every write goes through `writing()`, which begins IMMEDIATE on SQLite: a
transaction that reads first and writes later fails at once with SQLITE_BUSY_SNAPSHOT, whatever the busy timeout.
"""

import importlib.util
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, Connection, Engine, Float, Integer, MetaData, Select, event, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.functions import FunctionElement

from kommo.settings import SettingError

BUSY_TIMEOUT = 15.0  # seconds a writer waits for another one
#: PostgreSQL's connections of one process, at most. Transactions are short, so threads take turns; docs/operation.md
#: counts how many processes fit under its `max_connections`.
POOL_SIZE = 15
#: Seconds until a PostgreSQL that does not answer counts as away; a server that has gone silent is found out, too.
_REACH = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_WAIT_AGAIN = "PRAGMA busy_timeout=15000"  # BUSY_TIMEOUT, in milliseconds
LOG_KEPT = 32 * 1024 * 1024  # bytes of SQLite's log that stay beside the file when nobody needs them
PAGE_SIZE = 4096  # bytes; SQLite's own for a new file
LEFT_OPEN = 60  # seconds until PostgreSQL ends a transaction whose machine is gone or frozen: it may hold rows

#: JSON on both engines: text on SQLite, JSONB on PostgreSQL.
Json = JSON().with_variant(JSONB(), "postgresql")
#: Our own numbers: 64 bits on both engines. SQLite gives its row numbers to a primary key declared INTEGER only.
Key = BigInteger().with_variant(Integer(), "sqlite")


class Serialized(str):
    """JSON that is already text: stored as it is, not serialised a second time."""

    __slots__ = ()


class Base(DeclarativeBase):
    """The mapped classes' base; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # a lock for each SQLite file


class clock(FunctionElement[float]):
    """The database's own time in Unix seconds with fractions: one clock for all machines."""

    type = Float()
    inherit_cache = True


@compiles(clock, "sqlite")
def _clock_sqlite(*_args: Any, **_kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _clock_postgresql(*_args: Any, **_kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def now(session: Session) -> float:
    """The database's time, Unix seconds."""
    return float(session.execute(select(clock())).scalar_one())


def engine_options(url: str) -> dict[str, Any]:
    """What `create_engine` needs for this address: serialiser, pool, time limits.

    Raises SettingError where the driver it takes is not installed.
    """
    options: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads}
    options["hide_parameters"] = True  # an error's text must not hold people's data
    if make_url(url).get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False}
        options["pool_size"] = 20
        options["pool_use_lifo"] = True  # the fewest connections, each with a page cache of its own
    else:
        require_package("psycopg", "DATABASE_URL", "psycopg[binary]")
        options["pool_pre_ping"] = True
        options["pool_size"], options["max_overflow"], options["pool_use_lifo"] = POOL_SIZE, 0, True
        options["connect_args"] = dict(_REACH)
    return options


def require_package(module: str, variable: str, package: str) -> None:
    """Raise SettingError where an optional package that a setting asks for is not installed."""
    if importlib.util.find_spec(module) is None:
        raise SettingError(
            f"{variable} pede um pacote que não está instalado: rode pip install '{package}' e inicie de novo."
        )


def require_queue_driver(address: str) -> None:
    """Raise SettingError where the queue's address asks for a package that is not installed; opens nothing."""
    scheme = address.partition(":")[0]
    if scheme == "postgresql":
        require_package("psycopg", "KOMMO_QUEUE_URL", "psycopg[binary]")
    elif scheme in ("redis", "rediss"):
        require_package("redis", "KOMMO_QUEUE_URL", "redis")


def sqlite_file(url: str) -> Path | None:
    """The path of the SQLite file an address names; None for another engine."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def prepare_engine(engine: Engine) -> None:
    """Teach an engine our way of connecting and beginning; called once for each engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _connect_postgres)


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One write transaction, committed at the end and rolled back on an error. Never hold it over a request.

    One that finds SQLite's disk full fails, and leaves it the room of our own log: it may be what fills it.
    """
    session = Session(engine.execution_options(kommo_writing=True), expire_on_commit=False)
    try:
        with _turn(engine), session, session.begin():
            yield session
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            write_back(engine, give_back=True)
        raise


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """The threads of a process take turns at SQLite's one writer: its own waiting sleeps up to 100 ms at a time.

    Other processes are waited for by the busy timeout; so is a turn that does not come in time.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _turns[str(engine.url)]
    came = lock.acquire(timeout=BUSY_TIMEOUT)
    try:
        yield
    finally:
        if came:
            lock.release()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One read transaction outside a web request: a single snapshot of the data."""
    with Session(engine) as session:
        yield session


def write_back(engine: Engine, *, give_back: bool = False) -> None:
    """Bring SQLite's log into the file, but for what somebody still reads: it is used anew then, and grows no more.

    Nobody waits for it. To `give_back` its room to a disk that is full, readers are waited for, a second. A disk that
    refuses even this is left to who writes next.
    """
    if engine.dialect.name != "sqlite":
        return
    checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)" if give_back else "PRAGMA wal_checkpoint(PASSIVE)"
    with suppress(sqlite3.Error, SQLAlchemyError), closing(engine.raw_connection()) as raw:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout=1000")
        try:
            cursor.execute(checkpoint)
        finally:
            cursor.execute(_WAIT_AGAIN)


def count(session: Session, statement: Select[Any]) -> int:
    """How many rows a select gives."""
    return session.execute(select(func.count()).select_from(statement.order_by(None).subquery())).scalar_one()


def _dumps(value: Any) -> str:
    return value if isinstance(value, Serialized) else orjson.dumps(value).decode()


def _connect_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    # The log beside the file grows while somebody reads for long; what is over the limit is given back afterwards.
    # It is written back once it has that size: a first load changes the same pages of the indexes again and again,
    # and the larger the copy, the more of them.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-2000",
        f"wal_autocheckpoint={LOG_KEPT // PAGE_SIZE}",
        f"journal_size_limit={LOG_KEPT}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _connect_postgres(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    connection.execute(f"SET idle_in_transaction_session_timeout = '{LEFT_OPEN}s'")
    connection.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("kommo_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
