"""The product's own processes, as a person starts them: a worker, or the whole of `python app.py`."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import requests
from sqlalchemy import text

from kommo.db import reading
from kommo.services import Services
from tests import databases
from tests.databases import free_port

ROOT = Path(__file__).resolve().parents[1]


def environment(instance: Path, **values: str) -> dict[str, str]:
    """An environment in which nothing of the developer's own settings is left, on the running test's engine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KOMMO_") and name not in ("HOST", "PORT", "DATABASE_URL", "SECRET_KEY")
    }
    usual = {"KOMMO_INSTANCE": str(instance), "KOMMO_RATE_LIMIT": "0", "KOMMO_ASSETS": "local", "KOMMO_LEASE": "1"}
    usual |= {"KOMMO_REQUEST_LIMIT": "0"}
    usual["KOMMO_ENCRYPTION_KEY"] = databases.KEY.hex()  # that of the factories; "" for the file
    if databases.engine == databases.POSTGRESQL and "DATABASE_URL" not in values:
        usual["DATABASE_URL"] = databases.address_for(instance)
    return kept | usual | values


def start(arguments: list[str], env: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start `python …` in the repository with its output going to `log`."""
    with log.open("ab") as file:
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=env, stdout=file, stderr=file)


def worker(env: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """A worker process of its own."""
    return start(["-m", "kommo.jobs.worker"], env, log)


def end(child: "subprocess.Popen[bytes]", within: float = 60) -> int:
    """Ask a process to end (SIGTERM) and wait for it; gives its exit code."""
    child.terminate()
    try:
        return child.wait(within)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        raise


def freeze(child: "subprocess.Popen[bytes]", services: Services) -> None:
    """Stop a process (SIGSTOP) at a moment when it keeps nobody else from writing."""
    while True:
        os.kill(child.pid, signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        if _unlocked(services.settings.instance / "queue.sqlite3") and _holds_nothing(services):
            return
        os.kill(child.pid, signal.SIGCONT)
        time.sleep(0.01)


def _holds_nothing(services: Services) -> bool:
    """Whether nobody has a transaction open in which something was written."""
    if services.engine.dialect.name == "sqlite":
        return _unlocked(services.settings.instance / "kommo.sqlite3")
    with reading(services.engine) as session:
        others = "datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        return session.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}")) == 0


def _unlocked(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def wait_for(what: Callable[[], object], within: float = 120.0, every: float = 0.05) -> None:
    """Wait until `what()` is true; AssertionError when it is not in time."""
    until = time.monotonic() + within
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(every)


@contextmanager
def server(instance: Path, *arguments: str, **values: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """`python app.py` on a free port, answering; gives its address and the process, and ends it."""
    port = free_port()
    instance.parent.mkdir(parents=True, exist_ok=True)
    log = instance.parent / "server.log"
    child = start(["app.py", *arguments], environment(instance, PORT=str(port), **values), log)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert child.poll() is None, log.read_text()
        try:
            return requests.get(f"{address}/static/js/app.js", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    try:
        wait_for(answers)
        yield address, child
    finally:
        if child.poll() is None:
            end(child)
