"""Error pages: in Portuguese, in the house, with what it means and what to do; and without the house for strangers."""

import re

import pytest
from flask import Flask, abort
from werkzeug.exceptions import default_exceptions

from tests.factories import make_account
from tests.pages.conftest import Person
from tests.pages.dom import parse

STATUSES = (400, 403, 404, 405, 413, 415, 422, 429, 500, 503)
ENGLISH = re.compile(r"\b(?:the|not|found|server|request|error|method|please|your?|invalid|missing)\b", re.IGNORECASE)


@pytest.fixture
def failing(app: Flask, person: Person) -> Person:
    """Ana at an installation with an address for every error."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/fails/<int:status>", "fails", lambda status: abort(status))
    app.add_url_rule("/breaks", "breaks", lambda: 1 // 0)
    app.add_url_rule("/says", "says", lambda: abort(400, "A página 7 não existe nesta lista."))
    make_account(person.engine)
    return person


@pytest.mark.parametrize("status", STATUSES)
def test_every_error_says_what_happened_what_it_means_and_what_to_do(failing: Person, status: int) -> None:
    page = failing.open(f"/fails/{status}", status=status)
    body = page.one("main").one("div", class_="card")
    title, *sentences = page.one("h1").text, *[one.text for one in body.all("p")]
    assert len(sentences) >= 3
    assert not ENGLISH.search(" ".join([title, *sentences]))
    assert body.one("a", text="Ir para a visão geral")["href"] == "/"
    assert sentences[-1] == f"Código {status}"


def test_every_other_error_of_the_framework_has_a_page_too(failing: Person) -> None:
    for status in set(default_exceptions) - set(STATUSES):
        page = failing.open(f"/fails/{status}", status=status)
        assert not ENGLISH.search(page.one("body").text), status


def test_a_broken_route_tells_nothing_of_its_inside(failing: Person) -> None:
    page = failing.open("/breaks", status=500)
    assert page.one("h1").text == "Algo falhou no servidor"
    assert "ZeroDivisionError" not in page.text
    assert "o que ficou pela metade foi desfeito" in page.text


def test_a_page_that_stood_open_for_too_long_says_so_once(failing: Person) -> None:
    page = parse(failing.client.post("/conexao", data={}))
    assert page.one("h1").text == "A página ficou aberta por muito tempo"
    assert page.one("main").text.count("por muito tempo") == 1
    assert page.one("div", class_="card").text.count("recarregue") == 1


def test_a_routes_own_sentence_is_the_title(failing: Person) -> None:
    assert failing.open("/says", status=400).one("h1").text == "A página 7 não existe nesta lista"


def test_a_known_caller_keeps_the_frame_a_broken_server_does_not(failing: Person) -> None:
    assert failing.open("/nada", status=404).one("header", id="side").one("bdi").text == "Padaria Estrela"
    assert failing.open("/breaks", status=500).all("header", id="side") == []


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.com"}, {"X-Forwarded-For": "10.0.0.1"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
@pytest.mark.parametrize("path", ["/conexao", "/nada", "/?conta=abc", "/fails/404", "/fails/500"])
def test_whom_the_guard_refuses_learns_nothing(failing: Person, headers: dict[str, str], path: str) -> None:
    answer = failing.client.get(path, headers=headers)
    assert answer.status_code in (400, 403, 404)
    assert "Padaria" not in answer.get_data(as_text=True)
    assert parse(answer).all("nav") == []
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_fragment_that_fails_is_one_sentence(failing: Person) -> None:
    answer = failing.fragment("/nada")
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert answer.get_data(as_text=True).startswith("Esta página não existe.")


def test_a_wrong_method_is_told_the_right_ones(failing: Person) -> None:
    allowed = failing.client.get("/conexao/1/testar").headers["Allow"]
    assert set(allowed.split(", ")) == {"OPTIONS", "POST"}


def test_wrong_methods_change_nothing_and_say_so(failing: Person) -> None:
    for path in ("/conexao/1/testar", "/conexao/demonstracao", "/sincronizacao/1/cancelar"):
        assert failing.open(path, status=405).one("h1").text == "Este endereço não aceita esse pedido"
    for method in ("PUT", "PATCH", "DELETE"):
        assert failing.client.open("/conexao", method=method).status_code in (403, 405)


@pytest.mark.parametrize("path", ["/static/nada.css", "/assets/nada.js", "/conexao/9/desconectar", "/fails/400"])
def test_an_account_that_is_not_there_does_not_make_it_worse(failing: Person, path: str) -> None:
    """The frame shows the account that is."""
    answer = failing.client.get(f"{path}?conta=30009999")
    assert answer.status_code == (400 if path == "/fails/400" else 404)
    assert "Padaria Estrela" in parse(answer).text
