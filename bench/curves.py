"""What grows with the number of rows, from 1,000 to 500,000: printed, and drawn into the documents."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

import requests

from bench.ingest import open_panel, wait_for
from bench.plot import Curve, svg
from bench.tools import ROOT, Kommo, cpu, kommo, memory, panel, quantile, row, worker
from kommo.connect import flow
from kommo.services import Services
from kommo.sync import control

SIZES = (1_000, 10_000, 50_000, 200_000, 500_000)  # rows: two contacts to each deal
PICTURE = ROOT / "docs" / "imagens" / "curvas.svg"
ROUNDS = 20
WARM = 5  # pages before times are taken: templates are compiled, threads connect to the database
NAMES = (
    ("Primeira carga, tempo", "s"),
    ("Primeira carga, processador", "s"),
    ("Memória do trabalhador, pico", "MB"),
    ("Sem mudanças, requisições", ""),
    ("Sem mudanças, tempo", "s"),
    ("Banco de dados", "MB"),
    ("Lista de contatos, p95", "ms"),
    ("Visão geral, p95", "ms"),
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What one size costs, in the order and units of NAMES."""

    load: float
    processor: float
    peak: float
    requests: int
    later: float
    database: float
    listing: float
    overview: float


def measure() -> None:
    """Print the costs of each size, and draw each a row."""
    print("\nCurves: no rate limit")
    found = [_costs(rows) for rows in SIZES]
    for at, (name, unit) in enumerate(NAMES):
        row(name, " / ".join(f"{astuple(costs)[at]:.4g}" for costs in found), unit)
    curves = [Curve(name, unit, [astuple(costs)[at] for costs in found]) for at, (name, unit) in enumerate(NAMES)]
    PICTURE.write_text(svg(SIZES, curves, "O que cada medida custa por linha, de 1.000 a 500.000 linhas"))


def _costs(rows: int) -> Costs:
    with kommo(rows * 2 // 3, rows - rows * 2 // 3) as fake, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = open_panel(folder, fake, rate_limit=0)
        outcome = flow.connect(services, "1", fake.token, full=False)
        assert outcome.connection_id is not None, outcome.report.error
        with worker(folder, fake, rate_limit=0) as pid:
            used, peak = cpu(pid), [0.0]
            load = _run(services, outcome.connection_id, lambda: peak.append(memory(pid)))
            used = cpu(pid) - used
            time.sleep(1)  # it forgets what it met
            fake.control("reset")
            later = _run(services, outcome.connection_id)
            asked = fake.count("requests")
        services.engine.dispose()
        database = sum(file.stat().st_size for file in (folder / "instance").glob("kommo.sqlite3*")) / 1e6
        return Costs(load, used, max(peak), asked, later, database, *_pages(folder, fake, rows))


def _run(services: Services, connection_id: int, look: Callable[[], object] = lambda: None) -> float:
    """The seconds of one more run, which has to be proved; `look` is called again and again while it lasts."""
    view = wait_for(services, connection_id, control.start(services, connection_id, "shell"), look)
    assert view.proved, view
    return view.seconds


def _pages(folder: Path, fake: Kommo, rows: int) -> tuple[float, float]:
    """The 95th percentiles of the list of contacts, all over it, and of the overview; milliseconds."""
    with panel(folder / "instance", KOMMO_API_URL=fake.address, KOMMO_RATE_LIMIT="0") as app:
        last = max(rows * 2 // 3 // 50, 1)
        lists = [f"/contatos?pagina={1 + at * (last - 1) // ROUNDS}" for at in range(ROUNDS)]
        return _p95(app.address, lists), _p95(app.address, ["/"] * ROUNDS)


def _p95(address: str, paths: list[str]) -> float:
    times = []
    for path in paths[:WARM]:
        requests.get(f"{address}{path}", timeout=60)
    for path in paths:
        begin = time.perf_counter()
        answer = requests.get(f"{address}{path}", timeout=60)
        assert answer.ok, (path, answer.status_code)
        times.append((time.perf_counter() - begin) * 1000)
    return quantile(times, 0.95)
