"""The installation that bad inputs are thrown at: a real server, two owners, two accounts, and hostile names in one."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from click.testing import Result
from flask import Flask

from kommo import create_app
from kommo.db import writing
from kommo.sandbox import OFICINA, Server, make_world, serve
from kommo.services import Services
from kommo.store import runs
from kommo.store.tables import Connection
from tests import processes
from tests.conftest import make_settings
from tests.fire.hostile import NAMES
from tests.promises.watch import everything
from tests.sync.accounts import connect, run, run_view

ANA, BRUNO = "1", "2"


@dataclass
class Place:
    """A server and what it knows. `ids` are the numbers that rows speak of: `{contact}`, `{foreign_run}`, …"""

    app: Flask
    address: str
    kommo: Server
    log: Path
    ids: dict[str, str]
    cookie: str = ""
    csrf: str = ""
    hostile: dict[str, int] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        """The tools of the application."""
        found = self.app.extensions["kommo"]
        assert isinstance(found, Services)
        return found

    @property
    def host(self) -> str:
        """The server's own name and port."""
        return urlsplit(self.address).netloc

    def filled(self, text: str) -> str:
        """`text` with the numbers in the places of their names."""
        return re.sub(r"\{(\w+)\}", lambda found: self.ids.get(found[1], found[0]), text)

    def request(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, str, str]:
        """Send what is given and nothing else; gives status, content type, and headers with body as text."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if data is not None and not {"Content-Length", "Transfer-Encoding"} & set(headers):
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        head = "\r\n".join(f"{name}: {value}" for name, value in answer.getheaders())
        return answer.status, answer.getheader("Content-Type") or "", f"{head}\r\n\r\n{body}"

    def shell(self, *arguments: str) -> Result:
        """`flask kommo …` on this installation."""
        return self.app.test_cli_runner().invoke(args=["kommo", *arguments])

    def stored(self) -> dict[str, list[str]]:
        """Every row of every table."""
        return everything(self.services, without=())

    def effects(self) -> dict[str, list[str]]:
        """Every row but those that tell who clicked."""
        return everything(self.services, without=("audit",))

    def put_back(self) -> None:
        """Let no run wait, and the account be connected: what a row with an effect leaves behind."""
        with writing(self.services.engine) as session:
            for run_id in runs.due_ids(session):
                runs.cancel(session, run_id)
            gone = not session.get_one(Connection, int(self.ids["own"])).token
        if gone:
            connect(self.services, self.kommo)

    def sign_in(self) -> None:
        """Open a page, as a browser: a cookie, and the token that forms carry."""
        _status, _kind, page = self.request("GET", "/conexao", None, {"Host": self.host})
        cookies, tokens = re.search(r"Set-Cookie: ([^;]+)", page), re.search(r'name="csrf-token" content="(.+?)"', page)
        assert cookies and tokens
        self.cookie, self.csrf = cookies[1], tokens[1]


@contextmanager
def opened(folder: Path) -> Iterator[Place]:
    """A place whose server runs until the end. Its Kommo takes every token that this process' sandbox gave out."""
    with serve(make_world(contacts=30, deals=15)) as padaria, serve(make_world(OFICINA, contacts=10, deals=5)) as other:
        settings = make_settings(folder, api_url=padaria.address, retry_attempts=0)
        app = create_app(settings)
        services: Services = app.extensions["kommo"]
        contacts, deals = padaria.world.ids("contacts"), padaria.world.ids("leads")
        hostile = dict(zip(NAMES, contacts, strict=False))
        for text, key in hostile.items():
            padaria.world.update("contacts", key, name=text)
        for text, key in zip(NAMES, deals, strict=False):
            padaria.world.update("leads", key, name=text)
        own, foreign = connect(services, padaria), connect(services, other, BRUNO)
        assert run(services, own).proved and run(services, foreign).proved
        ids = {
            "own": own, "foreign": foreign, "run": run_view(services, own).id,
            "foreign_run": run_view(services, foreign).id, "contact": contacts[-1], "deal": deals[-1],
            "foreign_account": OFICINA.account_id, "account": padaria.world.account_id,
        }  # fmt: skip
        with processes.server(
            settings.instance, "--no-worker", KOMMO_API_URL=padaria.address, KOMMO_RETRY_ATTEMPTS="0"
        ) as (address, child):
            place = Place(app, address, padaria, folder / "server.log", {k: str(v) for k, v in ids.items()})
            place.hostile = hostile
            place.sign_in()
            yield place
            assert child.poll() is None
        services.engine.dispose()
