"""`python app.py` as a person starts it: one line, everything up, everything gone again."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from kommo.db import writing
from tests import processes
from tests.conftest import make_services, make_settings
from tests.databases import closed_port

CONTACTS = "/api/kommo/contacts?source=local"


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _refused(tmp_path: Path, *arguments: str, **values: str) -> str:
    """What a start that cannot succeed prints; checks its exit code and that it is one line."""
    env = processes.environment(tmp_path / "instance", **values)
    done = subprocess.run(
        [sys.executable, "app.py", *arguments], cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_one_line_with_the_address(tmp_path: Path) -> None:
    with processes.server(tmp_path / "instance") as (address, child):
        assert requests.get(address, timeout=60).status_code == 200
        first, *rest = (tmp_path / "server.log").read_text().splitlines()
        assert first == f"Painel Kommo pronto em {address} (Ctrl-C encerra)"
        assert [line for line in rest if "event='request'" not in line] == []
        processes.wait_for(lambda: len(_children(child.pid)) == 1)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"A porta {port} não pode ser usada (já está em uso)" in _refused(tmp_path, PORT=port)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--x",), "Argumentos inválidos: não conheço: --x. Veja --help."),
        (("--demo=sim",), "Argumentos inválidos: --demo: não leva valor ('sim'). Veja --help."),
        (("--=",), "Argumentos inválidos: --= pode ser --help, --demo, --no-worker. Veja --help."),
    ],
)
def test_a_wrong_option_is_one_portuguese_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    assert _refused(tmp_path, *arguments) == says


def test_a_wrong_option_of_the_worker_is_one_portuguese_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kommo.jobs.worker", "--x"], cwd=processes.ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (2, "Argumentos inválidos: não conheço: --x. Veja --help.\n")


def test_a_queue_without_its_package_is_refused_at_the_start(tmp_path: Path) -> None:
    """The web server would start, and its worker end again and again."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['redis'] = None")
    sentence = _refused(tmp_path, KOMMO_QUEUE_URL="redis://127.0.0.1/0", PYTHONPATH=str(tmp_path))
    assert sentence.startswith("KOMMO_QUEUE_URL pede um pacote que não está instalado: rode pip install 'redis'")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.10", "::", "painel.example.com"])
def test_any_other_host_than_loopback_is_refused_without_its_names_and_why(tmp_path: Path, host: str) -> None:
    assert "diga em KOMMO_TRUSTED_HOSTS por qual nome elas o abrem" in _refused(tmp_path, HOST=host)


def test_a_proxy_without_its_names_is_refused_and_why(tmp_path: Path) -> None:
    assert "diga em KOMMO_TRUSTED_HOSTS por qual nome elas o abrem" in _refused(tmp_path, KOMMO_PROXY_COUNT="1")


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    assert _refused(tmp_path, KOMMO_TIMEOUT="abc").startswith("KOMMO_TIMEOUT tem um valor que não serve")


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("")
    assert str(tmp_path / "instance") in _refused(tmp_path)


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    with writing(make_services(make_settings(tmp_path)).engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "versão mais nova" in _refused(tmp_path)


@pytest.mark.only_on("sqlite", reason="a file of another kind; the server that is away is named by its address")
def test_a_database_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "kommo.sqlite3").write_text("isto não é um banco de dados " * 50)
    sentence = _refused(tmp_path)
    assert "kommo.sqlite3 não pôde ser lido (file is not a database)" in sentence
    with closed_port() as port:
        sentence = _refused(tmp_path, DATABASE_URL=f"postgresql+psycopg://ninguem:segredo@127.0.0.1:{port}/kommo")
    assert "O servidor de banco de dados 127.0.0.1 não pôde ser lido" in sentence
    assert "segredo" not in sentence


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_nothing_of_it_is_left(tmp_path: Path, how: signal.Signals) -> None:
    """Worker and demonstration account end with it, even when it is killed."""
    with processes.server(tmp_path / "instance", "--demo") as (_address, child):
        processes.wait_for(lambda: len(_children(child.pid)) == 2)
        family = _children(child.pid)
        os.kill(child.pid, how)
        assert child.wait(60) == (0 if how != signal.SIGKILL else -signal.SIGKILL)
        processes.wait_for(lambda: not any(_alive(pid) for pid in family))


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    with processes.server(tmp_path / "instance") as (_address, child):
        processes.wait_for(lambda: len(_children(child.pid)) == 1)
        first = _children(child.pid)[0]
        os.kill(first, signal.SIGKILL)
        processes.wait_for(lambda: _children(child.pid) not in ([], [first]))
        assert child.poll() is None


def test_the_demonstration_account_and_its_changes_survive_a_restart(tmp_path: Path) -> None:
    """Connected by `--demo`, synced, and found again by a start without it."""
    instance = tmp_path / "instance"
    with processes.server(instance, "--demo") as (address, _child):
        done = requests.post(f"{address}/api/kommo/sync", json={}, timeout=120).json()
        assert (done["success"], done["data"]["contactsCount"]) == (True, 4300), done
        before = requests.get(f"{address}{CONTACTS}", timeout=60).json()
    with processes.server(instance) as (address, _child):
        assert requests.get(f"{address}{CONTACTS}", timeout=60).json() == before
        live = requests.get(f"{address}/api/kommo/contacts", timeout=60)
        assert live.status_code == 200, live.text
        again = requests.post(f"{address}/api/kommo/sync", json={}, timeout=120).json()
        assert again["data"]["changes"]["contacts"]["unchanged"] == 4300, again
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in instance.rglob("*")}
    assert {name for name, mode in modes.items() if mode not in (0o600, 0o700)} == set()


def test_the_shell_syncs_and_says_how_it_ended(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    with processes.server(instance, "--demo"):
        env = processes.environment(instance)
        command = [sys.executable, "-m", "flask", "kommo", "sync"]
        done = subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "Concluída: 4.300 contatos aqui, 4.300 no Kommo; 1.900 negociações aqui, 1.900 no Kommo." in done.stdout
        lost = subprocess.run(
            [*command, "--user", "2"], cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=60
        )
        assert (lost.returncode, lost.stdout) == (2, "")
        assert "Nenhuma conta conectada" in lost.stderr


def test_the_shell_names_a_bad_setting_too(tmp_path: Path) -> None:
    env = processes.environment(tmp_path / "instance", PORT="abc")
    done = subprocess.run(
        [sys.executable, "-m", "flask", "kommo", "sync"], cwd=processes.ROOT, env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (2, "PORT tem um valor que não serve; use um número de 1 a 65535.\n")
