"""/conexao: what a pasted token says, the test, the report, the connected accounts, leaving."""

import base64
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kommo.connect import demo
from kommo.db import reading
from kommo.sandbox import Server
from kommo.store.tables import Connection, SyncRun
from tests.conftest import make_settings
from tests.factories import BRUNO, make_account, make_run
from tests.pages.conftest import Person, at_panel
from tests.pages.dom import parse

NOW = int(time.time())
CANARY = "Zm9yZ290dGVuLWNhbmFyeQ"


def make_token(**claims: Any) -> str:
    usual = {
        "account_id": 2974588, "api_domain": "api-c.kommo.com", "base_domain": "kommo.com", "iat": NOW - 86_400,
        "exp": NOW + 454 * 86_400 + 43_200, "scopes": ["crm", "files", "notifications"],
    }  # fmt: skip
    parts = ({"typ": "JWT", "alg": "RS256"}, usual | claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return f"{head}.{body}.{CANARY}"


def held(person: Person) -> list[Connection]:
    with reading(person.engine) as session:
        return list(session.scalars(select(Connection).order_by(Connection.id)))


def test_the_page_asks_for_the_token_and_for_nothing_else(person: Person) -> None:
    page = person.open("/conexao")
    assert page.one("h1").text == "Conectar ao Kommo"
    field = page.one("textarea", name="jwt_token")
    assert (field["autocomplete"], field["spellcheck"], field.text) == ("off", "false", "")
    assert page.one("label", for_="jwt_token").text == "Token de longa duração"
    assert [button.text for button in page.all("button", class_="primary")] == ["Testar e conectar"]
    form = page.one("form", id="connect")
    assert (form["method"], form["action"]) == ("post", "/conexao")
    assert page.one("form", id="demo")["action"] == "/conexao/demonstracao"


def test_what_a_token_says_is_shown_as_it_is_pasted(person: Person) -> None:
    answer = person.send("/conexao/token", htmx=True, jwt_token=f"  Bearer {make_token()}\n")
    said = parse(answer).one("dl")
    assert answer.status_code == 200
    assert "2974588" in said.text
    assert "daqui a 454 dias" in said.text
    assert "api-c.kommo.com" in said.text
    assert [badge.text for badge in said.all("span", class_="good")] == ["crm", "files", "notifications"]
    assert "sem files_delete" in said.text
    assert CANARY not in answer.get_data(as_text=True)
    assert held(person) == []


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"scopes": ["files"]}, "Sem o escopo crm, contatos e negociações não poderão ser lidos"),
        ({"exp": NOW - 86_400}, "Este token já venceu."),
        ({"exp": NOW + 43_200}, "em menos de um dia"),
        ({"exp": None}, "desconhecida; o teste confere"),
        ({"account_id": "x"}, "o token não diz; o teste confere"),
        ({"api_domain": "evil.com\\.kommo.com"}, "O token aponta para um servidor que não é do Kommo."),
        ({"scopes": ["crm", "<img src=x>"]}, "<img src=x>"),
    ],
)
def test_what_is_odd_about_a_token_is_said(person: Person, claims: dict[str, Any], words: str) -> None:
    answer = parse(person.send("/conexao/token", htmx=True, jwt_token=make_token(**claims)))
    assert words in answer.text
    assert answer.all("img") == []


@pytest.mark.parametrize("text", ["olá", "a.b", "a.b.c.d", "eyJ.eyJ.eyJ", "é" * 90, "x" * 9000])
def test_what_is_no_token_is_refused_with_help(person: Person, text: str) -> None:
    answer = person.send("/conexao/token", htmx=True, jwt_token=text)
    assert answer.status_code == 200
    assert parse(answer).one("div", class_="bad").text.endswith(".")
    assert text not in answer.get_data(as_text=True)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_an_empty_field_says_nothing_yet(person: Person, text: str) -> None:
    assert parse(person.send("/conexao/token", htmx=True, jwt_token=text)).text == ""


def test_a_good_token_is_tested_and_kept(person_with_kommo: Person, padaria: Server) -> None:
    person = person_with_kommo
    answer = person.send("/conexao", jwt_token=f"Bearer  {padaria.token}\n")
    page = parse(answer)
    assert answer.status_code == 200
    assert padaria.token not in answer.get_data(as_text=True)
    steps = page.all("li", class_="ok")
    assert [step.one("b").text for step in steps[:3]] == ["Servidor alcançado", "Token aceito", "Contatos"]
    assert len(steps[2].one("span", class_="hint").text.split(", ")) >= 3
    assert "A conta Padaria Estrela está conectada." in page.text
    assert page.one("button", text="Sincronizar agora", class_="primary")
    assert page.one("h2", id="report-title").get("autofocus") == ""
    (found,) = held(person)
    assert (found.user_id, found.name, found.account_id) == ("1", "Padaria Estrela", padaria.world.account_id)
    assert padaria.token not in (found.token or "")


def test_afterwards_the_token_is_only_shown_masked(person_with_kommo: Person, padaria: Server) -> None:
    person_with_kommo.send("/conexao", jwt_token=padaria.token)
    page = person_with_kommo.open("/conexao")
    hint = page.one("code").text
    assert hint == f"{padaria.token[:4]}…{padaria.token[-4:]}"
    assert page.one("h1").text == "Conexão"
    assert "padariaestrela.kommo.com" in page.one("li", class_="account-item").text
    assert page.one("header", id="side").one("bdi", class_="account-name").text == "Padaria Estrela"


def test_a_refused_token_keeps_nothing_and_is_not_given_back(person_with_kommo: Person, padaria: Server) -> None:
    token = make_token()
    answer = person_with_kommo.send("/conexao", jwt_token=token)
    page = parse(answer)
    assert answer.status_code == 422
    assert page.one("h2", id="report-title").text == "O teste não passou"
    error = page.one("p", id="token-error").text
    assert "um token nunca volta para a tela" in error
    assert page.one("li", class_="error").one("b").text.removeprefix("Falhou:").strip() not in error  # said once
    assert page.one("textarea", name="jwt_token")["aria-invalid"] == "true"
    assert page.one("textarea", name="jwt_token").text == ""
    assert CANARY not in answer.get_data(as_text=True)
    assert held(person_with_kommo) == []


def test_htmx_gets_the_same_page_with_leave_to_show_a_refusal(person_with_kommo: Person) -> None:
    answer = person_with_kommo.send("/conexao", htmx=True, jwt_token="nada")
    assert (answer.status_code, answer.headers["X-Fragment"]) == (422, "1")
    assert parse(answer).one("main")


@pytest.mark.parametrize("text", ["", "   ", "nada", "x" * 20_000])
def test_what_is_no_token_is_answered_with_help_and_no_packet(person_with_kommo: Person, text: str) -> None:
    answer = person_with_kommo.send("/conexao", jwt_token=text)
    page = parse(answer)
    assert answer.status_code == 422
    error = page.one("p", id="token-error").text
    assert ("O campo foi esvaziado" in error) == bool(text.strip())
    assert page.one("textarea", name="jwt_token").get("autofocus") == ""
    assert page.all(id="report-title") == []  # nothing was tested, and the reason stands at the field
    assert page.text.count(error.split(".")[0]) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b", "o ID da integração"),
        ("aB3" * 21 + "a", "a chave secreta"),
        ("https://padariaestrela.kommo.com/leads", "um endereço"),
    ],
)
def test_what_was_pasted_instead_is_named(person: Person, text: str, words: str) -> None:
    said = parse(person.send("/conexao/token", htmx=True, jwt_token=text)).one("div", class_="bad").text
    assert words in said
    assert words in parse(person.send("/conexao", jwt_token=text)).one("p", id="token-error").text


def test_a_file_in_place_of_the_text_is_no_token(person_with_kommo: Person, padaria: Server) -> None:
    page = person_with_kommo.open("/conexao")
    data = {
        "csrf_token": page.one("meta", name="csrf-token")["content"],
        "jwt_token": (io.BytesIO(padaria.token.encode()), "token.txt"),
    }
    answer = person_with_kommo.client.post("/conexao", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert held(person_with_kommo) == []


def test_a_body_that_is_too_long_is_refused_before_it_is_read(person: Person) -> None:
    answer = person.send("/conexao", jwt_token="x" * 200_000)
    assert answer.status_code == 413
    assert parse(answer).one("h1").text == "O que foi enviado é grande demais"


@pytest.mark.parametrize("path", ["/conexao", "/conexao/token", "/conexao/demonstracao", "/conexao/1/testar"])
def test_without_the_forms_token_nothing_is_done(person: Person, path: str) -> None:
    answer = person.client.post(path, data={"jwt_token": make_token()})
    assert answer.status_code == 403
    assert parse(answer).one("h1").text.startswith("A página ficou aberta por muito tempo")


def test_the_same_account_twice_gets_the_new_token(person_with_kommo: Person, padaria: Server) -> None:
    for _ in range(2):
        answer = person_with_kommo.send("/conexao", jwt_token=padaria.token)
        assert answer.status_code == 200
    (account,) = held(person_with_kommo)
    said = "O token da conta Padaria Estrela foi trocado. "
    assert f"{said}Falta trazer os contatos e as negociações para cá." in parse(answer).text
    make_run(person_with_kommo.engine, account, contacts=(0, 0), deals=(0, 0))
    again = parse(person_with_kommo.send("/conexao", jwt_token=padaria.token))
    assert f"{said}A cópia continua; sincronize para atualizá-la." in again.text
    person_with_kommo.send(f"/conexao/{account.id}/desconectar", copia="manter")
    back = parse(person_with_kommo.send("/conexao", jwt_token=padaria.token))
    assert "A conta Padaria Estrela está conectada de novo. A cópia continua;" in back.text


def test_testing_again_tells_how_it_is_now(person_with_kommo: Person, padaria: Server) -> None:
    person = person_with_kommo
    person.send("/conexao", jwt_token=padaria.token)
    good = person.send("/conexao/1/testar")
    assert good.status_code == 200
    assert "O token guardado continua valendo." in parse(good).text
    padaria.world.revoke(padaria.token)
    bad = person.send("/conexao/1/testar")
    page = parse(bad)
    assert bad.status_code == 422
    assert "A conta continua como estava" in page.text
    assert page.one("div", class_="bad", text="foi recusado pelo Kommo")
    assert page.one("span", class_="badge", text="token recusado")
    assert page.all("p", id="token-error") == []


def test_leaving_asks_what_to_do_with_the_copy(person: Person) -> None:
    account = make_account(person.engine)
    page = person.open(f"/conexao/{account.id}/desconectar")
    choices = page.all("input", type="radio", name="copia")
    assert [(one["value"], "checked" in one.attributes) for one in choices] == [("manter", True), ("apagar", False)]
    assert held(person)[0].token


def test_leaving_forgets_the_token_and_keeps_the_copy(person: Person) -> None:
    account = make_account(person.engine)
    answer = person.send(f"/conexao/{account.id}/desconectar", copia="manter")
    assert (answer.status_code, answer.location) == (303, "/conexao")
    page = person.open("/conexao")
    assert "foi desconectada e o token, apagado. A cópia dos dados continua aqui." in page.text
    assert page.one("li", class_="account-item").one("span", class_="badge").text == "desconectada"
    assert page.one("a", text="Apagar a cópia")
    (found,) = held(person)
    assert (found.token, found.erasing) == (None, False)


def test_leaving_with_the_copy_takes_the_account_off_every_page(person: Person) -> None:
    account = make_account(person.engine)
    person.send(f"/conexao/{account.id}/desconectar?conta={account.account_id}", copia="apagar")
    page = person.open("/conexao")
    assert "A cópia dos dados está sendo apagada." in page.text
    assert page.all("li", class_="account-item") == []
    assert held(person)[0].erasing
    person.open(f"/conexao/{account.id}/desconectar", status=404)


def test_leaving_ends_a_run_that_waits(person: Person) -> None:
    account = make_account(person.engine)
    make_run(person.engine, account, "queued")
    person.send(f"/conexao/{account.id}/desconectar", copia="manter")
    with reading(person.engine) as session:
        assert session.scalars(select(SyncRun.state)).all() == ["cancelled"]


@pytest.mark.parametrize("action", ["testar", "desconectar"])
def test_another_owners_account_looks_like_an_unknown_one(person: Person, action: str) -> None:
    brunos = make_account(person.engine, BRUNO)
    texts = set()
    for number in (brunos.id, 999_999, 2**31, 10**20):
        answer = person.send(f"/conexao/{number}/{action}", copia="apagar")
        assert answer.status_code == 404
        texts.add(parse(answer).one("main").text)
    assert len(texts) == 1
    assert held(person)[0].token
    assert not held(person)[0].erasing


def test_a_demonstration_that_does_not_start_says_so(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_settings: object) -> None:
        raise demo.DemoError("A conta de demonstração não pôde ser iniciada.")

    monkeypatch.setattr(demo, "start", fail)
    answer = person.send("/conexao/demonstracao", htmx=True)
    assert (answer.status_code, answer.headers["X-Fragment"]) == (503, "1")
    assert answer.headers["HX-Push-Url"] == "/conexao"
    assert parse(answer).one("div", role="alert").text == "A conta de demonstração não pôde ser iniciada."


def test_the_demonstration_button_shows_that_it_was_heard(person: Person) -> None:
    page = person.open("/conexao")
    form = page.one("form", id="demo")
    assert page.one(id=form["hx-disabled-elt"].removeprefix("#"))["form"] == "demo"
    assert page.one(id=form["hx-indicator"].removeprefix("#")).text == "Preparando a demonstração…"


@pytest.fixture
def polite(tmp_path: Path) -> Iterator[Person]:
    """Ana at an installation with the usual rate: the demonstration account counts as Kommo does."""
    yield from at_panel(make_settings(tmp_path, rate_limit=6.0))
    demo.stop()


def test_the_demonstration_account_is_connected_and_read_at_once(polite: Person) -> None:
    person = polite
    answer = person.send("/conexao/demonstracao")
    (found,) = held(person)
    assert found.is_demo
    assert (answer.status_code, answer.location) == (303, f"/sincronizacao?conta={found.account_id}")
    assert person.open("/sincronizacao").one("div", id="progress").one("span", class_="badge").text == "Na fila"
    assert "inventados" in person.open("/conexao").text
    with reading(person.engine) as session:
        assert session.scalars(select(SyncRun.trigger)).all() == ["connect"]
