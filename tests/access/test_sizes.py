"""Everything that a caller may send has an end; docs/security.md has the table, which names these tests."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kommo.access import sizes
from kommo.assembly import MAX_BODY
from kommo.crm.token import MAX_TOKEN
from kommo.store.filters import MAX_IDS, MAX_QUERY
from tests.factories import contact_record, make_account, store_contacts

pytestmark = pytest.mark.only_on("sqlite", reason="what is refused has asked no database")
API = "/api/kommo/sync"


def test_a_long_path(client: FlaskClient) -> None:
    assert client.get("/" + "a" * (sizes.MAX_PATH - 1)).status_code == 404
    page = client.get("/" + "a" * sizes.MAX_PATH)
    assert (page.status_code, "O endereço é longo demais" in page.text) == (414, True)
    assert client.get("/api/" + "a" * sizes.MAX_PATH).json["code"] == "uri_too_long"


def test_long_parameters(client: FlaskClient) -> None:
    assert client.get(f"{API}?x=" + "a" * (sizes.MAX_QUERY - 2)).status_code == 200
    answer = client.get(f"{API}?x=" + "a" * sizes.MAX_QUERY)
    assert (answer.status_code, answer.json["code"]) == (414, "uri_too_long")


def test_a_token_of_the_greatest_length_has_its_place_in_the_address(client: FlaskClient) -> None:
    answer = client.get("/api/kommo/test-connection", query_string={"jwtToken": "a" * MAX_TOKEN})
    assert (answer.status_code, answer.json["code"]) == (400, "token_not_jwt")
    answer = client.get("/api/kommo/test-connection", query_string={"jwtToken": "a" * (MAX_TOKEN + 1)})
    assert (answer.status_code, answer.json["code"]) == (400, "token_too_long")


def test_many_parameters(client: FlaskClient) -> None:
    people = "&".join(f"responsavel={number}" for number in range(1, MAX_IDS + 1))
    assert client.get(f"/contatos?{people}").status_code == 200
    answer = client.get("/contatos?" + "&" * sizes.MAX_PARAMETERS)
    assert (answer.status_code, "mais de 300 parâmetros" in answer.text) == (400, True)
    assert client.get(f"/contatos?{people}&responsavel=999").status_code == 400


def test_a_long_header(app: Flask) -> None:
    client = app.test_client(use_cookies=False)  # which would send its own in their place
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    assert client.get(API, headers={"X-Nada": "a" * sizes.MAX_HEADER}).status_code == 200
    for name in ("X_NADA", "COOKIE", "AUTHORIZATION", "USER_AGENT", "X_API_KEY"):
        answer = client.get(API, environ_overrides={f"HTTP_{name}": "a" * (sizes.MAX_HEADER + 1)})
        assert (answer.status_code, answer.json["code"]) == (431, "headers_too_large"), name
    page = client.get("/contatos", environ_overrides={"HTTP_COOKIE": "a=" + "b" * sizes.MAX_HEADER})
    assert (page.status_code, "cabeçalhos grandes demais" in page.text) == (431, True)


def test_many_headers(client: FlaskClient) -> None:
    """The test's caller sends two of its own."""
    assert client.get(API, headers={f"X-{number}": "a" for number in range(sizes.MAX_HEADERS - 5)}).status_code == 200
    answer = client.get(API, headers={f"X-{number}": "a" for number in range(sizes.MAX_HEADERS + 1)})
    assert (answer.status_code, answer.json["code"]) == (431, "headers_too_large")


def test_a_long_search_is_cut(app: Flask, client: FlaskClient) -> None:
    engine = app.extensions["kommo"].engine
    store_contacts(engine, make_account(engine), [contact_record(1, "Ana")])
    found = client.get("/contatos", query_string={"q": "a" * 5000}, headers={"HX-Request": "true"})
    assert found.status_code == 200
    assert "a" * MAX_QUERY in found.headers["HX-Push-Url"]
    assert "a" * (MAX_QUERY + 1) not in found.text + str(found.headers)


def test_a_long_owner(client: FlaskClient) -> None:
    assert client.get(API, query_string={"userId": "a" * 64}).status_code == 200
    assert client.get(API, query_string={"userId": "a" * 65}).json["field"] == "userId"


def test_a_deep_or_long_body(client: FlaskClient) -> None:
    for body in (b"[" * 60_000, b'{"a":' * 10_000, b'{"x": "' + b"a" * 60_000 + b'"'):
        answer = client.post(API, data=body, content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")
    answer = client.post(API, data=b" " * (MAX_BODY + 1), content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_many_parts_of_a_form(client: FlaskClient) -> None:
    body = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % number for number in range(200))
    answer = client.post("/conexao", data=body + b"--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413
