"""/acesso and /minha-conta: the first person, the others, the last administrator; passwords, sessions, keys, codes."""

import pyotp
import pytest
from sqlalchemy import select

from kommo.access import passwords
from kommo.db import reading, writing
from kommo.store import people
from kommo.store.tables import ApiKey, Audit, LoginSession, User
from tests.factories import make_account
from tests.pages.conftest import Person
from tests.pages.dom import parse
from tests.pages.test_login_page import PASSWORD, log_in, other

NEW = {"senha": "trapezio coral vinte e dois", "senha_de_novo": "trapezio coral vinte e dois"}


@pytest.fixture
def ana(person: Person) -> Person:
    """Ana, who administers, logged in."""
    with writing(person.engine) as session:
        people.add(session, "ana", "administrator", passwords.hash_of(PASSWORD))
    assert log_in(person.client).status_code == 303
    return person


def users(person: Person) -> dict[str, User]:
    with reading(person.engine) as session:
        return {user.name: user for user in people.everybody(session)}


def actions(person: Person) -> list[str]:
    with reading(person.engine) as session:
        return list(session.scalars(select(Audit.action).where(Audit.action != "login.ok").order_by(Audit.id)))


def add(person: Person, name: str, role: str) -> User:
    with writing(person.engine) as session:
        return people.add(session, name, role, passwords.hash_of(PASSWORD))


def test_the_person_at_the_machine_makes_the_first_one_and_is_told_what_changes(person: Person) -> None:
    page = person.open("/acesso")
    assert "Também neste computador" in page.one("section", text="O que muda").text
    for fields, sentence in (
        ({"nome": "ana", "senha": "1234567890", "senha_de_novo": "1234567890"}, "fácil de adivinhar"),
        ({"nome": "ana", "senha": PASSWORD, "senha_de_novo": "outra"}, "As duas senhas são diferentes"),
        ({"nome": "a b", "senha": PASSWORD, "senha_de_novo": PASSWORD}, "O nome precisa de"),
    ):
        answer = person.send("/acesso/primeira-pessoa", **fields)
        assert (answer.status_code, sentence in answer.text) == (422, True)
        assert PASSWORD not in answer.text
    assert users(person) == {}
    answer = person.send("/acesso/primeira-pessoa", nome="Ana", senha=PASSWORD, senha_de_novo=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert users(person)["ana"].role == "administrator"
    assert person.client.get("/").status_code == 200  # logged in already
    stranger = other(person)
    assert stranger.get("/").location == "/entrar"
    assert stranger.get("/api/kommo/sync").status_code == 401
    assert person.send("/acesso/primeira-pessoa", nome="eva", **NEW).status_code == 404


def test_somebody_is_given_access_changed_suspended_and_removed(ana: Person) -> None:
    assert ana.send("/acesso", nome="bruno", papel="operator", **NEW).location == "/acesso"
    assert "bruno" in ana.open("/acesso").one("table").text
    bruno = users(ana)["bruno"]
    assert (bruno.role, bruno.owner) == ("operator", "1")
    assert ana.send("/acesso", nome="bruno", papel="viewer", **NEW).status_code == 422
    assert ana.send("/acesso", nome="eva", papel="rei", **NEW).status_code == 422
    brunos = other(ana)
    assert log_in(brunos, "bruno", NEW["senha"]).status_code == 303
    assert ana.send(f"/acesso/{bruno.id}/papel", papel="viewer").status_code == 303
    page = brunos.get("/acesso")
    assert (page.status_code, parse(page).one("h1").text) == (403, "Você não tem permissão para isto")
    assert parse(page).one("header", id="side").one("div", class_="who").one("b").text == "bruno"
    assert ana.send(f"/acesso/{bruno.id}/suspender").status_code == 303
    assert brunos.get("/").location == "/entrar"
    assert ana.send(f"/acesso/{bruno.id}/reativar").status_code == 303
    assert log_in(brunos, "bruno", NEW["senha"]).status_code == 303
    assert ana.send(f"/acesso/{bruno.id}/senha", senha=PASSWORD, senha_de_novo=PASSWORD).status_code == 303
    assert brunos.get("/").location == "/entrar"
    assert log_in(brunos, "bruno").status_code == 303
    assert ana.send(f"/acesso/{bruno.id}/remover").location == "/acesso"
    assert brunos.get("/").location == "/entrar"
    assert list(users(ana)) == ["ana"]
    assert ana.send(f"/acesso/{bruno.id}/remover").status_code == 404
    assert actions(ana) == ["user.added", *["user.changed"] * 3, "password.changed", "user.removed"]


@pytest.mark.parametrize(("act", "fields"), [("papel", {"papel": "viewer"}), ("suspender", {}), ("remover", {})])
def test_the_last_administrator_stays(ana: Person, act: str, fields: dict[str, str]) -> None:
    add(ana, "bruno", "operator")
    answer = ana.send(f"/acesso/{users(ana)['ana'].id}/{act}", **fields)
    assert (answer.status_code, "única pessoa que administra" in answer.text) == (422, True)
    me = users(ana)["ana"]
    assert (me.role, me.disabled) == ("administrator", False)
    assert actions(ana) == []  # what was not done is not told


def test_one_s_own_password_asks_for_the_present_one_and_ends_the_other_sessions(ana: Person) -> None:
    elsewhere = other(ana)
    log_in(elsewhere)
    refused = ana.send("/minha-conta/senha", senha_atual="x", **NEW)
    assert (refused.status_code, "A senha atual não confere." in refused.text) == (422, True)
    assert elsewhere.get("/").status_code == 200
    assert ana.send("/minha-conta/senha", senha_atual=PASSWORD, **NEW).status_code == 303
    assert ana.client.get("/").status_code == 200
    assert elsewhere.get("/").location == "/entrar"
    assert log_in(elsewhere).status_code == 422
    assert log_in(elsewhere, password=NEW["senha"]).status_code == 303


def test_sessions_are_listed_and_ended(ana: Person) -> None:
    elsewhere = other(ana)
    elsewhere.environ_base |= {"HTTP_USER_AGENT": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"}
    log_in(elsewhere)
    page = ana.open("/minha-conta")
    theirs = next(item for item in page.all("li", class_="account-item") if "Firefox, Windows" in item.text)
    assert ana.send(theirs.one("form")["action"]).status_code == 303
    assert elsewhere.get("/").location == "/entrar"
    log_in(elsewhere)
    assert ana.send("/minha-conta/sessoes/encerrar-outras").status_code == 303
    assert elsewhere.get("/").location == "/entrar"
    own = next(item for item in ana.open("/minha-conta").all("li", class_="account-item") if "esta" in item.text)
    assert ana.send(own.one("form")["action"]).location == "/entrar"
    with reading(ana.engine) as session:
        assert session.scalars(select(LoginSession)).all() == []


def test_a_key_is_shown_once_and_opens_the_api_until_it_is_revoked(ana: Person) -> None:
    make_account(ana.engine)
    page = parse(ana.send("/minha-conta/chaves", nome="Planilha", permissoes="read", validade="30"))
    key = page.one("input", id="made-key")["value"]
    assert key.startswith("pk_")
    assert key not in ana.open("/minha-conta").text
    assert key not in ana.client.get("/acesso").text
    with reading(ana.engine) as session:
        row = session.scalars(select(ApiKey)).one()
    assert (row.scopes, key not in repr(vars(row))) == (["read"], True)
    program = other(ana)
    assert program.get("/api/kommo/sync", headers={"X-API-Key": key}).status_code == 200
    assert program.delete("/api/kommo/schedule", headers={"X-API-Key": key}).json["code"] == "not_allowed"
    assert program.get(f"/api/kommo/sync?X-API-Key={key}").status_code == 401
    assert "agora" in ana.open("/minha-conta").one("section", text="Chaves dos seus programas").text
    assert ana.send(f"/acesso/chaves/{row.id}/revogar").status_code == 303
    assert program.get("/api/kommo/sync", headers={"X-API-Key": key}).json["code"] == "key_unknown"
    assert ana.send(f"/minha-conta/chaves/{row.id}/revogar").status_code == 404
    assert actions(ana) == ["key.added", "key.revoked"]


def test_a_key_gets_no_more_than_its_maker_has(ana: Person) -> None:
    add(ana, "bruno", "viewer")
    bruno = Person(other(ana))
    log_in(bruno.client, "bruno")
    offered = bruno.open("/minha-conta").all("input", name="permissoes")
    assert [one["value"] for one in offered] == ["read"]
    refused = bruno.send("/minha-conta/chaves", nome="robo", permissoes="people", validade="30")
    assert (refused.status_code, "Escolha ao menos uma permissão" in refused.text) == (422, True)
    assert bruno.send("/minha-conta/chaves", nome="robo", permissoes="read", validade="31").status_code == 422
    assert bruno.send("/minha-conta/chaves", nome="", permissoes="read", validade="30").status_code == 422
    with reading(ana.engine) as session:
        assert session.scalars(select(ApiKey)).all() == []


def test_the_second_factor_is_turned_on_by_a_code_and_off_by_the_password(ana: Person) -> None:
    page = ana.open("/minha-conta/segundo-fator")
    assert page.one("img", class_="qr")["src"].startswith("data:image/svg+xml")
    secret = page.one("code", id="secret").text.replace(" ", "")
    fields = {"segredo": page.one("input", name="segredo")["value"], "senha_atual": PASSWORD}
    assert secret not in fields["segredo"]
    for wrong in ({"codigo": "000000"}, {"codigo": pyotp.TOTP(secret).now(), "senha_atual": "x"}):
        answer = ana.send("/minha-conta/segundo-fator", **fields | wrong)
        assert answer.status_code == 422
        assert secret == parse(answer).one("code", id="secret").text.replace(" ", "")  # the telephone has it already
    chosen = ana.send("/minha-conta/segundo-fator", **fields | {"segredo": "AAAA", "codigo": "1"})
    assert (chosen.status_code, "comece de novo" in chosen.text) == (422, True)
    assert users(ana)["ana"].totp is None
    code = pyotp.TOTP(secret).now()
    assert ana.send("/minha-conta/segundo-fator", codigo=code, **fields).status_code == 303
    assert secret not in (users(ana)["ana"].totp or secret)
    assert parse(log_in(other(ana))).one("form")["action"] == "/entrar/codigo"
    assert ana.send("/minha-conta/segundo-fator/desligar", senha_atual="x").status_code == 422
    assert ana.send("/minha-conta/segundo-fator/desligar", senha_atual=PASSWORD).status_code == 303
    assert log_in(other(ana)).status_code == 303
    assert actions(ana)[-1] == "totp.off"


@pytest.mark.parametrize(("role", "texts"), [("viewer", 0), ("operator", 1), ("administrator", 1)])
def test_pages_offer_what_the_person_may_do(ana: Person, role: str, texts: int) -> None:
    make_account(ana.engine)
    add(ana, "eva", role)
    eva = Person(other(ana))
    log_in(eva.client, "eva")
    assert len(eva.open("/sincronizacao").one("main").all("form", action="/sincronizacao")) == texts
    assert len(eva.open("/conexao").one("main").all("form")) == (0 if role != "administrator" else 3)
    assert len(eva.open("/").one("header", id="side").all("a", text="Acesso")) == (2 if role == "administrator" else 0)
