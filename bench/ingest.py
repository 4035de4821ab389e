"""How much of a bare loop's rate remains when the copy is exact, searchable, linked, counted and proved.

The bare loop: requests + orjson + one sqlite3 upsert by executemany into one table, the record kept, WAL, a commit a
page, the same pages. Ours: from the first request to the last commit, index, links and proof included.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import requests

from bench.tools import Kommo, cpu, kommo, row, worker
from kommo.connect import flow
from kommo.db import reading
from kommo.services import Services, open_services
from kommo.settings import load
from kommo.store import progress, schema
from kommo.store.progress import RunView
from kommo.sync import control

CONTACTS, DEALS = 20_000, 10_000
UPSERT = (
    "INSERT INTO record VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at, data = excluded.data"
)


def measure(rounds: int = 3) -> None:
    """Print the rates and their ratio; the best of a few rounds of each, taken in turn."""
    print(f"\nIngest: {CONTACTS:,} contacts and {DEALS:,} deals, no rate limit, one machine")
    bare: list[float] = []
    ours: list[float] = []
    shares: list[float] = []
    used: list[float] = []
    plain: list[float] = []
    with kommo(CONTACTS, DEALS) as fake:
        for _ in range(rounds):
            begin = time.process_time()
            seconds, share = _bare(fake)
            plain.append(time.process_time() - begin)
            bare.append(seconds)
            shares.append(share)
            seconds, processor = _ours(fake)
            ours.append(seconds)
            used.append(processor)
    rows = CONTACTS + DEALS
    row("bare loop", f"{rows / min(bare):,.0f} rows/s")
    row("fake Kommo's CPU share of the bare loop", f"{min(shares):.2f}", "at most 0.20")
    row("ours, first load", f"{rows / min(ours):,.0f} rows/s")
    row("bare loop, CPU a 1,000 rows", f"{min(plain) / rows * 1e6:.0f} ms")
    row("ours, CPU of the worker a 1,000 rows", f"{min(used) / rows * 1e6:.0f} ms")
    row("ratio", f"{min(bare) / min(ours):.2f}", "at least 0.20, 0.30 the aim")
    row("ratio of CPU, which other work on the machine spoils less", f"{min(plain) / min(used):.2f}")


def _bare(fake: Kommo) -> tuple[float, float]:
    """Seconds the bare loop takes, and the fake's own CPU time as a share of them."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "bare.sqlite3", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(
            "CREATE TABLE record (kind TEXT, id INTEGER, name TEXT, updated_at INTEGER, data TEXT, "
            "PRIMARY KEY (kind, id))"
        )
        used, begin = cpu(fake.pid), time.perf_counter()
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {fake.token}"
            for kind, expand in (("contacts", ""), ("leads", "&with=contacts")):
                _read_list(session, database, fake.address, kind, expand)
        seconds = time.perf_counter() - begin
        used = cpu(fake.pid) - used
        database.close()
        return seconds, used / seconds


def _read_list(session: requests.Session, database: sqlite3.Connection, address: str, kind: str, expand: str) -> None:
    number, more = 1, True
    while more:
        query = f"page={number}&limit=250&order%5Bid%5D=asc{expand}"
        answer = session.get(f"{address}/api/v4/{kind}?{query}", timeout=30)
        body = orjson.loads(answer.content)
        rows = [(kind, one["id"], one["name"], one["updated_at"], orjson.dumps(one)) for one in body["_embedded"][kind]]
        database.execute("BEGIN")
        database.executemany(UPSERT, rows)
        database.execute("COMMIT")
        number, more = number + 1, "next" in body["_links"]


def _ours(fake: Kommo) -> tuple[float, float]:
    """Seconds of a first load in a worker process, by the run's own times, claimed to proved; and of its CPU."""
    with tempfile.TemporaryDirectory() as folder:
        services = open_panel(Path(folder), fake, rate_limit=0)
        with worker(Path(folder), fake, rate_limit=0) as pid:
            begin = cpu(pid)
            view = load_once(services, fake)
            used = cpu(pid) - begin
        services.engine.dispose()
        return view.seconds, used


def load_once(services: Services, fake: Kommo) -> RunView:
    """Connect the account, let the worker do a first load, and give what came of it; it has to be proved."""
    outcome = flow.connect(services, "1", fake.token, full=False)
    assert outcome.connection_id is not None, outcome.report.error
    fake.control("reset")
    view = wait_for(services, outcome.connection_id, control.start(services, outcome.connection_id, "shell"))
    assert view.proved, view
    return view


def wait_for(services: Services, connection_id: int, run_id: int, look: Callable[[], object] = lambda: None) -> RunView:
    """A run when it is over; `look` is called again and again until then."""
    while True:
        time.sleep(0.1)
        look()
        with reading(services.engine) as session:
            view = progress.run_view(session, connection_id, run_id)
        assert view is not None
        if not view.active:
            return view


def open_panel(folder: Path, fake: Kommo, **settings: object) -> Services:
    """The tools of a fresh installation that asks this fake Kommo."""
    services = open_services(load(_env_file=None, instance=folder / "instance", api_url=fake.address, **settings))
    schema.upgrade(services.engine, folder / "backups")
    return services
