"""Peak memory of all our processes together while 10,000 and while 100,000 contacts arrive."""

import tempfile
import time
from pathlib import Path

import requests

from bench.tools import kommo, memory, panel, row

SIZES = (10_000, 100_000)


def measure() -> None:
    """Print both peaks (PSS, web server and worker added up) and their difference."""
    print("\nMemory: web server and worker together, while a first load runs")
    peaks = []
    for contacts in SIZES:
        peaks.append(_peak(contacts))
        row(f"peak with {contacts:,} contacts", f"{peaks[-1]:.0f} MB")
    row("difference", f"{peaks[1] - peaks[0]:.0f} MB", "at most 40 MB")


def _peak(contacts: int) -> float:
    with kommo(contacts, contacts // 2) as fake, tempfile.TemporaryDirectory() as folder:
        settings = {"KOMMO_API_URL": fake.address, "KOMMO_RATE_LIMIT": "0"}
        with panel(Path(folder) / "instance", **settings) as app:
            started = requests.post(
                f"{app.address}/api/kommo/sync",
                json={"jwtToken": fake.token},
                headers={"Prefer": "respond-async"},
                timeout=60,
            )
            assert started.status_code == 202, started.text
            return _watch(app.address, app.pid)


def _watch(address: str, pid: int) -> float:
    peak, state = 0.0, "queued"
    while state in ("queued", "running"):
        peak = max(peak, memory(pid))
        time.sleep(0.1)
        state = requests.get(f"{address}/api/kommo/sync", timeout=60).json()["data"]["state"]
        requests.get(f"{address}/sincronizacao", timeout=60)
    assert state == "done", state
    return peak
