"""Kommo has blocked this server: every page says so and until when, and the words for its support can be copied."""

import re
import threading

import pytest

from kommo.connect.client import budget_for
from kommo.sandbox import Server
from kommo.store.tables import Connection
from kommo.sync import engine
from tests.clocks import clock_moved
from tests.factories import make_account, make_run
from tests.pages.conftest import Person
from tests.pages.dom import parse

PAGES = ("/", "/contatos", "/negociacoes", "/sincronizacao", "/conexao")
NOTICE = r"O Kommo bloqueou o endereço deste servidor\. Nada é enviado a ele até \d\d/\d\d/\d{4} \d\d:\d\d; a cópia"


@pytest.fixture
def blocked(person: Person) -> Connection:
    """An account with a copy, whose server Kommo has just blocked."""
    account = make_account(person.engine)
    make_run(person.engine, account, contacts=(40, 40), deals=(20, 20))
    budget_for(person.services, account.account_id).block(900)
    return account


@pytest.mark.parametrize("path", PAGES)
def test_every_page_tells_until_when_nothing_is_sent(person: Person, blocked: Connection, path: str) -> None:
    page = person.open(path)
    notice = page.one("main").all("div", class_="bad")[0]
    assert re.search(NOTICE, notice.text)
    assert (notice.one("a").text, notice.one("a")["href"]) == ("O que fazer", "/conexao#bloqueio")
    with clock_moved(person.engine, 901):
        assert "bloqueou" not in person.open(path).text


@pytest.mark.parametrize("path", ["/conexao", "/sincronizacao"])
def test_the_words_for_the_support_can_be_copied(person: Person, blocked: Connection, path: str) -> None:
    card = person.open(path).one("section", id="bloqueio")
    field = card.one("textarea", id="support-text")
    assert "readonly" in field.attributes
    assert card.one("label", for_="support-text").text == "Texto para o suporte do Kommo"
    assert "padariaestrela.kommo.com (ID 30001000)" in field.text
    assert "desbloqueiem esse IP" in field.text
    assert "token" not in field.text
    assert card.one("button")["data-copy"] == "support-text"
    assert "Só o suporte do Kommo pode desfazer o bloqueio" in card.text
    assert card.one("a")["href"] == "/conexao"


@pytest.mark.parametrize("path", ["/conexao", "/sincronizacao"])
def test_without_a_block_there_is_no_word_of_it(person: Person, path: str) -> None:
    make_run(person.engine, make_account(person.engine))
    assert person.open(path).all("section", id="bloqueio") == []


def test_before_the_first_run_too(person: Person) -> None:
    budget_for(person.services, make_account(person.engine).account_id).block(900)
    assert person.open("/sincronizacao").one("section", id="bloqueio")


def test_a_first_token_that_meets_it_is_told_what_to_do(person_with_kommo: Person, padaria: Server) -> None:
    padaria.world.block()
    answer = person_with_kommo.send("/conexao", jwt_token=padaria.token)
    assert answer.status_code == 422
    page = parse(answer)
    assert "a conta de ID 30001000" in page.one("textarea", id="support-text").text
    assert padaria.token not in answer.get_data(as_text=True)
    assert "o texto pronto, com a conta e a hora, está na página Conexão" in page.one("ul", class_="steps").text


def test_a_test_that_comes_through_ends_it(person_with_kommo: Person, padaria: Server) -> None:
    """The person's way back, as the card says: the support has answered, the test asks at once."""
    person = person_with_kommo
    person.send("/conexao", jwt_token=padaria.token)
    padaria.world.block()
    retest = person.open("/conexao").one("form", text="Testar de novo")["action"]
    assert parse(person.send(retest)).one("section", id="bloqueio")
    padaria.world.unblock()
    assert parse(person.send(retest)).all("section", id="bloqueio") == []


def test_a_run_that_meets_it_shows_it_in_a_page_that_stays_open(person_with_kommo: Person, padaria: Server) -> None:
    person = person_with_kommo
    person.send("/conexao", jwt_token=padaria.token)
    person.send("/sincronizacao")
    address = person.open("/sincronizacao").one("div", id="progress")["hx-get"]
    padaria.world.block()
    assert engine.run_one(person.services, 1, "test", threading.Event())
    fragment = parse(person.fragment(address))
    assert fragment.one("section", id="bloqueio").one("textarea")
    assert fragment.one("section", id="requests").one("span", class_="badge").text.startswith("bloqueado pelo Kommo")
