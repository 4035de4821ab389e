"""/healthz and /readyz: what a probe on the machine is told, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from kommo.db import writing
from kommo.store import workers
from tests.clocks import clock_moved


@pytest.fixture
def worker(app: Flask) -> None:
    """A worker that gave a sign just now."""
    with writing(app.extensions["kommo"].engine) as session:
        workers.note(session, "maquina-1")


def failing(client: FlaskClient) -> list[str]:
    """What /readyz names; the status goes with it."""
    answer = client.get("/readyz")
    found: list[str] = answer.json["failing"]
    assert (answer.status_code, answer.json["status"]) == ((503, "failing") if found else (200, "ok"))
    assert set(answer.json) == {"status", "checks", "failing"}
    return found


def test_healthz_touches_nothing(app: Flask, client: FlaskClient) -> None:
    """It answers with a database that is gone and a folder that is gone."""
    app.extensions["kommo"].engine.dispose()
    with writing(app.extensions["kommo"].engine) as session:
        session.execute(text("DROP TABLE alembic_version"))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.usefixtures("worker")
def test_ready_where_everything_works(client: FlaskClient) -> None:
    assert failing(client) == []
    assert client.get("/readyz").headers["Cache-Control"] == "no-store"


def test_without_a_worker_it_is_named(client: FlaskClient) -> None:
    assert failing(client) == ["worker"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("seconds", "told"), [(50, []), (70, ["worker"]), (-70, ["worker"])])
def test_a_worker_counts_for_a_minute(app: Flask, client: FlaskClient, seconds: int, told: list[str]) -> None:
    with clock_moved(app.extensions["kommo"].engine, seconds):
        assert failing(client) == told


@pytest.mark.usefixtures("worker")
def test_a_worker_that_left_in_order_is_missed_at_once(app: Flask, client: FlaskClient) -> None:
    with writing(app.extensions["kommo"].engine) as session:
        workers.leave(session, "maquina-1")
    assert failing(client) == ["worker"]


@pytest.mark.usefixtures("worker")
def test_another_schema_is_named(app: Flask, client: FlaskClient) -> None:
    with writing(app.extensions["kommo"].engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert failing(client) == ["schema"]


@pytest.mark.usefixtures("worker")
@pytest.mark.only_on("sqlite", reason="the file is what is broken; a server that is away is another test's")
def test_a_database_that_does_not_answer_is_named(app: Flask, client: FlaskClient) -> None:
    services = app.extensions["kommo"]
    services.engine.dispose()
    file = services.settings.instance / "kommo.sqlite3"
    for path in file.parent.glob("kommo.sqlite3*"):
        path.unlink()
    file.write_bytes(b"isto nao e um banco de dados" * 100)
    assert failing(client) == ["database", "schema", "worker"]
    assert client.get("/healthz").status_code == 200


@pytest.mark.only_on("sqlite", reason="the folder is the same on each engine")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """A file system of 2 MB under the data's folder, filled."""
    instance = tmp_path / "instance"
    code = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "folder = Path(sys.argv[1]); folder.mkdir(exist_ok=True)\n"
        "done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'none', str(folder)])\n"
        "if done.returncode: sys.exit(77)\n"
        "from kommo import create_app\n"
        "from tests.conftest import make_settings\n"
        "app = create_app(make_settings(folder.parent))\n"
        "client = app.test_client()\n"
        "client.environ_base |= {'HTTP_HOST': '127.0.0.1:3000', 'SERVER_PROTOCOL': 'HTTP/1.1'}\n"
        "try:\n"
        "    (folder / 'cheio').write_bytes(bytes(4_000_000))\n"
        "except OSError:\n"
        "    pass\n"
        "print(client.get('/readyz').json['failing'], client.get('/healthz').status_code)\n"
        "print(sorted(path.name for path in folder.glob('.probe*')))\n"
    )
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", code, str(instance)], capture_output=True, text=True, timeout=120
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this system lets nobody mount a file system")
    assert done.stdout.splitlines()[-2:] == ["['worker', 'disk'] 200", "[]"], done.stderr


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize(
    ("environ", "status"),
    [({"REMOTE_ADDR": "8.8.8.8"}, 403), ({"HTTP_HOST": "evil.com"}, 400), ({"HTTP_X_FORWARDED_FOR": "1.2.3.4"}, 403)],
)
def test_the_guard_stands_before_them_too(client: FlaskClient, path: str, environ: dict[str, str], status: int) -> None:
    assert client.get(path, environ_overrides=environ).status_code == status


def test_nothing_of_the_installation_is_in_the_answer(app: Flask, client: FlaskClient) -> None:
    """No path, no address, no version, no cause: names of checks only."""
    told = client.get("/readyz").text
    assert str(app.extensions["kommo"].settings.instance) not in told
    assert os.uname().nodename not in told
    assert set(client.get("/readyz").json["checks"]) == {"database", "schema", "worker", "disk"}
