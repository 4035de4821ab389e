"""What a later run costs on 500,000 contacts: one with 200 changes of every kind, and a quiet one."""

import random
import tempfile
from pathlib import Path

from bench.ingest import load_once, open_panel, wait_for
from bench.pace import LATENCY_MS, RATE
from bench.tools import Kommo, kommo, row, worker
from kommo.services import Services
from kommo.store.progress import RunView
from kommo.sync import control

CONTACTS, DEALS = 500_000, 100_000


def measure() -> None:
    """Print requests, as the fake counts them, and seconds of each run."""
    print(f"\nLater: {CONTACTS:,} contacts and {DEALS:,} deals, {RATE} requests/s and {LATENCY_MS} ms an answer")
    with kommo(CONTACTS, DEALS, latency_ms=LATENCY_MS) as fake, tempfile.TemporaryDirectory() as folder:
        services = open_panel(Path(folder), fake, rate_limit=0)
        with worker(Path(folder), fake, rate_limit=0):
            connection = load_once(services, fake).connection_id
        fake.control("rate", rate=RATE)
        with worker(Path(folder), fake, rate_limit=RATE):
            _print("a quiet run", fake, *again(services, fake, connection))
            change(fake)
            _print("a run with 200 changes", fake, *again(services, fake, connection))
        services.engine.dispose()


def again(services: Services, fake: Kommo, connection_id: int) -> tuple[RunView, int]:
    """One more run of an account; gives it, and how many requests the fake counted. It has to be proved."""
    fake.warm_up()
    view = wait_for(services, connection_id, control.start(services, connection_id, "shell"))
    assert view.proved, view
    return view, fake.count("requests")


def change(fake: Kommo) -> None:
    """200 changes as a day's work has them: 130 records changed, 30 new ones, 20 gone, 20 links made or undone."""
    chance = random.Random(4)
    contacts, deals = (chance.sample(fake.ids(kind), 200) for kind in ("contacts", "leads"))
    for key in contacts[:100]:
        fake.control("change", kind="contacts", id=key, values={"name": f"Nome novo {key}"})
    for key in deals[:30]:
        fake.control("change", kind="leads", id=key, values={"price": key % 1000})
    for number in range(20):
        fake.control("add", kind="contacts", values={"name": f"Contato novo {number}"})
    for number in range(10):
        fake.control("add", kind="leads", values={"name": f"Negociação nova {number}"})
    fake.control("delete", kind="contacts", ids=contacts[100:112])
    fake.control("delete", kind="leads", ids=deals[100:108])
    links = list(zip(deals[120:135], contacts[120:135], strict=True))
    for deal, contact in links:
        fake.control("link", kind="leads", id=deal, to_kind="contacts", to_id=contact)
    for deal, contact in links[:5]:
        fake.control("unlink", kind="leads", id=deal, to_kind="contacts", to_id=contact)


def _print(what: str, fake: Kommo, view: RunView, requests: int) -> None:
    row(f"{what}: requests", str(requests), "at most 16")
    row(f"{what}: seconds", f"{view.seconds:.2f}", "under 3.5")
    row(f"{what}: most requests in one second", str(fake.count("max_in_one_second")), f"at most {RATE}")
