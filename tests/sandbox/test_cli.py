"""`python -m kommo.sandbox` as a process: what it prints, how it ends, what survives."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.databases import free_port

ROOT = Path(__file__).parents[2]
SMALL = ("--contacts", "30", "--deals", "20", "--json")


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """The process and what its first line says; killed at the end if it still runs."""
    command = [sys.executable, "-m", "kommo.sandbox", "--rate", "0", *SMALL, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait(60)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with stdin closed, so that it ends by itself where it can."""
    command = [sys.executable, "-m", "kommo.sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def _get(told: dict[str, Any], path: str, **headers: str) -> requests.Response:
    url = f"{told['address']}{path}"
    return requests.get(url, headers={"Authorization": f"Bearer {told['token']}", **headers}, timeout=60)


def _post(told: dict[str, Any], path: str, body: Any, **headers: str) -> requests.Response:
    headers["Authorization"] = f"Bearer {told['token']}"
    return requests.post(f"{told['address']}{path}", json=body, headers=headers, timeout=60)


def test_one_json_line_with_address_token_and_account() -> None:
    with _running() as (_, told):
        assert set(told) == {"address", "token", "account_id"}
        assert told["address"].startswith("http://127.0.0.1:")
        answer = _get(told, "/api/v4/contacts?limit=250")
        assert len(answer.json()["_embedded"]["contacts"]) == 30
        assert told["account_id"] == 30001000


def test_a_portuguese_line_with_address_and_token() -> None:
    done = _run("--contacts", "1", "--deals", "1", "--until-stdin-closes", "--account", "oficina")

    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("Oficina Norte em http://127.0.0.1:")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--port", "x"), "--port: x não é um número"),
        (("--port", "99999"), "--port: 99999 não está entre 0 e 65535"),
        (("--contacts", "-1"), "--contacts: -1 não está entre"),
        (("--contacts",), "--contacts: falta o valor"),
        (("--latency-ms", "nan"), "--latency-ms: nan não está entre"),
        (("--account", "banana"), "--account: valor não aceito"),
        (("--banana",), "não conheço: --banana"),
        (("--seed", "abc"), "--seed: abc não é um número"),
        (("--con", "1"), "--con pode ser --contacts, --control-key"),
        (("--json=1",), "--json: não leva valor ('1')"),
        (("--data", "/nao/existe/x.db"), "abrir o arquivo de dados /nao/existe/x.db: a pasta não existe"),
        (("--data", "/"), "abrir o arquivo de dados /: é uma pasta"),
    ],
)
def test_what_cannot_be_is_one_portuguese_line(arguments: tuple[str, ...], says: str) -> None:
    done = _run(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_portuguese_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("--port", str(port), "--contacts", "1", "--deals", "1")

    assert done.returncode == 2
    assert done.stderr.startswith(f"Não foi possível usar a porta {port}: já está em uso.")
    assert done.stderr.count("\n") == 1


def test_a_given_port() -> None:
    port = free_port()
    with _running("--port", str(port)) as (_, told):
        assert told["address"] == f"http://127.0.0.1:{port}"


def test_it_listens_on_loopback_alone() -> None:
    with _running() as (_, told), socket.socket() as other:
        port = int(told["address"].rpartition(":")[2])
        other.settimeout(2)
        # 127.0.0.2 is loopback too, but not the address it binds: nobody answers there.
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_it_ends_with_its_parent_s_end_of_stdin() -> None:
    with _running("--until-stdin-closes") as (process, told):
        assert process.stdin is not None
        assert _get(told, "/api/v4/account").status_code == 200
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_it_ends_when_told_to(how: str) -> None:
    with _running() as (process, _):
        process.send_signal(getattr(signal, how))
        assert process.wait(60) == 0


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "conta.sqlite3"))
    names = []
    with _running(*data) as (process, told):
        for place in range(20):
            names.append(f"Ana {place}")
            assert _post(told, "/api/v4/contacts", [{"name": names[-1]}]).status_code == 200
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    with _running(*data, "--contacts", "5") as (_, again):
        again["token"] = told["token"]
        rows = _get(again, "/api/v4/contacts?limit=250").json()["_embedded"]["contacts"]

    assert [row["name"] for row in rows[-20:]] == names
    assert len(rows) == 50


def test_the_rate_and_the_wait_are_options() -> None:
    with _running("--rate", "2", "--latency-ms", "1") as (_, told):
        assert _get(told, "/api/v4/account").status_code == 200
        while (status := _get(told, "/api/v4/account").status_code) == 200:
            pass

    assert status == 429


def test_control_needs_its_key() -> None:
    with _running("--control-key", "chave") as (_, told):
        wrong = _post(told, "/_control/counters", {}, **{"X-Control-Key": "outra"})
        none = _post(told, "/_control/counters", {})
        right = _post(told, "/_control/counters", {}, **{"X-Control-Key": "chave"})

    assert [wrong.status_code, none.status_code, right.status_code] == [404, 404, 200]
    assert right.json()["result"]["counts"]["contacts"] == 30


def test_without_a_key_there_is_no_control() -> None:
    with _running() as (_, told):
        assert _post(told, "/_control/counters", {}, **{"X-Control-Key": ""}).status_code == 404


def test_help_is_portuguese() -> None:
    done = _run("--help")

    assert done.returncode == 0
    assert "Um Kommo de mentira" in done.stdout
