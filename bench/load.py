"""50 people click through lists, records and the token page over 100,000 contacts, while a sync writes all of them.

And 100 syncs in a row: what the processes hold afterwards, against what they held before.

python -m bench.load [--contacts 100000] [--deals 50000] [--people 50] [--seconds 90] [--syncs 100]
"""

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import structlog

from bench.ingest import load_once, open_panel, wait_for
from bench.pace import LATENCY_MS, RATE
from bench.people import Account, Waited, crowd
from bench.tools import Kommo, Panel, files, kommo, memory, panel, quantile, row, worker
from kommo.db import reading
from kommo.services import Services
from kommo.store import progress
from kommo.sync import control

CONTACTS, DEALS, PEOPLE, SECONDS, SYNCS = 100_000, 50_000, 50, 90.0, 100
THINK = (2.0, 8.0)  # seconds a person looks at a page
TARGET = 0.150
WARM = 5  # syncs before memory is looked at: the first ones fill caches


def measure() -> None:
    """Print how long people wait, with time to think and without, and what is held after many syncs."""
    _measure(CONTACTS, DEALS, PEOPLE, SECONDS, SYNCS)


def main() -> None:
    """The same in other sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--deals", type=int, default=DEALS)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--syncs", type=int, default=SYNCS)
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    _measure(given.contacts, given.deals, given.people, given.seconds, given.syncs)


def _measure(contacts: int, deals: int, people: int, seconds: float, syncs: int) -> None:
    print(f"\nLoad: {people} people, {contacts:,} contacts and {deals:,} deals, Kommo at {RATE}/s and {LATENCY_MS} ms")
    print(f"  Each looks at a page for {THINK[0]:.0f} to {THINK[1]:.0f} s; they share the machine with what they ask.")
    with kommo(contacts, deals, latency_ms=LATENCY_MS) as fake, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = open_panel(folder, fake, rate_limit=0)
        with worker(folder, fake, rate_limit=0):
            connection_id = load_once(services, fake).connection_id
        account = Account(fake.ids("contacts"), fake.ids("leads"), fake.token)
        settings = {"KOMMO_API_URL": fake.address, "KOMMO_RATE_LIMIT": str(RATE)}
        with panel(folder / "instance", **settings) as app:
            _print("nobody syncs", crowd(app.address, account, people, seconds / 3, THINK), seconds / 3)
            with _syncing(services, fake, connection_id):
                _print("a sync runs", crowd(app.address, account, people, seconds, THINK), seconds, target=True)
        # No person is as quick as this, and no address may be: the limit of requests is off.
        unlimited = settings | {"KOMMO_REQUEST_LIMIT": "0"}
        with panel(folder / "instance", **unlimited) as app, _syncing(services, fake, connection_id):
            _print("back to back", crowd(app.address, account, people, seconds / 3, (0, 0)), seconds / 3)
        fake.control("rate", rate=0)
        with panel(folder / "instance", **settings | {"KOMMO_RATE_LIMIT": "0"}) as app:
            _hold(services, fake, app, connection_id, syncs)
        said = (folder / "panel.log").read_text("utf-8") + (folder / "worker.log").read_text("utf-8")
        row("`database is locked` in the log", str(said.count("database is locked")), "0")
        services.engine.dispose()


@contextmanager
def _syncing(services: Services, fake: Kommo, connection_id: int) -> Iterator[None]:
    """Sweeps in a row, in each of which every contact has changed: as much writing as there can be at Kommo's limit."""
    over, begun = threading.Event(), threading.Event()

    def sync() -> None:
        number = 0
        while not over.is_set():
            number += 1
            _rename_a_field(fake, number)
            run_id = control.start(services, connection_id, "shell", sweep=True)
            begun.set()
            _until_over(services, connection_id, run_id, over)

    fake.control("rate", rate=RATE)
    thread = threading.Thread(target=sync, daemon=True)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _until_over(services: Services, connection_id: int, run_id: int, over: threading.Event) -> None:
    """Wait for the end of a run, and cancel it where that takes longer than it is wanted."""
    while True:
        if over.wait(0.2):
            control.cancel(services, connection_id, run_id)
        with reading(services.engine) as session:
            view = progress.run_view(session, connection_id, run_id)
        assert view is not None
        if not view.active:
            row("  rows that a sync wrote meanwhile", f"{sum(each.created + each.updated for each in view.streams):,}")
            return


def _rename_a_field(fake: Kommo, number: int) -> None:
    """A field that contacts hold gets another name, and so does each of them that holds it: all are written anew."""
    headers = {"Authorization": f"Bearer {fake.token}"}
    answer = requests.get(f"{fake.address}/api/v4/contacts/custom_fields?limit=250", headers=headers, timeout=60)
    fields = answer.json()["_embedded"]["custom_fields"]
    phone = next(one for one in fields if one["code"] == "PHONE")
    fake.control("change_item", what="contacts/custom_fields", id=phone["id"], values={"name": f"Telefone {number}"})


def _print(what: str, waited: Waited, seconds: float, *, target: bool = False) -> None:
    """A row for each kind of page, and one for all."""
    everything = [each for times in waited.times.values() for each in times]
    print(f"  {what}: {len(everything):,} answers, {len(everything) / seconds:.0f} a second")
    for kind, times in sorted(waited.times.items()):
        row(f"  {kind} ({len(times):,}): p50, p95, longest", _three(times))
    row(f"{what}: all, p50, p95, longest", _three(everything), f"p95 under {TARGET * 1000:.0f} ms" if target else "")
    row(f"{what}: 429, 5xx, no answer", str(len(waited.bad)), "0")
    for line in sorted(set(waited.bad))[:5]:
        print(f"    {line}")


def _three(times: list[float]) -> str:
    return " ".join(f"{each * 1000:.0f}" for each in (quantile(times, 0.5), quantile(times, 0.95), max(times))) + " ms"


def _hold(services: Services, fake: Kommo, app: Panel, connection_id: int, syncs: int) -> None:
    """Memory and open files of all processes, looked at after each sync."""
    contacts = fake.ids("contacts")[:20]
    held: list[tuple[float, float]] = []
    for number in range(WARM + syncs):
        for key in contacts:
            fake.control("change", kind="contacts", id=key, values={"name": f"Nome {number} {key}"})
        view = wait_for(services, connection_id, control.start(services, connection_id, "shell"))
        assert view.proved, view
        for path in ("/", "/contatos", "/negociacoes", "/sincronizacao"):
            assert requests.get(f"{app.address}{path}", timeout=60).ok
        held.append((memory(app.pid), files(app.pid)))
    held = held[WARM:]
    print(f"  {syncs} syncs, after {WARM} to warm up; web server and worker together")
    for what, unit, values in (
        ("memory", " MB", [one for one, _ in held]),
        ("open files", "", [two for _, two in held]),
    ):
        ten = values[:: max(len(values) // 9, 1)]
        row(f"{what}, ten times along the way", " ".join(f"{each:.0f}" for each in ten) + unit, "flat")


if __name__ == "__main__":
    main()
