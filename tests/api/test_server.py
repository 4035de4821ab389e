"""The API on real sockets: what only a running `python app.py` shows."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kommo.sandbox import Server
from tests import processes
from tests.processes import wait_for


@pytest.fixture
def address(tmp_path: Path, padaria: Server) -> Iterator[str]:
    """Two threads, one of which may wait; nobody works on runs."""
    values = {"KOMMO_API_URL": padaria.address, "KOMMO_THREADS": "2"}
    with processes.server(tmp_path / "instance", "--no-worker", **values) as (found, _child):
        yield f"{found}/api/kommo"


class Waiter(threading.Thread):
    """Starts a run and waits for it, as a caller who reads the document does."""

    def __init__(self, address: str, body: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.address, self.body = address, body
        self.error: Exception | None = None
        self.answer: requests.Response | None = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = requests.post(f"{self.address}/sync", json=self.body, timeout=120)
        except requests.RequestException as error:
            self.error = error


def is_queued(address: str, owner: str) -> bool:
    data = requests.get(f"{address}/sync", params={"userId": owner}, timeout=60).json()["data"]
    return data is not None and data["state"] == "queued"


def test_pages_never_hang_behind_callers_that_wait(address: str, padaria: Server) -> None:
    """Of two callers with new tokens one is told to come again, and a page still finds a thread."""
    waiters = [Waiter(address, {"jwtToken": padaria.token, "userId": owner}) for owner in ("1", "2")]
    wait_for(lambda: not all(waiter.is_alive() for waiter in waiters))
    (answered,) = [waiter for waiter in waiters if waiter.error is None and not waiter.is_alive()]
    assert answered.answer is not None
    assert (answered.answer.status_code, answered.answer.json()["code"]) == (503, "unavailable")
    page = requests.get(address.replace("/api/kommo", "/conexao"), timeout=60)
    assert page.status_code == 200
    assert sum(waiter.is_alive() for waiter in waiters) == 1


def test_the_server_ends_although_a_caller_waits(tmp_path: Path, padaria: Server) -> None:
    values = {"KOMMO_API_URL": padaria.address}
    with processes.server(tmp_path / "instance", "--no-worker", **values) as (found, child):
        waiter = Waiter(f"{found}/api/kommo", {"jwtToken": padaria.token})
        wait_for(lambda: is_queued(f"{found}/api/kommo", "1"))
        processes.end(child)
    waiter.join(60)
    assert isinstance(waiter.error, requests.ConnectionError)


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_large_body_is_refused_and_the_connection_goes_on(address: str, chunked: bool) -> None:
    """20 MB: the same answer, whether the length is said or not."""
    large = b'{"jwtToken": "' + b"e" * 20_000_000 + b'"}'
    with requests.Session() as caller:
        headers = {"Content-Type": "application/json"}
        data: Any = iter([large[:65_536]] * 300) if chunked else large
        answer = caller.post(f"{address}/sync", data=data, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert caller.get(f"{address}/sync", timeout=60).json()["success"] is True


def test_a_body_in_chunks_is_read(address: str, padaria: Server) -> None:
    body = json.dumps({"jwtToken": padaria.token}).encode()
    answer = requests.post(
        f"{address}/test-connection",
        data=iter([body[:20], body[20:]]),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 200
