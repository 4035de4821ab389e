"""The way in and out: one sentence for every failure, a session of its own, a second step, only addresses of ours."""

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from kommo.access import passwords
from kommo.db import reading, writing
from kommo.pages.login import WRONG
from kommo.store import people
from kommo.store.tables import Audit, LoginSession, User
from tests.factories import make_account
from tests.pages.conftest import Person
from tests.pages.dom import parse

PASSWORD = "girassol tango neblina 7"


@pytest.fixture(scope="module")
def hashed() -> str:
    return passwords.hash_of(PASSWORD)


@pytest.fixture
def ana(person: Person, hashed: str) -> User:
    """Ana, who administers; from here on everybody has to log in."""
    with writing(person.engine) as session:
        return people.add(session, "ana", "administrator", hashed)


def submit(client: FlaskClient, page: str, to: str, **fields: str) -> TestResponse:
    """A page's form with its token; no redirect is followed."""
    token = parse(client.get(page)).all("input", name="csrf_token")[0]["value"]
    return client.post(to, data={"csrf_token": token} | fields)


def log_in(client: FlaskClient, name: str = "ana", password: str = PASSWORD, **fields: str) -> TestResponse:
    return submit(client, "/entrar", "/entrar", nome=name, senha=password, **fields)


def other(person: Person) -> FlaskClient:
    """Another browser."""
    found = person.client.application.test_client()
    found.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    return found


def cookie(client: FlaskClient) -> str | None:
    found = client.get_cookie("painel_kommo")
    return found.value if found else None


def test_without_people_the_machine_needs_no_login(person: Person) -> None:
    assert person.client.get("/entrar").location == "/"
    assert person.client.get("/minha-conta").location == "/acesso"
    assert person.client.get("/primeiro-acesso").status_code == 404
    assert person.open("/").one("header", id="side").all("button", text="Sair") == []


def test_in_and_out_again(person: Person, ana: User) -> None:
    make_account(person.engine)
    assert person.client.get("/contatos?q=a&ordem=-nome").location == "/entrar?next=/contatos?q%3Da%26ordem%3D-nome"
    before = cookie(person.client)
    answer = log_in(person.client, next="/contatos?q=a")
    assert (answer.status_code, answer.location) == (303, "/contatos?q=a")
    assert cookie(person.client) != before
    side = person.open("/contatos").one("header", id="side")
    assert side.one("div", class_="who").one("b").text == "ana"
    assert side.one("a", text="Minha conta")["href"] == "/minha-conta"
    assert person.client.get("/entrar?next=/conexao").location == "/conexao"
    kept = cookie(person.client)
    assert person.send("/sair").location == "/entrar"
    assert person.client.get("/").location == "/entrar"
    person.client.set_cookie("painel_kommo", kept or "")
    assert person.client.get("/").location == "/entrar"  # the session is over on the server, not only in the browser
    with reading(person.engine) as session:
        assert list(session.scalars(select(Audit.action).order_by(Audit.id))) == ["login.ok", "logout"]


@pytest.mark.parametrize(
    ("name", "password"), [("ana", "x"), ("bruno", "x"), ("", ""), ("ana", ""), ("\x00", "y" * 5000)]
)
def test_one_sentence_for_every_failure(person: Person, ana: User, name: str, password: str) -> None:
    answer = log_in(person.client, name, password)
    assert (answer.status_code, parse(answer).one("div", id="wrong").text) == (422, WRONG)
    assert password not in answer.text or len(password) < 2
    assert person.client.get("/").location == "/entrar"


def test_whoever_is_suspended_learns_nothing_else(person: Person, ana: User, hashed: str) -> None:
    with writing(person.engine) as session:
        people.add(session, "bruno", "viewer", hashed).disabled = True
    assert parse(log_in(person.client, "bruno")).one("div", id="wrong").text == WRONG


def test_after_five_failures_nothing_is_tried_for_a_while(person: Person, ana: User) -> None:
    answers = [log_in(person.client, password="x") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    locked = log_in(other(person))
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 60
    assert "Foram tentativas demais. Espere" in parse(locked).one("div", id="wrong").text


@pytest.mark.parametrize(
    "target", ["https://evil.com/", "//evil.com", "/\\evil.com", "/\t/evil.com", "evil", "/api/kommo/sync"]
)
def test_the_login_leads_nowhere_else(person: Person, ana: User, target: str) -> None:
    assert log_in(person.client, next=target).location == "/"
    assert person.client.get("/entrar", query_string={"next": target}).location == "/"


def test_a_fragment_sends_the_whole_page_to_the_login_and_back(person: Person, ana: User) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:3000/contatos?q=jo"}
    answer = person.client.get("/contatos?q=joa", headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.data) == (
        401,
        "/entrar?next=/contatos?q%3Djo",
        b"",
    )


def test_the_second_step(person: Person, ana: User) -> None:
    secret = pyotp.random_base32()
    with writing(person.engine) as session:
        sealed = person.services.vault.seal(secret, ana.place)
        session.execute(update(User).values(totp=sealed))
    page = log_in(person.client, next="/conexao")
    form = parse(page).one("form")
    assert (page.status_code, form["action"]) == (200, "/entrar/codigo")
    assert form.all("input", name="senha") == []
    assert person.client.get("/").location == "/entrar"  # half a login is none
    fields = {one["name"]: one["value"] for one in form.all("input", type="hidden")}
    wrong = person.client.post("/entrar/codigo", data=fields | {"codigo": "000000"})
    assert (wrong.status_code, parse(wrong).one("div", id="wrong").text) == (422, WRONG)
    code = pyotp.TOTP(secret).now()
    assert person.client.post("/entrar/codigo", data=fields | {"codigo": code}).location == "/conexao"
    assert person.client.get("/").status_code == 200
    again = other(person)
    fields = {one["name"]: one["value"] for one in parse(log_in(again)).one("form").all("input", type="hidden")}
    assert again.post("/entrar/codigo", data=fields | {"codigo": code}).status_code == 422  # a code counts once


def test_the_second_step_alone_is_nothing(person: Person, ana: User) -> None:
    answer = submit(person.client, "/entrar", "/entrar/codigo", codigo="123456")
    assert (answer.status_code, "Passou tempo demais" in answer.text) == (422, True)


def test_a_second_factor_under_another_key_says_what_to_do(person: Person, ana: User) -> None:
    with writing(person.engine) as session:
        session.execute(update(User).values(totp="v1:00000000:AAAA"))
    fields = {one["name"]: one["value"] for one in parse(log_in(person.client)).one("form").all("input", type="hidden")}
    answer = person.client.post("/entrar/codigo", data=fields | {"codigo": "123456"})
    assert (answer.status_code, "flask kommo user totp-off" in answer.text) == (503, True)


def test_the_way_in_has_no_code_of_its_own_and_tells_nothing_of_the_house(person: Person, ana: User) -> None:
    make_account(person.engine)
    page = person.open("/entrar")
    assert "Padaria" not in page.text
    assert page.all("script") == []
    assert [one.tag for one in page.walk() for name in one.attributes if name == "style" or name.startswith("on")] == []
    assert len(page.all("h1")) == 1
    with reading(person.engine) as session:
        assert session.scalars(select(LoginSession)).all() == []
