"""Every request has a number, which its answer and all of its lines bear."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient

from kommo.sandbox import Server
from kommo.watch.requests import HEADER
from tests import processes

OURS = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("given", ["abcdefgh", "7f3c0b1e-4f5a-4c62-8d4a-1c2b3a4d5e6f", "a" * 64, "x.y_z-0123"])
@pytest.mark.parametrize("path", ["/contatos", "/nada", "/api/kommo/sync", "/api/nada", "/healthz"])
def test_a_valid_number_is_kept_and_sent_back(client: FlaskClient, path: str, given: str) -> None:
    assert client.get(path, headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize("given", [None, "", "curto", "a" * 65, "a b c d e f", "<script>", "ação-ação", "abc\tdefgh"])
def test_any_other_is_replaced(client: FlaskClient, given: str | None) -> None:
    headers = {} if given is None else {HEADER: given.encode().decode("latin-1")}
    first = client.get("/contatos", headers=headers).headers[HEADER]
    second = client.get("/contatos", headers=headers).headers[HEADER]
    assert OURS.fullmatch(first)
    assert OURS.fullmatch(second)
    assert first != second


def test_who_is_refused_gets_one_too(client: FlaskClient) -> None:
    answer = client.get("/contatos", environ_overrides={"REMOTE_ADDR": "8.8.8.8"}, headers={HEADER: "abcdefgh"})
    assert (answer.status_code, answer.headers[HEADER]) == (403, "abcdefgh")


@pytest.fixture
def told(tmp_path: Path, padaria: Server) -> Iterator[tuple[str, Path]]:
    """`python app.py` that logs JSON: its address and its log."""
    values = {"KOMMO_API_URL": padaria.address, "KOMMO_LOG_FORMAT": "json"}
    with processes.server(tmp_path / "instance", **values) as (address, _child):
        yield address, tmp_path / "server.log"


def lines(log: Path) -> list[dict[str, object]]:
    """What the processes have logged; the greeting of the server is none of it."""
    return [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]


def test_a_request_and_the_run_it_asked_for_are_found_by_their_ids(told: tuple[str, Path], padaria: Server) -> None:
    """Web server and worker, two processes, one log: what belongs together bears the same ids."""
    address, log = told
    secret = {"jwtToken": padaria.token, "x": "Maria"}
    answer = requests.post(
        f"{address}/api/kommo/sync?q=Maria", json=secret, headers={HEADER: "pedido-0001"}, timeout=120
    )
    assert answer.status_code == 200, answer.text
    run_id = answer.json()["data"]["runId"]
    requests.get(f"{address}/contatos/123456?q=Maria", timeout=60)
    processes.wait_for(lambda: any(line["event"] == "sync_over" for line in lines(log)))
    found = lines(log)
    (asked,) = [line for line in found if line.get("request") == "pedido-0001"]
    assert (asked["event"], asked["method"], asked["route"]) == ("request", "POST", "/api/kommo/sync")
    assert (asked["status"], asked["run"], asked["account"]) == (200, run_id, 30001000)
    assert isinstance(asked["ms"], int)
    of_worker = [line["event"] for line in found if line.get("run") == run_id and "request" not in line]
    assert of_worker == ["sync_taken", "sync_over"]
    assert {line["account"] for line in found if line.get("run") == run_id} == {30001000}
    shown = [line for line in found if line.get("route") == "/contatos/<int:contact_id>"]
    assert [line["status"] for line in shown] == [404]
    text = log.read_text("utf-8")
    assert "Maria" not in text
    assert "123456" not in text
    assert padaria.token not in text


def test_what_the_web_server_itself_refuses_has_a_line_and_a_number(told: tuple[str, Path]) -> None:
    """Headers beyond its limit never reach the application."""
    address, log = told
    answer = requests.get(address, headers={"X-Grande": "a" * 300_000}, timeout=60)
    assert answer.status_code == 431
    number = answer.headers[HEADER]
    processes.wait_for(lambda: any(line.get("request") == number for line in lines(log)))
    (line,) = [line for line in lines(log) if line.get("request") == number]
    assert (line["event"], str(line["status"])[:3]) == ("request", "431")
