"""A small account on a real socket, its clock held, and a client that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from kommo.sandbox import MovableClock, Server, World, make_world, serve

NOW = 1_795_449_600  # 2026-11-23 16:00 UTC, a Monday afternoon in São Paulo


@dataclass
class Api:
    """Asks one server with one token; `get("contacts", limit=2)` is `GET /api/v4/contacts?limit=2`."""

    server: Server
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, json: Any = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = f"{self.server.address}{path if path.startswith('/') else f'/api/v4/{path}'}"
        options.setdefault("timeout", 60)
        return self.session.request(method, url, json=json, headers=headers, allow_redirects=False, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.ask("GET", path, params=params)

    def query(self, path: str, query: str) -> requests.Response:
        return self.ask("GET", f"{path}?{query}")

    def post(self, path: str, json: Any) -> requests.Response:
        return self.ask("POST", path, json)

    def patch(self, path: str, json: Any) -> requests.Response:
        return self.ask("PATCH", path, json)

    def rows(self, path: str, query: str = "") -> list[dict[str, Any]]:
        """The records of a list's page; none for a 204."""
        answer = self.query(path, query)
        if answer.status_code == 204:
            return []
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = next(iter(answer.json()["_embedded"].values()))
        return found

    def ids(self, path: str, query: str = "") -> list[Any]:
        return [row["id"] for row in self.rows(path, query)]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def world(clock: MovableClock) -> World:
    return make_world(contacts=60, deals=40, clock=clock)


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    with serve(world) as running:
        yield running


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    client = Api(server, server.token)
    with client.session:
        yield client


def errors(answer: requests.Response) -> list[tuple[str, str, str]]:
    """What a 400 complains of: (request id, path, code) each."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [
        (one["request_id"], error["path"], error["code"])
        for one in answer.json()["validation-errors"]
        for error in one["errors"]
    ]
