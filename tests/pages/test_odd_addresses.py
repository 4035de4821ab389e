"""Numbers and texts that no column holds, in every place of an address, and odd headers: never a failure of ours."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kommo import create_app
from kommo.settings import Settings
from tests.factories import contact_record, deal_record, make_account, store_contacts, store_deals

ODD = ["a%00b", "2147483648", "9223372036854775807", "9223372036854775808", "9" * 5000, "%ED%A0%80", "1-1"]
ODD_HEADERS = ["", "http://[", "//", "\xff\xfe", "%00", ',;="', "9" * 5000, "=?utf-8?q?=41?=", "Bearer " + "." * 3000]
HEADERS = (
    "HX-Current-URL", "HX-Trigger", "HX-Target", "Prefer", "Authorization", "X-CSRFToken", "Content-Type", "Cookie",
    "Range", "If-None-Match", "If-Modified-Since", "Accept", "Accept-Encoding", "Accept-Language", "Referer",
    "X-API-Key", "Idempotency-Key", "Content-Encoding",
)  # fmt: skip
NAMES = ("q", "responsavel", "funil", "etapa", "pagina", "conta", "execucao")


@pytest.fixture
def odd_app(settings: Settings) -> Iterator[Flask]:
    """An installation with an account, a contact and a deal."""
    app = create_app(settings)
    engine = app.extensions["kommo"].engine
    account = make_account(engine)
    store_contacts(engine, account, [contact_record(1)])
    store_deals(engine, account, [deal_record(1, contacts=[1])])
    yield app
    engine.dispose()


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:20])
def test_an_odd_value_is_refused_or_finds_nothing(odd_app: Flask, odd: str) -> None:
    client = odd_app.test_client()
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    rules = {str(rule) for rule in odd_app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    pages = {rule for rule in rules if not rule.startswith(("/api", "/static", "/assets", "/readyz"))}
    number = odd if odd.isdecimal() else "1"
    addresses = [re.sub(r"<int:\w+>", number, page) for page in pages if "<int:" in page]
    addresses += [f"{page}?{name}={odd}" for page in pages if "<" not in page for name in NAMES]
    addresses += [f"/api/kommo/{kind}?source=local&query={odd}" for kind in ("contacts", "deals")]
    addresses += [f"/api/kommo/sync?{name}={odd}" for name in ("userId", "accountId")]
    found = {address[:60]: client.get(address).status_code for address in addresses}
    assert {address: status for address, status in found.items() if status >= 500} == {}


@pytest.mark.parametrize("place", ["/contatos?q=a", "/negociacoes?pagina=2"])
def test_rows_of_an_account_that_is_gone_are_a_page_to_load_anew(client: FlaskClient, place: str) -> None:
    """A list that stayed open in a tab, while somebody disconnected the account and erased its copy."""
    answer = client.get(place, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.text) == (200, "true", "")
    assert client.get(place).status_code == 200


@pytest.mark.parametrize("odd", ODD_HEADERS, ids=lambda odd: ascii(odd[:20]))
@pytest.mark.parametrize("htmx", ["true", "false"])
def test_an_odd_header_is_refused_or_ignored(odd_app: Flask, odd: str, htmx: str) -> None:
    client = odd_app.test_client(use_cookies=False)
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HX_REQUEST": htmx}
    calls = [("GET", "/contatos?q=a"), ("GET", "/static/js/app.js"), ("POST", "/conexao"), ("POST", "/api/kommo/sync")]
    calls += [("GET", "/api/kommo/contacts?source=local"), ("GET", "/nada")]
    for method, address in calls:
        for name in HEADERS:
            with client.open(address, method=method, headers={name: odd}) as answer:
                assert answer.status_code < 500, (method, address, name)
