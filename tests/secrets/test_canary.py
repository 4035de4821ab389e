"""The canary: a marked token goes through every route and every fault, and shows itself on no surface.

Nor do the keys that seal it and sign the cookies, which lie in their files and nowhere else.
Surfaces are named in one table. Routes are those of the application's own map: a new one is walked, and what it answers
is looked through, without a word here; so is an export or a page of metrics, once there is one.
"""

import base64
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.routing import IntegerConverter, Rule

from kommo.db import reading, writing
from kommo.sandbox import Server, make_world, serve
from kommo.sandbox.faults import AFTER, BEFORE
from kommo.services import Services
from kommo.store.tables import Connection, RateSlot, SyncRun, Wallet
from tests import processes
from tests.conftest import make_settings
from tests.secrets.breaking import WAYS
from tests.secrets.canary import Canary, ProcessList, Seen
from tests.secrets.conftest import IN_FILE, started

#: Where a token could be seen, and what is looked at there.
SURFACES = {
    "page": "what every route outside /api/ answers, with its headers",
    "JSON": "what every route under /api/ answers, with its headers",
    "log": "standard output and error of web server and worker, telling as much as they can",
    "database file": "kommo.sqlite3, as it lies on the disk",
    "WAL": "kommo.sqlite3-wal, as it lies on the disk",
    "queue": "queue.sqlite3 and its log",
    "backup": "what `flask kommo backup` writes, and instance/backups",
    "export": "every answer that is a file, or of a route that is named so",
    "metrics": "every route of metrics and health",
    "traceback": "what the shell's commands, a worker and a web server print when they break",
    "process list": "arguments and environment of every process",
}
#: Those whose routes may not be there (yet): in their names, what tells them.
BY_ROUTE = {"export": ("export", "csv", "download", "baixar"), "metrics": ("metrics", "healthz", "readyz")}
REST = "at rest"
OWN = ("the IP is blocked", "the key is missing")
FAULTS = (REST, *sorted({*BEFORE, *AFTER}), *OWN)
OPTIONS = {"huge": {"megabytes": 1}, "slow": {"seconds": 0.05}, "drip": {"seconds": 0.01}}
SLOW = ("connection.connect_demo",)  # it invents 6,200 records: at rest only
LAST = ("erase", "apagar", "desconectar", "desligar", "sair")  # in an address: what ends something comes at the end

pytestmark = [
    pytest.mark.only_on("sqlite", reason="its files are read; PostgreSQL has a test of its own below"),
    pytest.mark.timeout(600),
]


@dataclass
class House:
    """`python app.py` with web server and worker, the Kommo it speaks to, and a caller who has the canary."""

    app: Flask
    kommo: Server
    address: str
    canary: Canary
    browser: requests.Session

    @property
    def services(self) -> Services:
        """The installation, seen from beside it."""
        found = self.app.extensions["kommo"]
        assert isinstance(found, Services)
        return found

    @property
    def folder(self) -> Path:
        """Where it keeps everything."""
        return self.services.settings.instance

    def log(self) -> bytes:
        """What web server and worker have written."""
        return (self.folder.parent / "server.log").read_bytes()

    def connect(self) -> None:
        """All is well, and the canary's account is connected."""
        self.kommo.world.reset()
        with writing(self.services.engine) as session:
            session.execute(delete(RateSlot))
        page = self.browser.get(f"{self.address}/conexao", timeout=60).text
        form = {"csrf_token": _csrf(page), "jwt_token": self.canary.token}
        done = self.browser.post(f"{self.address}/conexao", data=form, timeout=60)
        assert done.status_code == 200, done.text

    def keys(self) -> set[bytes]:
        """The keys that the installation has now."""
        files = [self.folder / name for name in ("encryption_key", "secret_key") if (self.folder / name).exists()]
        return {key for file in files for key in file.read_bytes().split()}

    def numbers(self) -> dict[str, int]:
        """A number for each kind of thing that an address may name."""
        with reading(self.services.engine) as session:
            newest = select(Wallet.kind, func.max(Wallet.remote_id)).group_by(Wallet.kind)
            ids = {row[0]: row[1] for row in session.execute(newest)}
            run = session.execute(select(func.max(SyncRun.id))).scalar_one() or 1
            account = session.execute(select(func.max(Connection.id))).scalar_one()
        return {
            "contact_id": ids.get("contact", 1),
            "deal_id": ids.get("deal", 1),
            "run_id": run,
            "connection_id": account,
        }


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("canary")
    with serve(make_world(contacts=60, deals=30)) as kommo:
        settings = make_settings(folder, encryption_key=None, api_url=kommo.address)
        app = started(settings)
        values = {"KOMMO_API_URL": kommo.address, "KOMMO_DEBUG": "true", "KOMMO_RETRY_ATTEMPTS": "0"}
        values |= {"KOMMO_TIMEOUT": "1000", "KOMMO_SYNC_WAIT": "1"} | IN_FILE
        with processes.server(settings.instance, **values) as (address, _child), requests.Session() as browser:
            found = House(app, kommo, address, Canary.hatched(kommo.world), browser)
            found.connect()
            _sync(found)
            yield found
        app.extensions["kommo"].engine.dispose()


def _sync(house: House) -> None:
    """A run from its beginning to where it stops: over, or paused."""
    page = house.browser.get(f"{house.address}/conexao", timeout=60).text
    house.browser.post(f"{house.address}/sincronizacao", data={"csrf_token": _csrf(page)}, timeout=60)

    def stands() -> bool:
        with reading(house.services.engine) as session:
            states = list(session.scalars(select(SyncRun.state)))
        return bool(states) and not {"queued", "running"} & set(states)

    processes.wait_for(stands)


@pytest.mark.parametrize("how", FAULTS)
def test_it_is_seen_on_no_surface(house: House, how: str) -> None:
    house.connect()
    seen = Seen(house.canary, house.keys())
    assert len(seen.keys) == 2
    log, key = len(house.log()), house.folder / "encryption_key"
    with ProcessList(seen):
        _break(house, how)
        try:
            _shell(house, seen)
            _walk(house, seen, how)
        finally:
            if how == "the key is missing":
                key.with_name("away").rename(key)
    seen.look("log", how, house.log()[log:])
    _files(house, seen)
    assert seen.leaks == []
    assert {name for name in SURFACES if not seen.size[name]} == _absent(house.app)


def _absent(app: Flask) -> set[str]:
    """The surfaces that no route of this version has."""
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    return {name for name, words in BY_ROUTE.items() if not any(word in rule for rule in rules for word in words)}


def _break(house: House, how: str) -> None:
    if how in BEFORE or how in AFTER:
        house.kommo.world.fail("/api/v4", None, how, **OPTIONS.get(how, {}))
    elif how == "the IP is blocked":
        house.kommo.world.block()
    elif how == "the key is missing":
        (house.folder / "encryption_key").rename(house.folder / "away")


def _walk(house: House, seen: Seen, how: str) -> None:
    """Every route with every method, the token wherever a caller may put it; those that end something, at the end."""
    rules = [rule for rule in house.app.url_map.iter_rules() if how == REST or rule.endpoint not in SLOW]
    first = [rule for rule in rules if not any(word in rule.rule for word in LAST)]
    csrf = _csrf(house.browser.get(f"{house.address}/conexao", timeout=60).text)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda rule: _visit(house, seen, rule, csrf), first))
    _sync(house)  # the worker meets it, too
    for rule in rules:
        if rule not in first:
            _visit(house, seen, rule, csrf)
    assert len(rules) > 30


def _visit(house: House, seen: Seen, rule: Rule, csrf: str) -> None:
    token, numbers = house.canary.token, house.numbers()
    path = rule.rule
    for name, converter in rule._converters.items():
        value = str(numbers.get(name, 1)) if isinstance(converter, IntegerConverter) else token
        path = re.sub(rf"<[^<>]*\b{name}>", value, path)
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        for options in _ways(token, csrf, is_api=path.startswith("/api/"), reads=method == "GET"):
            answer = house.browser.request(
                method, f"{house.address}{path}", timeout=60, allow_redirects=False, **options
            )
            content = f"{answer.status_code} {answer.headers}".encode() + answer.content
            seen.look(_surface(rule, answer), f"{method} {rule.rule}", content)
            assert answer.status_code != 500, f"{method} {path}"


def _ways(token: str, csrf: str, *, is_api: bool, reads: bool) -> Iterator[dict[str, object]]:
    """Where a caller puts a token, rightly or wrongly."""
    everywhere = {"Authorization": f"Bearer {token}", "X-API-Key": token, "User-Agent": token, "Referer": token}
    yield {
        "headers": {"Authorization": f"Bearer {token}", "X-CSRFToken": csrf},
        "json": {} if is_api and not reads else None,
    }
    if reads:
        yield {"params": {"jwtToken": token, "conta": token}, "headers": everywhere}
        return
    body = {"jwtToken": token, "contactId": 1, "dealId": 1, "jwt_token": token, "intervalo": token, token: token}
    if is_api:
        yield {"json": body, "headers": everywhere}
    else:
        yield {"data": body | {"csrf_token": csrf}, "headers": everywhere}


def _surface(rule: Rule, answer: requests.Response) -> str:
    for name, words in BY_ROUTE.items():
        if any(word in rule.rule for word in words):
            return name
    if "attachment" in answer.headers.get("Content-Disposition", ""):
        return "export"
    return "JSON" if rule.rule.startswith("/api/") else "page"


def _shell(house: House, seen: Seen) -> None:
    """The shell's commands, and a process that breaks in every way with the token in its hands."""
    env = processes.environment(house.folder, KOMMO_API_URL=house.kommo.address, **IN_FILE)
    done = subprocess.run(
        [sys.executable, "-m", "tests.secrets.breaking"],
        cwd=processes.ROOT, env=env, input=house.canary.token.encode(), capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    seen.keys |= house.keys()  # it has made a new one
    assert (done.stdout + done.stderr).count(b"[oculto]") >= WAYS, done.stderr.decode()
    seen.look("traceback", "the shell", done.stdout + done.stderr)


def _files(house: House, seen: Seen) -> None:
    seen.look_at_files("database file", [house.folder / "kommo.sqlite3"])
    seen.look_at_files("WAL", [house.folder / "kommo.sqlite3-wal"])
    seen.look_at_files("queue", house.folder.glob("queue.sqlite3*"))
    copies = list((house.folder / "backups").glob("*.sqlite3"))
    seen.look_at_files("backup", copies)
    for copy in copies:  # looked at once is enough
        copy.unlink()


def test_a_worker_that_crashes_tells_nothing(house: House) -> None:
    """An error in the worker's own loop, which ends the process: its traceback is Python's."""
    house.connect()
    code = (
        "import sys, threading\n"
        "from kommo.jobs import worker\n"
        "token = sys.stdin.read()\n"
        "def tick(self):\n"
        "    raise RuntimeError(f'Invalid header value: Bearer {token}')\n"
        "worker.Worker.tick = tick\n"
        "worker.main([])\n"
    )
    env = processes.environment(house.folder, KOMMO_API_URL=house.kommo.address, **IN_FILE)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=processes.ROOT, env=env, input=house.canary.token.encode(), capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"RuntimeError: Invalid header value: Bearer [oculto]" in done.stderr
    assert house.canary.found_in(done.stdout + done.stderr) == []


def test_it_would_be_seen(house: House, tmp_path: Path) -> None:
    """The test of the test: put anywhere, in any dress, it is found."""
    canary = house.canary
    header, payload, signature = canary.token.split(".")
    encoded = base64.b64encode(f"usuario:{canary.token}".encode())
    for content in (
        canary.token.encode(), payload[:24].encode(), signature[-12:].encode(), encoded, canary.token[::-1].encode(),
        base64.b64encode(f'x{{"canario": "{canary.word}"}}'.encode()), quote(canary.token.replace(".", "%2E")).encode(),
    ):  # fmt: skip
        assert canary.found_in(b"\0 " + content + b" \0") != [], content
    archive = tmp_path / "exportado.xlsx"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("folha.xml", canary.token)
    assert canary.found_in(archive.read_bytes()) != []
    assert canary.found_in(f"{header[:12]} {canary.token[:4]}…{canary.token[-4:]}".encode()) == []
    seen = Seen(canary)
    with ProcessList(seen):
        child = subprocess.Popen([sys.executable, "-c", "input()", canary.token], stdin=subprocess.PIPE)
        processes.wait_for(lambda: seen.leaks)
        child.communicate(b"\n")
    assert any("cmdline" in leak for leak in seen.leaks)
