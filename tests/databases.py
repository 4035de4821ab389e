"""A PostgreSQL and a Redis of the tests' own, started once a test process and gone with it."""

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
from kommo.store import schema
from tests.needs import program

_numbers = itertools.count(1)
_PORTS = range(20_000, 32_000)  # below those that systems give away by themselves
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


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    """An empty database with the newest schema; dropped afterwards."""
    server = _postgres()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {_template(server)}".encode())
    try:
        yield f"{server.replace('postgresql:', 'postgresql+psycopg:')}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


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
def _postgres() -> str:
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
    settings = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
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
