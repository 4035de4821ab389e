"""The gate: who is let in, by what they are known, and that whoever is unknown learns nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kommo.access import first_user, gate, rules
from kommo.access.rules import PERMISSIONS, Permission, Role
from kommo.db import writing
from kommo.services import Services
from kommo.store import api_keys, login_sessions, people
from kommo.store.tables import User
from tests.access.people import make

SYNC = "/api/kommo/sync"


@pytest.fixture
def services(app: Flask) -> Services:
    """The tools of the application under test."""
    return app.extensions["kommo"]


@pytest.fixture
def key_of(services: Services) -> Callable[..., str]:
    """Makes a key of a person."""

    def make_key(user: User, *scopes: str, **values: Any) -> str:
        with writing(services.engine) as session:
            return api_keys.make(session, user.id, "programa", scopes or ["read"], **values)[1]

    return make_key


def log_in(client: FlaskClient, services: Services, user: User) -> None:
    """What the login page does, without its page."""
    with writing(services.engine) as session:
        token = login_sessions.begin(session, user.id, "127.0.0.1", "teste")
    with client.session_transaction() as held:
        held[gate.COOKIE] = token


def test_at_first_the_person_at_the_machine_works_at_once(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200
    assert client.get(SYNC).status_code == 200
    assert client.get(f"{SYNC}?userId=123").status_code == 200


def test_from_the_first_user_on_everybody_needs_to_be_somebody(client: FlaskClient, services: Services) -> None:
    assert client.get(SYNC).status_code == 200
    make(services, "ana")
    answer = client.get(SYNC)
    assert (answer.status_code, answer.json["code"]) == (401, "login_required")
    page = client.get("/contatos?q=1")
    assert page.status_code == 303
    assert page.location == "/entrar?next=/contatos?q%3D1"
    assert client.get("/").location == "/entrar"
    assert client.post("/sincronizacao").location == "/entrar"
    fragment = client.get("/sincronizacao/progresso", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"], fragment.text) == (401, "/entrar", "")


@pytest.mark.parametrize("path", ["/nada", "/contatos/1", "/contatos/999999", "/acesso"])
def test_the_unknown_do_not_learn_which_addresses_exist(client: FlaskClient, services: Services, path: str) -> None:
    make(services, "ana")
    assert client.get(path).status_code == 303
    api = client.get("/api/kommo/nada")
    assert (api.status_code, api.json["code"]) == (401, "login_required")


@pytest.mark.parametrize("role", list(Role))
def test_a_session_gives_what_the_role_may(client: FlaskClient, services: Services, role: Role) -> None:
    log_in(client, services, make(services, "ana", role))
    assert client.get("/contatos").status_code == 200
    assert client.get(SYNC).status_code == 200
    schedule = client.put("/api/kommo/schedule", json={"everyMinutes": 60})
    assert (schedule.status_code == 403) is (role is Role.VIEWER)
    started = client.post(SYNC, json={"jwtToken": "x"})
    assert (started.status_code == 403) is (role is Role.VIEWER)
    other = client.get(f"{SYNC}?userId=123")
    assert other.status_code == (200 if role is Role.ADMINISTRATOR else 404)


def test_a_session_of_another_owner_sees_their_own(client: FlaskClient, services: Services) -> None:
    log_in(client, services, make(services, "bruno", "viewer", "2"))
    assert client.get(SYNC).status_code == 200
    own, foreign, unknown = (client.get(f"{SYNC}?userId={owner}") for owner in ("2", "1", "77"))
    assert own.status_code == 200
    assert (foreign.status_code, foreign.json) == (unknown.status_code, unknown.json)
    assert foreign.json["code"] == "account_unknown"


def test_a_session_that_was_ended_is_over_at_once(client: FlaskClient, services: Services) -> None:
    ana = make(services, "ana")
    log_in(client, services, ana)
    assert client.get(SYNC).status_code == 200
    with writing(services.engine) as session:
        login_sessions.end_others(session, ana.id, None)
    assert client.get(SYNC).status_code == 401


def test_a_forged_cookie_is_nobody(client: FlaskClient, services: Services) -> None:
    make(services, "ana")
    for value in ("x", 7, None, ["x"], {"a": 1}, ""):
        with client.session_transaction() as held:
            held[gate.COOKIE] = value
        assert client.get(SYNC).status_code == 401
    client.set_cookie("painel_kommo", "eyJsb2dpbiI6IngifQ.aaaa.bbbb")
    assert client.get(SYNC).status_code == 401


def test_a_key_may_what_its_scopes_and_its_maker_may(
    client: FlaskClient, services: Services, key_of: Callable[..., str]
) -> None:
    viewer, operator = make(services, "vera", "viewer"), make(services, "otto", "operator")
    body = {"everyMinutes": 60}
    for user, scopes, read, write in (
        (viewer, ("read",), 200, 403),
        (viewer, ("read", "sync"), 200, 403),
        (operator, ("read",), 200, 403),
        (operator, ("sync",), 403, 404),
        (operator, ("read", "sync", "people"), 200, 404),
    ):
        headers = {gate.KEY_HEADER: key_of(user, *scopes)}
        assert client.get(SYNC, headers=headers).status_code == read
        answer = client.put("/api/kommo/schedule", json=body, headers=headers)
        assert answer.status_code == write, scopes
        assert answer.json["code"] == ("not_allowed" if write == 403 else "account_unknown")


def test_a_key_is_taken_from_its_header_only(
    client: FlaskClient, services: Services, key_of: Callable[..., str]
) -> None:
    key = key_of(make(services, "ana"))
    assert client.get(SYNC, headers={gate.KEY_HEADER: key}).status_code == 200
    assert client.get(f"{SYNC}?apiKey={key}&X-API-Key={key}&key={key}").status_code == 401
    assert client.get(SYNC, headers={"Authorization": f"Bearer {key}"}).status_code == 401
    client.set_cookie(gate.KEY_HEADER, key)
    assert client.get(SYNC).status_code == 401
    assert client.get("/contatos", headers={gate.KEY_HEADER: key}).status_code == 303, "pages are for people"


@pytest.mark.parametrize("key", ["", " ", "pk_unknown", "x" * 201, "x" * 15_000, "ção"])
def test_any_other_key_is_refused_even_beside_a_session(client: FlaskClient, services: Services, key: str) -> None:
    log_in(client, services, make(services, "ana"))
    answer = client.get(SYNC, headers={gate.KEY_HEADER: key})
    assert (answer.status_code, answer.json["code"]) == (401, "key_unknown")
    assert "Minha conta" in answer.json["error"]


def test_an_unknown_key_is_refused_at_an_open_panel_too(client: FlaskClient) -> None:
    assert client.get(SYNC, headers={gate.KEY_HEADER: "pk_unknown"}).status_code == 401


def test_a_revoked_key_is_over_at_once(client: FlaskClient, services: Services) -> None:
    ana = make(services, "ana")
    with writing(services.engine) as session:
        row, key = api_keys.make(session, ana.id, "programa", ["read"])
    assert client.get(SYNC, headers={gate.KEY_HEADER: key}).status_code == 200
    with writing(services.engine) as session:
        api_keys.revoke(session, row.id)
    assert client.get(SYNC, headers={gate.KEY_HEADER: key}).status_code == 401


def test_a_role_that_was_taken_away_is_gone_at_the_next_call(client: FlaskClient, services: Services) -> None:
    make(services, "ana")
    bruno = make(services, "bruno")
    log_in(client, services, bruno)
    assert client.get(f"{SYNC}?userId=9").status_code == 200
    with writing(services.engine) as session:
        people.change(session, session.merge(bruno), role="viewer")
    assert client.get(f"{SYNC}?userId=9").status_code == 404


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/contatos", "/contatos"), ("/contatos?q=a%20b&conta=1", "/contatos?q=a%20b&conta=1"), ("/", "/"),
        (None, "/"), ("", "/"), ("contatos", "/"), ("//evil.com", "/"), ("///evil.com", "/"), ("/\\evil.com", "/"),
        ("\\/evil.com", "/"), ("https://evil.com", "/"), ("https:evil.com", "/"), ("javascript:alert(1)", "/"),
        ("/\t/evil.com", "/"), ("\t//evil.com", "/"), ("/\n/evil.com", "/"), ("/contatos\r\nSet-Cookie: a=b", "/"),
        ("/ç", "/"), ("/api/kommo/sync", "/"), ("/\x7f", "/"), (" /contatos", "/"), ("/ /evil.com", "/"),
    ],
)  # fmt: skip
def test_after_the_login_one_stays_here(target: str | None, expected: str) -> None:
    assert gate.safe_next(target) == expected


def test_every_route_is_decided_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    rules.require_all(app)
    monkeypatch.delitem(rules.ROUTES, "home.page")
    with pytest.raises(RuntimeError, match=r"home\.page"):
        rules.require_all(app)
    monkeypatch.setitem(rules.ROUTES, "home.page", Permission.READ)
    monkeypatch.setitem(rules.ROUTES, "home.gone", Permission.READ)
    with pytest.raises(RuntimeError, match=r"home\.gone"):
        rules.require_all(app)


def test_roles_grow() -> None:
    assert PERMISSIONS[Role.VIEWER] < PERMISSIONS[Role.OPERATOR] < PERMISSIONS[Role.ADMINISTRATOR]
    assert PERMISSIONS[Role.ADMINISTRATOR] == frozenset(Permission)
    assert set(rules.PERMISSION_WORDS) == set(Permission)
    assert set(rules.ROLE_WORDS) == set(Role)


def test_the_console_code_is_known_by_its_letters(app: Flask) -> None:
    shown = first_user.code(app)
    assert len(shown.replace("-", "")) == 28
    assert first_user.is_code(app, shown.lower().replace("-", " "))
    for wrong in ("", shown[:-1], shown[:-1] + ("A" if shown[-1] != "A" else "B"), "ç" * 28):
        assert not first_user.is_code(app, wrong)
    app.secret_key = "another secret of another installation"
    assert first_user.code(app) != shown
