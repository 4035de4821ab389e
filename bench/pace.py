"""How close to Kommo's own limit a first load comes: 7 requests a second, 150 ms an answer, never one 429."""

import math
import tempfile
from pathlib import Path

from bench.ingest import load_once, open_panel
from bench.tools import kommo, row, worker

CONTACTS, DEALS = 100_000, 50_000
RATE, LATENCY_MS, PAGE = 7, 150, 250


def measure() -> None:
    """Print requests and time against the bounds, and what the server counted."""
    pages = CONTACTS // PAGE + DEALS // PAGE
    most = 1.05 * pages + 50
    print(f"\nPace: {pages} pages of contacts and deals at {RATE} requests/s and {LATENCY_MS} ms an answer")
    with kommo(CONTACTS, DEALS, rate=RATE, latency_ms=LATENCY_MS) as fake, tempfile.TemporaryDirectory() as folder:
        companies = math.ceil(len(fake.ids("companies")) / PAGE)
        services = open_panel(Path(folder), fake, rate_limit=RATE)
        with worker(Path(folder), fake, rate_limit=RATE):
            seconds = load_once(services, fake).seconds
        services.engine.dispose()
        requests, rejected, busiest = (fake.count(name) for name in ("requests", "rejected_429", "max_in_one_second"))
    row("requests", str(requests), f"at most {most:.0f} = 1.05 x pages + 50")
    row("of these, pages of the list of companies, which are none of them", str(companies))
    row("429 answers", str(rejected), "0")
    row("most requests in any one second, as the server counts", str(busiest), f"at most {RATE}")
    row("seconds", f"{seconds:.1f}", f"at most {1.08 * most / RATE:.1f} = 1.08 x that / 7")
    row("seconds, over requests / 7", f"{seconds * RATE / requests:.3f}", "slots are 1.035 wide")
