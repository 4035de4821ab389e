"""Which token a call uses and where it goes; the demonstration account beside a real one; keys that do not fit."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kommo import create_app
from kommo.connect import access, demo, flow
from kommo.connect.client import DEMO, budget_for, open_kommo
from kommo.crm.errors import BadToken, TokenRefused
from kommo.crm.transport import Transport
from kommo.db import reading, writing
from kommo.sandbox import Server
from kommo.services import Services
from kommo.settings import SettingError
from kommo.store import connections
from kommo.store.budget import INSTALLATION
from kommo.store.tables import Connection
from kommo.sync import control, engine
from kommo.vault import Vault, VaultError
from tests.conftest import make_services, make_settings
from tests.crm.people import token
from tests.databases import free_port
from tests.sync.accounts import connect, run, run_view

REAL = "https://api-c.kommo.com"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Services]:
    """An installation as most are: no address set, KOMMO_API_URL absent."""
    services = make_services(make_settings(tmp_path))
    yield services
    demo.stop()
    services.engine.dispose()


def _connection(services: Services, connection_id: int) -> Connection:
    with reading(services.engine) as session:
        return session.get_one(Connection, connection_id)


def test_a_real_token_beside_the_demonstration_account_goes_to_kommo(installation: Services) -> None:
    """Each connection has its own address: loopback for the invented data, Kommo for what is pasted."""
    outcome = flow.connect_demo(installation, "1")
    assert outcome.connection_id is not None, outcome.report.error
    invented = _connection(installation, outcome.connection_id)
    assert invented.is_demo
    assert invented.base_address.startswith("http://127.0.0.1:")

    pasted = token(account_id=29745880)
    assert flow.inspect(pasted, installation.settings).server == "api-c.kommo.com"
    with reading(installation.engine) as session:
        found = access.resolve(installation, session, given=pasted, user_id="1")
        assert (found.base_address, found.is_demo) == (REAL, False)
        stored = access.resolve(installation, session, given=None, user_id="1")
    assert (stored.base_address, stored.is_demo) == (invented.base_address, True)
    with open_kommo(installation, invented) as kommo:
        assert kommo.account().name == "Padaria Estrela"


def test_the_demonstration_account_uses_up_no_real_requests(installation: Services) -> None:
    assert budget_for(installation, 30001000, is_demo=True).rows.scope == DEMO
    assert budget_for(installation, 2974588).rows.scope == INSTALLATION


def test_each_account_has_its_own_budget_where_that_is_set(tmp_path: Path) -> None:
    services = make_services(make_settings(tmp_path, rate_scope="account"))
    assert budget_for(services, 1).rows.scope != budget_for(services, 2).rows.scope
    services.engine.dispose()


def test_the_demonstration_account_keeps_its_address_and_token_when_started_anew(installation: Services) -> None:
    folder = installation.settings.instance / "demo"
    folder.mkdir()
    (folder / "port").write_text(str(free_port()))  # one that no other test is given in between
    first = demo.start(installation.settings)
    assert demo.start(installation.settings) == first  # it runs already
    with Transport(*first) as used:  # a connection that its end has to close
        assert used.get("/api/v4/account").status == 200
        demo.stop()
    address, again = demo.start(installation.settings)
    assert address == first[0]
    flow.restart_demo(installation)
    with reading(installation.engine) as session:
        assert connections.any_demo(session) == []
    assert again.count(".") == 2


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="a process's environment is read in Linux's way")
def test_the_demonstration_account_is_given_no_secret(installation: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KOMMO_ENCRYPTION_KEY", "SECRET_KEY", "KOMMO_JWT_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, f"canario-{name}")
    demo.start(installation.settings)
    ((child, *_),) = demo._running.values()
    given = Path(f"/proc/{child.pid}/environ").read_bytes()
    assert b"canario" not in given
    assert b"PATH=" in given


def test_the_environments_token_is_the_last_resort(tmp_path: Path, padaria: Server) -> None:
    services = make_services(make_settings(tmp_path, api_url=padaria.address, jwt_token=padaria.token))
    with reading(services.engine) as session:
        assert access.resolve(services, session, given="  ", user_id="1").token == padaria.token
        pasted = padaria.world.token(sub="7002")
        assert access.resolve(services, session, given=pasted, user_id="1").token == pasted
    services.engine.dispose()


@pytest.mark.parametrize("name", ["jwt_token", "long_lived_token"])
@pytest.mark.parametrize("text", ["seu_jwt_token_aqui", "a.b.c", "x" * 20_000])
def test_an_environments_token_that_is_none_stops_the_start(tmp_path: Path, name: str, text: str) -> None:
    """One line that names the variable and holds nothing of its value."""
    with pytest.raises(SettingError) as refused:
        create_app(make_settings(tmp_path, **{name: text}))
    sentence = str(refused.value)
    assert sentence.startswith(f"KOMMO_{name.upper()} não serve: ")
    assert text not in sentence
    assert "\n" not in sentence


def test_a_token_of_a_foreign_host_stops_the_start(tmp_path: Path, padaria: Server) -> None:
    foreign = padaria.world.token(api_domain="evil.com\\.kommo.com")
    with pytest.raises(SettingError, match="KOMMO_JWT_TOKEN"):
        create_app(make_settings(tmp_path, jwt_token=foreign))


def test_a_test_keeps_what_it_learnt_of_the_token(services: Services, padaria: Server) -> None:
    """Refused, taken again, or a trouble on the way that says nothing of the token."""
    account = connect(services, padaria)

    def refused_after(how: str | None) -> bool:
        padaria.world.heal()
        if how:
            padaria.world.fail(r"GET /api/v4/", times=None, how=how)
        with reading(services.engine) as session:
            connection = session.get_one(Connection, account)
        flow.retest(services, connection)
        with reading(services.engine) as session:
            return session.get_one(Connection, account).token_refused

    assert [refused_after(how) for how in ("500", "401", "500", None, "500")] == [False, True, True, False, False]
    assert refused_after("401")
    padaria.world.heal()
    assert run(services, account).proved
    with reading(services.engine) as session:
        assert not session.get_one(Connection, account).token_refused


def test_without_any_token_there_is_none(installation: Services) -> None:
    with reading(installation.engine) as session, pytest.raises(BadToken) as refused:
        access.resolve(installation, session, given=None, user_id="1")
    assert refused.value.code == "token_missing"


def test_after_a_disconnect_the_copy_stays_and_nothing_is_sent(services: Services, padaria: Server) -> None:
    account = connect(services, padaria)
    run(services, account)
    assert flow.disconnect(services, "1", account, with_copy=False)
    assert not flow.disconnect(services, "2", account, with_copy=False)
    found = _connection(services, account)
    assert (found.token, found.token_hint, found.erasing) == (None, None, False)
    with pytest.raises(TokenRefused), open_kommo(services, found):
        pass


def test_another_key_locks_the_account_and_destroys_nothing(services: Services, padaria: Server) -> None:
    """The page and the run say so; with the old key back everything works again."""
    account = connect(services, padaria)
    sealed = _connection(services, account).token
    other = replace(services, vault=Vault(b"k" * 32))
    report = flow.retest(other, _connection(services, account)).report
    assert not report.ok
    assert "outra chave" in report.steps[0].title
    view = run(other, account)
    assert (view.state, view.errors) == ("paused", [])
    assert "outra chave" in view.waiting
    assert _connection(services, account).token == sealed
    assert control.resume(services, account, view.id)
    assert engine.run_one(services, view.id, "test", threading.Event())
    assert run_view(services, account, view.id).proved


def test_a_token_moved_to_another_account_does_not_open(services: Services, padaria: Server, oficina: Server) -> None:
    first, second = connect(services, padaria), connect(services, oficina)
    with writing(services.engine) as session:
        session.get_one(Connection, second).token = session.get_one(Connection, first).token
    with pytest.raises(VaultError), open_kommo(services, _connection(services, second)):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.com",
        "https://api-c.kommo.com.evil.com",
        "https://api-c.kommo.com@evil.com",
        "https://evil.com\\.kommo.com",
        "https://api-c.kommo.com:8443",
        "http://api-c.kommo.com",
        "https://127.0.0.1.evil.com",
        "http://10.0.0.7",
        "",
    ],
)
def test_whoever_writes_into_the_database_does_not_choose_where_the_token_goes(
    services: Services, padaria: Server, address: str
) -> None:
    """A changed backup that somebody restores, for one: the token opens, and stays here."""
    account = connect(services, padaria)
    with writing(services.engine) as session:
        session.get_one(Connection, account).base_address = address
    changed = _connection(services, account)
    with pytest.raises(VaultError, match="nada foi enviado"), open_kommo(services, changed):
        pass
    report = flow.retest(services, changed).report
    assert "O endereço guardado com este token não é do Kommo" in report.steps[0].title
    view = run(services, account)
    assert view.state == "failed"
    assert "Cole o token de novo" in view.errors[0]
    assert _connection(services, account).token == changed.token


def test_the_token_is_nowhere_in_the_database(tmp_path: Path, padaria: Server) -> None:
    services = make_services(make_settings(tmp_path))
    run(services, connect(services, padaria))
    services.engine.dispose()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "instance").iterdir() if path.is_file())
    for part in padaria.token.split(".")[1:]:
        assert part.encode() not in stored
