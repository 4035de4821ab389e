"""The database of each test's installation, on the engine the test runs on; a PostgreSQL and a Redis of our own.

Both servers are started once a test process and are gone with it. A PostgreSQL database is a copy of a template with
the newest schema, made when an installation first asks for it. When its test is over it is emptied for the next one:
making and dropping one takes longer than most tests. One whose schema was changed, or that grew, is dropped.
"""

import atexit
import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import create_engine

from kommo.db import engine_options, prepare_engine
from kommo.settings import Settings
from kommo.store import schema
from tests.needs import program

KEY = bytes(32)  # seals the tokens of every test's installation
SQLITE, POSTGRESQL = "sqlite", "postgresql"
engine = SQLITE  # which one the running test is on
_of_folders: dict[Path, str] = {}  # the PostgreSQL database of each installation's folder
_numbers = itertools.count(1)
_PORTS = range(20_000, 32_000)  # below those that systems give away by themselves
_spare: list[str] = []  # addresses of databases that were emptied
_GROWN = 16 * 1024 * 1024  # bytes; nothing is vacuumed here, and what was deleted still lies about
_EMPTY = """
DO $$ DECLARE found record; BEGIN
    SET LOCAL session_replication_role = replica;  -- no foreign key is looked at
    FOR found IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %I', found.name); END LOOP;
    FOR found IN SELECT sequencename AS name FROM pg_sequences WHERE last_value IS NOT NULL
    LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', found.name); END LOOP;
END $$
"""
_SCHEMA = """
SELECT (SELECT string_agg(version_num, ' ') FROM alembic_version),
    (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT count(*) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped)
"""
_places = itertools.count(os.getpid() * 101)  # processes that test at the same time look in different places


def free_port() -> int:
    """A port nobody listens on, and that nobody is given before it is used: no connection of another test either."""
    while True:
        port = _PORTS[next(_places) % len(_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, held so that nobody else can meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def address_for(instance: Path, *, empty: bool = False) -> str:
    """The address of the database of the installation in a folder, on the engine of the running test.

    On PostgreSQL it is made by the first who asks, with the newest schema unless `empty`.
    """
    if engine == SQLITE:
        return f"sqlite:///{instance / 'kommo.sqlite3'}"
    if instance not in _of_folders:
        _of_folders[instance] = make_postgres(empty=empty)
    return _of_folders[instance]


def prepare(settings: Settings) -> None:
    """Put an empty SQLite database with the newest schema into an installation that is not there yet: it is quicker."""
    if settings.instance.exists() or settings.database_url is not None:
        return
    settings.instance.mkdir(mode=0o700, parents=True)
    target = settings.instance / "kommo.sqlite3"
    shutil.copyfile(_sqlite_template(), target)
    target.chmod(0o600)


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kommo-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "kommo.sqlite3"
    address = f"sqlite:///{file}"
    made = create_engine(address, **engine_options(address))
    prepare_engine(made)
    schema.upgrade(made, folder)
    made.dispose()
    return file


@contextlib.contextmanager
def dropping() -> Iterator[None]:
    """Drop in the end what was made for folders since; what a module's fixture made before stays."""
    before = set(_of_folders)
    yield
    for instance in set(_of_folders) - before:
        drop_postgres(_of_folders.pop(instance))


@contextlib.contextmanager
def postgres_database(*, empty: bool = False) -> Iterator[str]:
    """A PostgreSQL database whatever engine the test is on, with the newest schema unless `empty`; dropped after."""
    address = make_postgres(empty=empty)
    try:
        yield address
    finally:
        drop_postgres(address)


def make_postgres(*, empty: bool = False) -> str:
    """Make a database with the newest schema, or with nothing in it; gives its address."""
    server = postgres()
    if not empty and _spare:
        return _spare.pop()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    template = "template0" if empty else _template(server)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return f"{server.replace('postgresql:', 'postgresql+psycopg:')}/{name}"


def drop_postgres(address: str) -> None:
    """Drop a database, whoever is still connected to it; or keep it, emptied, for who wants one next."""
    name = address.rpartition("/")[2]
    if _is_emptied(name):
        _spare.append(address)
        return
    with psycopg.connect(f"{postgres()}/postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _is_emptied(name: str) -> bool:
    """Take everything out of a database and everybody off it; False where it is not as the template is."""
    try:
        with psycopg.connect(f"{postgres()}/{name}", autocommit=True) as connection:
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            if size is None or size[0] > _GROWN or connection.execute(_SCHEMA.encode()).fetchone() != _made_as():
                return False
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}".encode())
            connection.execute(_EMPTY.encode())
    except psycopg.Error:
        return False
    return True


@cache
def _made_as() -> tuple[object, ...] | None:
    """What `_SCHEMA` says of the template."""
    with psycopg.connect(f"{postgres()}/{_template(postgres())}", autocommit=True) as connection:
        return connection.execute(_SCHEMA.encode()).fetchone()


@cache
def _template(server: str) -> str:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(b"CREATE DATABASE kommo_template")
    address = f"{server.replace('postgresql:', 'postgresql+psycopg:')}/kommo_template"
    engine = create_engine(address, **engine_options(address))
    prepare_engine(engine)
    schema.upgrade(engine, Path(tempfile.gettempdir()))
    engine.dispose()
    return "kommo_template"


@cache
def postgres() -> str:
    """Start a cluster in a temporary folder; gives its address. PostgreSQL does not run as root."""
    initdb, server = program("initdb"), program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="kommo-postgres-"))
    user = ["runuser", "-u", "postgres", "--"] if os.name == "posix" and os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    make = [*user, initdb, "-D", str(folder / "data"), "-A", "trust", "-U", "kommo", "-E", "UTF8", "--no-sync"]
    subprocess.run(make, check=True, **quiet)
    port = free_port()
    quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")  # nothing has to last
    options = (*quick, "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
    settings = [word for option in options for word in ("-c", option)]
    child = subprocess.Popen([*user, server, "-D", str(folder / "data"), "-p", str(port), *settings], **quiet)
    atexit.register(_end, child, folder)
    address = f"postgresql://kommo@127.0.0.1:{port}"
    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(f"{address}/postgres"):
            return address
        time.sleep(0.1)
    raise AssertionError("PostgreSQL did not start")


@cache
def redis() -> str:
    """Start a Redis that keeps nothing; gives its address."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="kommo-redis-"))
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    atexit.register(_end, child, folder)
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return f"redis://127.0.0.1:{port}/0"
        time.sleep(0.1)
    raise AssertionError("Redis did not start")


def _end(child: "subprocess.Popen[bytes]", folder: Path) -> None:
    child.terminate()
    child.wait(20)
    shutil.rmtree(folder, ignore_errors=True)
