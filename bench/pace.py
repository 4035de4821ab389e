"""How close to Kommo's own limit a first load comes: 7 requests a second, 150 ms an answer, never one 429."""

import tempfile
from pathlib import Path

from bench.ingest import CONTACTS, DEALS, load_once, open_panel
from bench.tools import kommo, row, worker

RATE, LATENCY_MS, PAGE = 7, 150, 250


def measure() -> None:
    """Print the time against the limit's own, and what the server counted."""
    pages = CONTACTS // PAGE + DEALS // PAGE
    bound = 1.15 * (pages + 50) / RATE
    print(f"\nPace: {pages} pages at {RATE} requests/s and {LATENCY_MS} ms an answer")
    with kommo(CONTACTS, DEALS, rate=RATE, latency_ms=LATENCY_MS) as fake, tempfile.TemporaryDirectory() as folder:
        services = open_panel(Path(folder), fake, rate_limit=RATE)
        with worker(Path(folder), fake, rate_limit=RATE):
            seconds = load_once(services, fake).seconds
            seen = fake.control("counters")
        services.engine.dispose()
    row("requests", str(seen["requests"]))
    row("429 answers", str(seen["rejected_429"]), "0")
    row("most requests in any one second, as the server counts", str(seen["max_in_one_second"]), f"at most {RATE}")
    row("seconds", f"{seconds:.1f}", f"at most {bound:.1f} = 1.15 x (pages + 50) / 7")
    row("share of that bound", f"{seconds / bound:.2f}", "at most 1.00")
