"""Real processes for a real browser: the sandbox, `python app.py` with its worker, and the system's Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from kommo.connect import flow
from kommo.db import reading
from kommo.pages import assets
from kommo.sandbox import Server, make_world, serve
from kommo.services import open_services
from kommo.store import progress
from kommo.sync import control
from tests import needs, processes
from tests.browser.panel import Panel
from tests.conftest import make_settings

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this room needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all tests of this process."""
    expect.set_options(timeout=20_000)
    path = needs.program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def htmx() -> Path:
    """The file of htmx that npm brought (or HTMX_PATH names)."""
    return _from_npm("HTMX_PATH", "htmx.org/dist/htmx.min.js")


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core that npm brought (or AXE_PATH names)."""
    return _from_npm("AXE_PATH", "axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def fresh(tmp_path: Path, htmx: Path) -> Iterator[Panel]:
    """An installation just started, at the rate that Kommo allows: a copy takes long enough to be watched."""
    with serve(make_world(contacts=6000, deals=1500)) as kommo:
        yield from _started(tmp_path, htmx, kommo, KOMMO_RATE_LIMIT="7")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, htmx: Path) -> Iterator[Panel]:
    """An installation with a proved copy of 300 contacts and 120 deals, ugly names among them; only to be looked at."""
    folder = tmp_path_factory.mktemp("full")
    with serve(make_world(contacts=300, deals=120)) as kommo:
        for panel in _started(folder, htmx, kommo):
            fill(panel)
            yield panel


def _started(folder: Path, htmx: Path, kommo: Server, **values: str) -> Iterator[Panel]:
    settings = make_settings(folder, api_url=kommo.address)
    assets.install(settings, htmx)
    with processes.server(folder / "instance", KOMMO_API_URL=kommo.address, **values) as (address, _):
        yield Panel(address, kommo, settings)


def fill(panel: Panel) -> None:
    """Connect the Kommo behind an installation and wait for a proved copy."""
    services = open_services(panel.settings)
    outcome = flow.connect(services, "1", panel.kommo.token)
    assert outcome.connection_id is not None
    run_id = control.start(services, outcome.connection_id, "page")

    def proved() -> bool:
        with reading(services.engine) as session:
            view = progress.run_view(session, outcome.connection_id or 0, run_id)
        return view is not None and view.proved

    processes.wait_for(proved)
    services.engine.dispose()


def _from_npm(variable: str, name: str) -> Path:
    given = os.environ.get(variable)
    path = Path(given) if given else processes.ROOT / "node_modules" / name
    if not path.is_file():
        needs.missing(f"{name} (npm ci brings it)")
    return path
