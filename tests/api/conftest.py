"""A caller of the JSON API: an installation whose Kommo is Padaria Estrela, and runs that are worked on at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kommo.db import writing
from kommo.sandbox import Server
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import runs
from kommo.sync import engine
from tests.api import documented
from tests.conftest import make_settings

PREFIX = "/api/kommo"


@pytest.fixture
def settings(tmp_path: Path, padaria: Server) -> Settings:
    """Settings under which every token that is handed over goes to Padaria Estrela."""
    return make_settings(tmp_path, api_url=padaria.address, retry_attempts=1)


@dataclass
class Api:
    """Calls an installation; `token` goes into every call's Authorization header, until it is None.

    Every answer has to be one that the API's document knows.
    """

    client: FlaskClient
    services: Services
    token: str | None

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._call("GET", path, options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self._call("POST", path, options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self._call("PUT", path, options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self._call("DELETE", path, options)

    def _call(self, method: str, path: str, options: dict[str, Any]) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        answer = self.client.open(f"{PREFIX}{path}", method=method, headers=headers, **options)
        documented.hold(method, answer.request.path, answer)
        return answer


@pytest.fixture
def api(app: Flask, client: FlaskClient, padaria: Server) -> Api:
    """Ana, calling with a good token of Padaria Estrela."""
    return Api(client, app.extensions["kommo"], padaria.token)


@pytest.fixture
def silent(api: Api) -> Api:
    """Ana, calling without any token."""
    api.token = None
    return api


@pytest.fixture
def worker(app: Flask) -> Iterator[None]:
    """Whatever run is asked for is worked on at once, in threads of this process."""
    threads: list[threading.Thread] = []
    stopping = threading.Event()

    def ring(_kind: str, number: int) -> None:
        thread = threading.Thread(target=engine.run_one, args=(app.extensions["kommo"], number, "test", stopping))
        threads.append(thread)
        thread.start()

    app.extensions["kommo"] = replace(app.extensions["kommo"], ring=ring)
    yield
    stopping.set()
    for thread in threads:
        thread.join(60)


def expect_error(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The body of an error, after checking that it has the shape that every error has."""
    body = answer.get_json(force=True)
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.mimetype == "application/json"
    assert body["success"] is False
    assert body["message"] and body["error"]
    return dict(body)


def expect_good(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """The body of a success."""
    body = answer.get_json(force=True)
    assert answer.status_code == status, body
    assert body["success"] is True
    return dict(body)


@contextmanager
def held_run(services: Services, connection_id: int) -> Iterator[int]:
    """A run that is asked for and that nobody works on; gives its number, and cancels it in the end."""
    with writing(services.engine) as session:
        run_id = runs.request(session, connection_id, "page")
    yield run_id
    with writing(services.engine) as session:
        runs.cancel(session, run_id)
