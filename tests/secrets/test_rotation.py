"""`flask kommo rotate-keys`: another key while everything runs; killed anywhere, no token is ever lost."""

import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from click.testing import Result
from flask import Flask
from sqlalchemy import update

from kommo.connect import keys
from kommo.db import writing
from kommo.keyfile import KeyFile
from kommo.sandbox import Server
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import sealed
from kommo.store.tables import Connection
from kommo.vault import Damaged, Vault, id_of, key_id_of
from tests import processes
from tests.conftest import make_services
from tests.secrets.conftest import IN_FILE, sealed_of, token_of
from tests.sync.accounts import connect

OLD, NEW = b"o" * 32, b"n" * 32


def call(app: Flask) -> Result:
    """`flask kommo rotate-keys`"""
    return app.test_cli_runner().invoke(args=["kommo", "rotate-keys"])


@pytest.fixture
def accounts(services: Services, padaria: Server, oficina: Server) -> list[int]:
    """Two accounts of Ana's, and one of Bruno's."""
    return [connect(services, padaria), connect(services, oficina), connect(services, padaria, "2")]


def all_open(services: Services, accounts: list[int], *servers: Server) -> bool:
    """Whether a process that starts now can open every token."""
    fresh = replace(services, vault=Vault(source=KeyFile(services.settings.instance)))
    return [token_of(fresh, account) for account in accounts] == [server.token for server in servers]


def test_a_rotation_leaves_one_key_which_opens_everything(
    app: Flask, ring: KeyFile, padaria: Server, oficina: Server
) -> None:
    services = app.extensions["kommo"]
    accounts = [connect(services, padaria), connect(services, oficina)]
    (before,) = ring.keys()
    done = call(app)
    assert done.exit_code == 0, done.output
    (after,) = ring.keys()
    assert after != before
    assert f"A chave nova é {id_of(after)}" in done.stdout
    assert re.search(r"2\s+tokens\s+cifrados de novo", done.stdout)
    assert f"precisa mais dela: {id_of(before)}" in done.stdout
    assert "cópias de segurança feitas antes" in done.stdout
    assert before.hex() not in done.output
    assert after.hex() not in done.output
    assert {key_id_of(sealed_of(services, account) or "") for account in accounts} == {id_of(after)}
    assert all_open(services, accounts, padaria, oficina)
    again = call(app)
    assert again.exit_code == 0
    assert ring.keys() != (after,)
    assert all_open(services, accounts, padaria, oficina)


def test_without_a_token_there_is_nothing_to_change(app: Flask, ring: KeyFile) -> None:
    done = call(app)
    assert done.exit_code == 2
    assert "Ainda não há token guardado" in done.stderr
    assert ring.keys() == ()


def test_without_the_key_nothing_is_changed(app: Flask, ring: KeyFile, padaria: Server) -> None:
    services = app.extensions["kommo"]
    account = connect(services, padaria)
    before = sealed_of(services, account)
    ring.path.unlink()
    done = call(app)
    assert done.exit_code == 2
    assert "devolva-a antes de trocá-la" in done.stderr
    assert (ring.keys(), sealed_of(services, account)) == ((), before)


def test_killed_at_every_step_it_loses_nothing_and_goes_on(
    settings: Settings, ring: KeyFile, padaria: Server, oficina: Server, tmp_path: Path
) -> None:
    """kill -9 of a process of its own at each step in turn; then the person asks again."""
    services = make_services(settings)
    accounts = [connect(services, padaria), connect(services, oficina), connect(services, padaria, "2")]
    servers = (padaria, oficina, padaria)
    env = processes.environment(settings.instance, **IN_FILE)
    for number in range(1, 100):
        (first,) = ring.keys()
        command = [sys.executable, "-m", "tests.secrets.mortal_rotation", str(number)]
        done = subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=60)
        assert all_open(services, accounts, *servers), f"killed at step {number}"
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        keys.rotate(services, lambda _sentence: None)
        assert all_open(services, accounts, *servers), f"gone on after step {number}"
        assert len(ring.keys()) == 1, f"gone on after step {number}"
        assert ring.keys() != (first,)
        found = [path for path in settings.instance.iterdir() if "encryption_key" in path.name]
        assert [(path.name, path.stat().st_mode & 0o777) for path in found] == [("encryption_key", 0o600)]
    assert number == int(done.stdout) + 1
    assert number > 14  # two files, and two sides of a commit for each of three rows and two looks at the ring


def test_the_web_server_and_the_worker_go_on(settings: Settings, padaria: Server, tmp_path: Path) -> None:
    """Calls with the stored token and runs, while the key changes again and again: none of them notices."""
    ended, statuses = threading.Event(), []
    with processes.server(settings.instance, KOMMO_API_URL=padaria.address, **IN_FILE) as (address, _child):
        base = f"{address}/api/kommo"
        first = requests.post(f"{base}/sync", json={"jwtToken": padaria.token}, timeout=60)
        assert first.status_code == 200, first.text

        def ask() -> None:
            while not ended.is_set():
                statuses.append(requests.get(f"{base}/contacts", params={"limit": "1"}, timeout=60).status_code)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        env = processes.environment(settings.instance, **IN_FILE)
        try:
            for _ in range(3):
                command = [sys.executable, "-m", "flask", "kommo", "rotate-keys"]
                done = subprocess.run(command, cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=60)
                assert done.returncode == 0, done.stderr
                told = requests.post(f"{base}/sync", json={}, timeout=60).json()
                assert told["success"], told
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert set(statuses) == {200}
    assert len(statuses) > 3
    assert len(KeyFile(settings.instance).keys()) == 1


def test_a_token_stored_meanwhile_is_under_a_key_that_stays(services: Services, padaria: Server) -> None:
    """Somebody has sealed a token and not stored it yet: the rotation waits, or its last look would miss the row."""
    account = connect(services, padaria)
    over = threading.Event()

    def change() -> None:
        keys.rotate(services, lambda _sentence: None)
        over.set()

    rotation = threading.Thread(target=change)
    with writing(services.engine) as session:
        held = sealed.seal(session, services.vault, padaria.token, "1/30001000")
        rotation.start()
        over.wait(1.0)  # long enough for one that does not wait
        session.execute(update(Connection).where(Connection.id == account).values(token=held))
    rotation.join()
    assert all_open(services, [account], padaria)


def test_two_rotations_at_once_end_with_one_key(
    services: Services, accounts: list[int], padaria: Server, oficina: Server
) -> None:
    failed: list[Exception] = []

    def change() -> None:
        try:
            for _ in range(3):
                keys.rotate(services, lambda _sentence: None)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=change) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert all_open(services, accounts, padaria, oficina, padaria)
    keys.rotate(services, lambda _sentence: None)
    assert len(KeyFile(services.settings.instance).keys()) == 1


def test_a_row_under_a_missing_key_and_a_damaged_one_are_left_and_told(
    app: Flask, ring: KeyFile, padaria: Server, oficina: Server
) -> None:
    """What cannot be opened is never touched; the key that a damaged row names stays, in case that is put right."""
    services = app.extensions["kommo"]
    lost, moved, well = connect(services, padaria), connect(services, oficina), connect(services, padaria, "2")
    (old,) = ring.keys()
    stray = Vault(NEW).seal("token", "1/30001000")
    swapped = sealed_of(services, well)
    with writing(services.engine) as session:
        session.execute(update(Connection).where(Connection.id == lost).values(token=stray))
        session.execute(update(Connection).where(Connection.id == moved).values(token=swapped))
    done = call(app)
    assert done.exit_code == 1
    assert f"falta a chave {id_of(NEW)}" in done.stderr
    assert "Cole o token de novo" in done.stderr
    assert f"um token ainda pede por ela: {id_of(old)}" in done.stdout
    assert (sealed_of(services, lost), sealed_of(services, moved)) == (stray, swapped)
    assert token_of(services, well) == padaria.token
    with pytest.raises(Damaged):
        token_of(services, moved)
    first, kept = ring.keys()
    assert kept == old
    assert call(app).exit_code == 1
    assert ring.keys()[0] != first  # what is stuck does not keep the key from being changed again
    assert ring.keys()[1:] == (old,)
    connect(services, oficina)
    connect(services, padaria)
    assert call(app).exit_code == 0
    assert len(ring.keys()) == 1


class TestEnvironment:
    """The operator changes the variable; the command says what comes next, and does what is its own."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"encryption_key": _secret(OLD)})

    def test_with_one_key_it_says_the_steps_in_their_order(self, app: Flask, padaria: Server) -> None:
        connect(app.extensions["kommo"], padaria)
        done = call(app)
        assert done.exit_code == 0
        places = [done.stdout.index(f"\n{number}. ") for number in range(1, 7)]
        assert places == sorted(places)
        assert id_of(OLD) in done.stdout
        assert OLD.hex() not in done.output

    def test_with_the_new_key_first_it_seals_and_says_which_may_go(self, app: Flask, padaria: Server) -> None:
        services = app.extensions["kommo"]
        account = connect(services, padaria)
        app.extensions["kommo"] = replace(services, vault=Vault(NEW, OLD))
        done = call(app)
        assert done.exit_code == 0
        assert f"Nenhum token precisa mais de: {id_of(OLD)}" in done.stdout
        assert f"só {id_of(NEW)}" in done.stdout
        assert token_of(replace(services, vault=Vault(NEW)), account) == padaria.token
        assert OLD.hex() not in done.output
        assert NEW.hex() not in done.output


def _secret(*ring: bytes) -> object:
    from pydantic import SecretStr

    return SecretStr(",".join(key.hex() for key in ring))
