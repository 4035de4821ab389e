"""How fast pages answer over 100,000 contacts and 50,000 deals, and how soon after the start."""

import random
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import requests

from bench import fill
from bench.tools import panel, quantile, row

CONTACTS, DEALS, ROUNDS = 100_000, 50_000, 40


def measure() -> None:
    """Print the 95th percentile of each kind of page, and the time to the first one."""
    print(f"\nPages: {CONTACTS:,} contacts and {DEALS:,} deals")
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        instance.mkdir()
        fill.fill(instance / "kommo.sqlite3", CONTACTS, DEALS).dispose()
        with panel(instance, KOMMO_ENCRYPTION_KEY=fill.KEY.hex()) as app:
            first = app.started
            for name, paths in _pages().items():
                times = [_time(app.address, path) for path in paths]
                row(f"{name}, p95", f"{quantile(times, 0.95) * 1000:.0f} ms", "under 100 ms")
        with panel(instance, KOMMO_ENCRYPTION_KEY=fill.KEY.hex()) as app:
            row("from `python app.py` to the first page", f"{min(first, app.started):.2f} s", "under 2 s")


def _time(address: str, path: str) -> float:
    begin = time.perf_counter()
    answer = requests.get(f"{address}{path}", timeout=30)
    assert answer.ok, (path, answer.status_code)
    return time.perf_counter() - begin


def _pages() -> dict[str, list[str]]:
    """The addresses of each kind of page, drawn by chance but the same in every run."""
    rng = random.Random(1)
    words = ["silva", "maria", "joao", "an", "souza lima", "@exemplo", "98812", "+55 11 9", "xyzxyz", "padaria"]
    pick = rng.choice
    stages = [f"{pipeline}-{stage}" for pipeline in fill.PIPELINES for stage in (142, 143, pipeline * 100)]
    return {
        "overview": ["/"] * ROUNDS,
        "list of contacts": [f"/contatos?pagina={rng.randint(1, CONTACTS // 50)}" for _ in range(ROUNDS)],
        "sorted list": [f"/contatos?ordem={pick(['nome', '-nome', '-atualizado'])}" for _ in range(ROUNDS)],
        "filtered list of contacts": [f"/contatos?responsavel={pick(fill.USERS)}" for _ in range(ROUNDS)],
        "list of deals": [f"/negociacoes?pagina={rng.randint(1, DEALS // 50)}&ordem=-valor" for _ in range(ROUNDS)],
        "filtered list of deals": [
            f"/negociacoes?etapa={pick(stages)}&responsavel={pick(fill.USERS)}" for _ in range(ROUNDS)
        ],
        "search in contacts": [f"/contatos?q={quote(pick(words))}" for _ in range(ROUNDS)],
        "search in deals": [f"/negociacoes?q={quote(pick(words))}" for _ in range(ROUNDS)],
        "record of a contact": [f"/contatos/{rng.randint(1, CONTACTS)}" for _ in range(ROUNDS)],
        "record of a deal": [f"/negociacoes/{rng.randint(1, DEALS)}" for _ in range(ROUNDS)],
    }
