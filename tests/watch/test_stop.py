"""SIGTERM and Ctrl-C with a run under way: every process ends in order at a page's end, and nothing read is lost."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import requests

from kommo.db import reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store import workers
from kommo.sync import control
from tests import processes
from tests.conftest import make_services, make_settings
from tests.sync.accounts import connect, difference, run_view

pytestmark = pytest.mark.only_on("sqlite", reason="the same signals and processes; tests/jobs ends workers on each")
SIGNALS = pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
LEASE = "3600"  # who does not give its run back keeps it for an hour


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Services, Server, int]]:
    """An installation with Padaria Estrela connected: ten pages of contacts, each of which takes a moment."""
    services = make_services(make_settings(tmp_path, lease=3600.0))
    with serve(make_world(contacts=2400, deals=300)) as server:
        server.world.fail("GET /api/v4/contacts", times=None, how="slow", seconds=0.1)
        yield services, server, connect(services, server)
    services.engine.dispose()


class Pages:
    """Which pages of the whole list of contacts were asked for; `some` is set when that was done a few times."""

    def __init__(self, server: Server) -> None:
        self.asked: list[str] = []
        self.some = threading.Event()
        server.world.before_request = self._note

    def _note(self, _method: str, path: str, query: str) -> None:
        wanted = parse_qs(query)
        if path == "/api/v4/contacts" and "order[id]" in wanted and not any("filter" in name for name in wanted):
            self.asked.append(wanted["page"][0])
            if len(self.asked) >= 7:
                self.some.set()


def start(stack: ExitStack, what: str, tmp_path: Path, address: str) -> "subprocess.Popen[bytes]":
    """The process that is to be stopped, with a worker in it or beside it."""
    values = {"KOMMO_LEASE": LEASE, "KOMMO_API_URL": address}
    if what == "app.py":
        return stack.enter_context(processes.server(tmp_path / "instance", **values))[1]
    child = processes.worker(processes.environment(tmp_path / "instance", **values), tmp_path / "worker.log")
    stack.callback(_end, child)
    if what == "worker":
        return child
    return stack.enter_context(processes.server(tmp_path / "instance", "--no-worker", **values))[1]


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    child.wait()


def stop(child: "subprocess.Popen[bytes]", how: signal.Signals) -> int:
    """Send a signal; gives the exit code."""
    child.send_signal(how)
    return child.wait(60)


@SIGNALS
@pytest.mark.parametrize("what", ["worker", "app.py"])
def test_a_run_is_given_back_and_gone_on_with(
    tmp_path: Path, account: tuple[Services, Server, int], what: str, how: signal.Signals
) -> None:
    """The next process takes it at once, for all the hour that its lease was for, and asks for no page again."""
    services, server, connection = account
    pages = Pages(server)
    run_id = control.start(services, connection, "page")
    with ExitStack() as stack:
        child = start(stack, what, tmp_path, server.address)
        assert pages.some.wait(60)
        assert stop(child, how) == 0
    view = run_view(services, connection)
    assert (view.id, view.state) == (run_id, "queued")
    assert view.waiting == "O servidor está reiniciando; continua em seguida."
    assert view.stream("contacts").rows > 0
    with reading(services.engine) as session:
        assert workers.seen_lately(session) == []  # it said that it goes
    kept = view.stream("contacts").rows
    pages.asked.clear()
    with ExitStack() as stack:
        start(stack, what, tmp_path, server.address)
        processes.wait_for(lambda: not run_view(services, connection).active)
    view = run_view(services, connection)
    assert (view.id, view.proved) == (run_id, True)
    assert view.stream("contacts").rows >= kept
    assert difference(services, connection, server.world) == []
    assert len(pages.asked) <= 12  # counting, ten pages, the bands' edge and the proof are 15 where nothing was kept


@SIGNALS
def test_the_web_server_ends_and_the_run_goes_on(
    tmp_path: Path, account: tuple[Services, Server, int], how: signal.Signals
) -> None:
    """The worker is another process: who restarts the web server interrupts nothing."""
    services, server, connection = account
    pages = Pages(server)
    control.start(services, connection, "page")
    with ExitStack() as stack:
        child = start(stack, "web", tmp_path, server.address)
        assert pages.some.wait(60)
        assert stop(child, how) == 0
        assert run_view(services, connection).active
        processes.wait_for(lambda: not run_view(services, connection).active)
    assert run_view(services, connection).proved
    assert difference(services, connection, server.world) == []


def test_what_was_asked_before_the_signal_is_answered(tmp_path: Path, account: tuple[Services, Server, int]) -> None:
    """A page under way is not cut off: the server stops taking, and answers what it has."""
    _services, server, _connection = account
    server.world.fail("GET /api/v4/account", times=None, how="slow", seconds=1.0)
    asked, answered = threading.Event(), []
    server.world.before_request = lambda _m, path, _q: asked.set() if path == "/api/v4/account" else None
    with processes.server(tmp_path / "instance", "--no-worker", KOMMO_API_URL=server.address) as (address, child):

        def test() -> None:
            body = {"jwtToken": server.token}
            answered.append(requests.post(f"{address}/api/kommo/test-connection", json=body, timeout=60).status_code)

        thread = threading.Thread(target=test)
        thread.start()
        assert asked.wait(60)
        assert stop(child, signal.SIGTERM) == 0
        thread.join(60)
    assert answered == [200]
