"""Peak memory of all our processes together while 10,000 and while 500,000 contacts arrive, and are read again."""

import tempfile
import time
from pathlib import Path

import requests

from bench.ingest import open_panel, wait_for
from bench.tools import Panel, kommo, memory, panel, row
from kommo.connect import flow
from kommo.services import Services
from kommo.sync import control

SIZES = (10_000, 500_000)


def measure() -> None:
    """Print the peaks (PSS, web server and worker added up) of a first load and of a sweep, and their differences."""
    print("\nMemory: web server and worker together")
    peaks = [peaks_of(contacts) for contacts in SIZES]
    for contacts, (first, sweep) in zip(SIZES, peaks, strict=True):
        row(f"peak with {contacts:,} contacts, first load", f"{first:.0f} MB")
        row(f"peak with {contacts:,} contacts, sweep of a full copy", f"{sweep:.0f} MB")
    row("difference, first load", f"{peaks[1][0] - peaks[0][0]:.0f} MB", "at most 40 MB")
    row("difference, sweep", f"{peaks[1][1] - peaks[0][1]:.0f} MB", "at most 40 MB")


def peaks_of(contacts: int) -> tuple[float, float]:
    """The peak while an account is read for the first time, and while all of it is read again; MB."""
    with kommo(contacts, contacts // 5) as fake, tempfile.TemporaryDirectory() as folder:
        settings = {"KOMMO_API_URL": fake.address, "KOMMO_RATE_LIMIT": "0"}
        with panel(Path(folder) / "instance", **settings) as app:
            services = open_panel(Path(folder), fake, rate_limit=0)
            outcome = flow.connect(services, "1", fake.token, full=False)
            assert outcome.connection_id is not None, outcome.report.error
            peaks = [_peak(app, services, outcome.connection_id, sweep=sweep) for sweep in (False, True)]
            services.engine.dispose()
            return peaks[0], peaks[1]


def _peak(app: Panel, services: Services, connection_id: int, *, sweep: bool) -> float:
    """The peak of one run, with a person looking at its page all the time."""
    run_id = control.start(services, connection_id, "shell", sweep=sweep)
    peak, state = 0.0, "queued"
    while state in ("queued", "running"):
        peak = max(peak, memory(app.pid))
        time.sleep(0.1)
        state = requests.get(f"{app.address}/api/kommo/sync", timeout=60).json()["data"]["state"]
        requests.get(f"{app.address}/sincronizacao", timeout=60)
    assert wait_for(services, connection_id, run_id).proved
    return peak
