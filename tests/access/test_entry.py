"""The way in, where OWASP asks and nothing else looks: old passwords, sessions left behind, networks, managers."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from kommo import create_app
from kommo.access import login, passwords
from kommo.db import reading, writing
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import api_keys, attempts, login_sessions, people
from kommo.store.tables import Audit, LoginSession, User
from tests.access.house import build
from tests.clocks import clock_moved
from tests.conftest import make_settings
from tests.pages.dom import parse

PASSWORD = "girassol tango neblina 7"
YEARS = 10 * 365 * 86_400.0
OUTSIDE = {"REMOTE_ADDR": "203.0.113.9", "SERVER_PROTOCOL": "HTTP/1.1"}


@pytest.fixture(scope="module")
def hashed() -> str:
    """The hash of Ana's password."""
    return passwords.hash_of(PASSWORD)


@pytest.fixture
def ana(services: Services, hashed: str) -> User:
    """Ana, who administers."""
    with writing(services.engine) as session:
        return people.add(session, "ana", "administrator", hashed)


@pytest.fixture
def panel(app: Flask, client: FlaskClient, hashed: str) -> FlaskClient:
    """A browser at a panel in which Ana and Bruno administer."""
    with writing(app.extensions["kommo"].engine) as session:
        for name in ("ana", "bruno"):
            people.add(session, name, "administrator", hashed)
    return client


@pytest.fixture
def outside(tmp_path: Path, hashed: str) -> Iterator[FlaskClient]:
    """A browser elsewhere, at a panel that others are served by."""
    app = create_app(make_settings(tmp_path, host="0.0.0.0", trusted_hosts=("painel.exemplo",)))
    client = app.test_client()
    client.environ_base |= OUTSIDE
    with writing(app.extensions["kommo"].engine) as session:
        people.add(session, "ana", "administrator", hashed)
    yield client
    app.extensions["kommo"].engine.dispose()


def log_in(client: FlaskClient, name: str = "ana") -> TestResponse:
    """Name and password, by the form."""
    token = parse(client.get("/conexao", follow_redirects=True)).all("input", name="csrf_token")[0]["value"]
    return client.post("/entrar", data={"csrf_token": token, "nome": name, "senha": PASSWORD})


def sessions(client: FlaskClient) -> list[int]:
    """Whose sessions there are."""
    with reading(client.application.extensions["kommo"].engine) as session:
        return list(session.scalars(select(LoginSession.user_id)))


@pytest.mark.parametrize("shown", ["http://[", "//[", "\\", "http://[::1", "%"])
def test_a_header_that_is_no_address_is_no_failure_at_the_way_in(outside: FlaskClient, shown: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": shown}
    answer = outside.get("/contatos", headers=headers, base_url="http://painel.exemplo")
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/entrar")


def test_a_password_does_not_grow_old(services: Services, ana: User) -> None:
    with clock_moved(services.engine, YEARS):
        assert login.login(services, "ana", PASSWORD, "", "127.0.0.1", "test").token is not None


def test_who_is_disabled_or_removed_has_no_session(services: Services, ana: User, hashed: str) -> None:
    with writing(services.engine) as session:
        bruno = people.add(session, "bruno", "viewer", hashed)
        carla = people.add(session, "carla", "viewer", hashed)
        tokens = [login_sessions.begin(session, user.id, "127.0.0.1", "test") for user in (ana, bruno, carla)]
        people.change(session, bruno, disabled=True)
        people.remove(session, carla)
    with writing(services.engine) as session:
        assert [login_sessions.find(session, token) is not None for token in tokens] == [True, False, False]
        people.change(session, session.get_one(User, bruno.id), disabled=False)
        assert login_sessions.find(session, tokens[1]) is None  # it does not come back with the access


def test_a_login_ends_the_session_before_it(panel: FlaskClient) -> None:
    assert log_in(panel).status_code == 303
    before = panel.get_cookie("painel_kommo")
    assert log_in(panel, "bruno").status_code == 303
    assert len(sessions(panel)) == 1
    assert before is not None
    panel.set_cookie("painel_kommo", before.value)
    assert panel.get("/").status_code == 303


def test_every_login_is_in_the_audit_log(services: Services, ana: User) -> None:
    for name, password in (("ana", "x"), ("ninguém", "x"), ("ana", PASSWORD)):
        login.login(services, name, password, "", "203.0.113.9", "test")
    with reading(services.engine) as session:
        rows = [(row.action, row.subject or row.actor, row.address) for row in session.scalars(select(Audit))]
    assert rows == [
        ("login.refused", "ana", "203.0.113.9"),
        ("login.refused", "", "203.0.113.9"),
        ("login.ok", "ana", "203.0.113.9"),
    ]


def test_the_form_lets_a_password_manager_work(panel: FlaskClient) -> None:
    """And asks for a name and a password: no hint, no secret question, nothing that keeps one from pasting."""
    form = parse(panel.get("/entrar")).one("form")
    shown = {field["name"]: field for field in form.all("input") if field.get("type") != "hidden"}
    assert set(shown) == {"nome", "senha"}
    assert shown["senha"]["type"] == "password"
    assert (shown["nome"]["autocomplete"], shown["senha"]["autocomplete"]) == ("username", "current-password")
    assert not {name for field in shown.values() for name in field.attributes if name.startswith("on")}
    assert "maxlength" not in shown["senha"].attributes


def test_every_page_offers_the_way_out(panel: FlaskClient) -> None:
    log_in(panel)
    rules = [rule for rule in panel.application.url_map.iter_rules() if "GET" in (rule.methods or ())]
    pages = [rule.rule for rule in rules if not rule.arguments and not rule.rule.startswith(("/api/", "/assets/"))]
    walked = 0
    for path in pages:
        with panel.get(path) as answer:
            if answer.status_code == 200 and answer.mimetype == "text/html":
                out = [form for form in parse(answer).all("form") if form.get("action") == "/sair"]
                assert out, path
                walked += 1
    assert walked >= 6


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.9", "203.0.113.10", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("", "", True),
        ("unix:", "unix:", True),
    ],
)
def test_addresses_of_one_network_are_counted_together(one: str, other: str, together: bool) -> None:
    """Who has an IPv6 network has 2**64 addresses to try passwords from."""
    assert (attempts.address_key(one) == attempts.address_key(other)) is together


def test_what_must_not_be_guessed_has_256_bits(services: Services, ana: User) -> None:
    with writing(services.engine) as session:
        found = {login_sessions.begin(session, ana.id, "127.0.0.1", "test") for _ in range(50)}
        found |= {api_keys.make(session, ana.id, f"n {number}", ["read"])[1] for number in range(api_keys.MOST)}
        kept = repr([list(row) for row in session.execute(text("SELECT token_hash FROM login_session"))])
    assert len(found) == 50 + api_keys.MOST
    for each in found:
        assert len(base64.urlsafe_b64decode(each.removeprefix(api_keys.PREFIX) + "=")) == 32
        assert each not in kept


def test_the_most_common_passwords_are_refused() -> None:
    """Every one of zxcvbn's 30,000, which come from leaks, that is long enough; alone and with a capital."""
    common = [each for each in FREQUENCY_LISTS["passwords"] if len(each) >= passwords.SHORTEST]
    assert len(common) > 100
    for each in (*common, *(each.capitalize() for each in common)):
        with pytest.raises(passwords.WeakPassword):
            passwords.require_strong(each)


@pytest.mark.parametrize("account", ["x", "0", "30002000", "9" * 30])
def test_a_wrong_account_at_a_page_of_others_is_no_failure(settings: Settings, account: str) -> None:
    """The address is read before it is asked who may: both are wrong here."""
    for house in build(settings):
        rules = [rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
        for rule in rules:
            path = re.sub(r"<int:\w+>", "1", re.sub(r"<(?:path:)?(?!int:)\w+>", "x", rule.rule))
            for name in ("viewer", "key read", "nobody"):
                answer = house.callers[name].call("GET", f"{path}?conta={account}")
                assert answer.status_code < 500 or rule.rule == "/readyz", (name, path)
                answer.close()
