"""Four accounts at once: two workers on PostgreSQL, each account with a limit of its own."""

import tempfile
import time
from pathlib import Path

from bench.ingest import wait_for
from bench.pace import LATENCY_MS, RATE
from bench.tools import Kommo, accounts, cpu, row, worker
from kommo.connect import flow
from kommo.connect.access import Access
from kommo.crm.token import read_token
from kommo.services import Services, open_services
from kommo.settings import load
from kommo.sync import control
from tests.databases import postgres_database

ACCOUNTS, WORKERS = 4, 2
CONTACTS, DEALS = 20_000, 10_000  # of each account


def measure() -> None:
    """Print the rate of one account and of all together, and the workers' processor time."""
    print(f"\nAccounts: {ACCOUNTS} of {CONTACTS:,} contacts and {DEALS:,} deals, {WORKERS} workers, PostgreSQL")
    with accounts(ACCOUNTS + 1, CONTACTS, DEALS, rate=RATE, latency_ms=LATENCY_MS) as fakes:
        alone, alone_cpu = _load(fakes[:1])
        together, together_cpu = _load(fakes[1:])
        busiest, rejected = (
            max(fake.count("max_in_one_second") for fake in fakes), sum(fake.count("rejected_429") for fake in fakes)
        )  # fmt: skip
    row("one account, requests/s", f"{alone:.2f}", f"{RATE} / 1.035 is what is let through")
    row(f"{ACCOUNTS} accounts together, requests/s", f"{together:.2f}")
    row(f"share of {ACCOUNTS} x one account", f"{together / ACCOUNTS / alone:.2f}", "at least 0.90")
    row("workers' CPU a 1,000 rows, one account", f"{alone_cpu * 1000:.0f} ms")
    row(f"workers' CPU a 1,000 rows, {ACCOUNTS} accounts", f"{together_cpu * 1000:.0f} ms")
    row("most requests of any account in one second", str(busiest), f"at most {RATE}")
    row("429 answers", str(rejected), "0")


def _load(fakes: list[Kommo]) -> tuple[float, float]:
    """Requests a second of first loads of these accounts at once, and the workers' seconds of CPU a 1,000 rows."""
    with postgres_database() as database, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = {"instance": folder / "instance", "database_url": database, "rate_scope": "account"}
        services = open_services(load(_env_file=None, rate_limit=RATE, **given))
        ours = {"DATABASE_URL": database, "KOMMO_RATE_SCOPE": "account"}
        with (
            worker(folder, None, rate_limit=RATE, **ours) as first,
            worker(folder, None, rate_limit=RATE, **ours) as second,
        ):
            keys = [_connect(services, fake) for fake in fakes]
            time.sleep(2)  # both are up, and the tests' own requests are out of every second
            for fake in fakes:
                fake.control("reset")
            used, begin = cpu(first) + cpu(second), time.perf_counter()
            runs = [(key, control.start(services, key, "shell")) for key in keys]
            for key, run in runs:
                assert wait_for(services, key, run).proved
            seconds = time.perf_counter() - begin
            used = cpu(first) + cpu(second) - used
        services.engine.dispose()
    requests = sum(fake.count("requests") for fake in fakes)
    return requests / seconds, used / (len(fakes) * (CONTACTS + DEALS) / 1000)


def _connect(services: Services, fake: Kommo) -> int:
    access = Access(fake.token, read_token(fake.token), fake.address)
    outcome = flow.keep(services, "1", access, flow.test(services, access, full=False))
    assert outcome.connection_id is not None, outcome.report.error
    return outcome.connection_id
