"""An installation under fire: `python app.py` as a process, its Kommo behind a gate, and what holds after a fault."""

import contextlib
import http.client
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select

from kommo.connect import flow
from kommo.crm.token import read_token
from kommo.db import count, reading
from kommo.sandbox import Server, make_world, serve
from kommo.services import Services
from kommo.store.connections import DEFAULT_OWNER
from kommo.store.progress import RunView
from kommo.store.tables import Connection, SyncRun
from tests import databases, processes
from tests.conftest import make_settings
from tests.databases import free_port
from tests.fire.gate import Gate
from tests.pages.dom import parse
from tests.promises.watch import everything, prepared
from tests.sync.accounts import Access, difference, run_view

QUICK = {"KOMMO_RETRY_ATTEMPTS": "1", "KOMMO_RETRY_DELAY": "0", "KOMMO_TIMEOUT": "1000", "KOMMO_LEASE": "1"}
QUICK |= {"KOMMO_ENCRYPTION_KEY": ""}  # the key is the file's: a fault takes it away


@dataclass
class Site:
    """One installation. `seen` is all that its pages said, to look for a token in it at the end of a fault."""

    folder: Path
    kommo: Server
    gate: Gate
    services: Services
    account: int
    port: int = field(default_factory=free_port)
    child: "subprocess.Popen[bytes] | None" = None
    seen: list[str] = field(default_factory=list)
    broken: bool = False
    ended_at: float = 0.0

    @property
    def instance(self) -> Path:
        """The folder of its data, as the test sees it."""
        return self.services.settings.instance

    @property
    def database(self) -> Path:
        """SQLite's file."""
        return self.instance / "kommo.sqlite3"

    @property
    def log(self) -> Path:
        """What its processes wrote."""
        return self.folder / "server.log"

    def environment(self, **values: str) -> dict[str, str]:
        """What its processes are started with."""
        usual = QUICK | {"PORT": str(self.port), "KOMMO_API_URL": self.gate.address}
        usual |= {"DATABASE_URL": str(self.services.settings.database_url or "")}
        return processes.environment(self.folder / "instance", **(usual | values))

    def start(self, *, before: tuple[str, ...] = (), stderr: int | None = None, **values: str) -> None:
        """Start `python app.py` and wait until it answers; `before` stands in front of the command."""
        self.child = self.launch(before=before, stderr=stderr, **values)
        processes.wait_for(self.answers)

    def launch(
        self, *, before: tuple[str, ...] = (), stderr: int | None = None, **values: str
    ) -> "subprocess.Popen[bytes]":
        """Start `python app.py` and wait for nothing."""
        with self.log.open("ab") as file:
            return subprocess.Popen(
                [*before, sys.executable, "app.py"], cwd=processes.ROOT, env=self.environment(**values), stdout=file,
                stderr=file if stderr is None else stderr, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def refuses(self, *arguments: str, **values: str) -> str:
        """What a start says that cannot succeed: one line and exit code 2."""
        command = arguments or ("app.py",)
        done = subprocess.run(
            [sys.executable, *command], cwd=processes.ROOT, env=self.environment(**values), capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, ""), done
        assert len(done.stderr.splitlines()) == 1, done.stderr
        self.seen.append(done.stderr)
        return done.stderr

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and wait until it and its worker are gone; gives its exit code."""
        assert self.child is not None
        worker = self.workers()
        self.child.send_signal(how)
        code = self.child.wait(60)
        processes.wait_for(lambda: not any(_alive(pid) for pid in worker))
        return code

    def answers(self) -> bool:
        """Whether the server takes a connection and says something."""
        assert self.child is None or self.child.poll() is None, self.log.read_text()[-2000:]
        try:
            return self.get("/static/js/app.js")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def workers(self) -> list[int]:
        """The worker's process, as long as there is one."""
        assert self.child is not None
        found: list[str] = []
        with contextlib.suppress(FileNotFoundError):  # a thread is over, or all of it
            for task in Path(f"/proc/{self.child.pid}/task").iterdir():
                found += (task / "children").read_text().split()
        return [pid for pid in map(int, found) if _alive(pid)]

    def worker(self) -> int:
        """The worker's process, waited for."""
        processes.wait_for(self.workers)
        return self.workers()[0]

    def get(self, path: str, timeout: float = 60, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """A page's status and its words. Raises OSError where nobody answers."""
        return self._ask("GET", path, None, timeout, dict(headers or {}))

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Send a form, with the token of a page opened before; gives status and words."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request("GET", "/conexao")
            answer = connection.getresponse()
            page, cookie = answer.read().decode(), (answer.getheader("Set-Cookie") or "").partition(";")[0]
        token = re.search(r'name="csrf-token" content="(.+?)"', page)
        assert token, page[:2000]
        data = urlencode({"csrf_token": token[1]} | fields)
        return self._ask(
            "POST", path, data, 60, {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        )

    def api(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """A call of the API: status and body."""
        headers = {"Content-Type": "application/json", "Prefer": "respond-async"}
        return self._ask(method, f"/api/kommo{path}", body, 60, headers)

    def _ask(
        self, method: str, path: str, data: str | None, timeout: float, headers: dict[str, str]
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with closing(connection):
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        self.seen.append(f"{answer.getheaders()}{text}")
        html = (answer.getheader("Content-Type") or "").startswith("text/html")
        return answer.status, parse(text).text if html else text

    def says(self, path: str, *sentences: str) -> None:
        """Wait until a page says all of this."""
        said = [""]

        def found() -> bool:
            said[0] = self.get(path)[1]
            return all(sentence in said[0] for sentence in sentences)

        try:
            processes.wait_for(found, within=60, every=0.2)
        except AssertionError:
            raise AssertionError(f"{sentences} not in: {said[0][:3000]}") from None

    def sync(self, *, sweep: bool = True) -> None:
        """Ask for a run, as a person does."""
        assert self.post("/sincronizacao", sweep="1" if sweep else "")[0] == 303

    def view(self) -> RunView:
        """The newest run, as a person sees it."""
        return run_view(self.services, self.account)

    def runs(self) -> int:
        """How many runs there have been."""
        with reading(self.services.engine) as session:
            return count(session, select(SyncRun))

    def meet(self, text: str, act: Callable[[], object], times: int = 1) -> None:
        """Ask for a run, and do something when it asks Kommo for what `text` names; `times` in all."""
        left = [times]

        def strike(method: str, path: str, query: str) -> None:
            if left[0] and text in f"{method} {path}?{query}":
                left[0] -= 1
                act()

        self.kommo.world.before_request = strike
        self.sync()
        processes.wait_for(lambda: left[0] < times)

    def over(self) -> None:
        """The cause of the fault is gone: from here on it is recovery."""
        self.ended_at = time.monotonic()

    def recover(self, before: int = 0) -> None:
        """A run that waits goes on at a person's word; one after the run `before` ends proved."""
        world = self.kommo.world
        world.before_request = None
        world.heal()
        self.gate.turn("open")
        self._settle()
        if not self.view().proved or self.view().id == before:
            processes.wait_for(lambda: self.post("/sincronizacao", sweep="1")[0] == 303)  # 503 says to try again
            self._settle()
        assert self.view().proved, (self.view().errors, self.log.read_text()[-2000:])

    def _settle(self) -> None:
        """Wait for the end of the run in hand, pressing its button where it waits."""
        until = time.monotonic() + 90
        while (view := self.view()).active:
            assert time.monotonic() < until, (view.state, view.waiting, self.log.read_text()[-2000:])
            if view.state == "paused":
                self.post(f"/sincronizacao/{view.id}/continuar")
            time.sleep(0.05)

    def check(self) -> None:
        """Alive, exact, whole, and no token anywhere."""
        assert self.child is not None and self.child.poll() is None
        assert self.workers()
        assert difference(self.services, self.account, self.kommo.world) == []
        assert self.get("/")[0] == self.get("/contatos")[0] == self.get("/sincronizacao")[0] == 200
        if self.services.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(self.database)) as probe:
                assert probe.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        self.no_token()

    def no_token(self) -> None:
        """The account's token stands on no page, in no log, file, row or list of processes."""
        assert self.child is not None
        secret = self.kommo.token.rpartition(".")[2]
        assert secret not in "".join(self.seen)
        self.seen.clear()
        assert secret not in str(everything(self.services, without=()))
        self.services.engine.dispose()  # closing a file drops the locks that SQLite holds on it in this process
        for file in (self.log, *(path for path in self.instance.rglob("*") if path.is_file())):
            with contextlib.suppress(FileNotFoundError):  # a log of SQLite's went with its last connection
                assert secret.encode() not in file.read_bytes(), file.name
        for pid in (self.child.pid, *self.workers()):
            assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()

    def sealed(self) -> str | None:
        """The stored token's ciphertext."""
        with reading(self.services.engine) as session:
            return session.scalars(select(Connection.token).where(Connection.id == self.account)).one()

    def end(self) -> None:
        """Leave nothing running."""
        if self.child is not None and self.child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child.pid, signal.SIGCONT)
            for pid in self.workers():
                os.kill(pid, signal.SIGKILL)
            self.child.kill()
            self.child.wait()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """A database that outlives the test which made it, on PostgreSQL."""
    if databases.engine == databases.SQLITE:
        yield {}
        return
    with databases.postgres_database() as address:
        yield {"database_url": address}


@contextmanager
def standing(folder: Path) -> Iterator[Site]:
    """A site whose account is connected and copied; started, and ended in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with _database() as own, serve(make_world(contacts=300, deals=60)) as kommo, Gate(kommo.address) as gate:
        services = prepared(make_settings(folder, lease=1.0, api_url=gate.address, encryption_key=None, **own))
        access = Access(kommo.token, read_token(kommo.token), gate.address)
        account = flow.keep(services, DEFAULT_OWNER, access, flow.test(services, access, full=False)).connection_id
        assert account is not None
        site = Site(folder, kommo, gate, services, account)
        try:
            site.start()
            site.sync()
            site.recover()
            yield site
        finally:
            site.end()
            services.engine.dispose()
