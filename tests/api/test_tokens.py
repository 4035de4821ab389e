"""Which token a call uses, and what becomes of texts that are none: nothing leaves for a wrong host."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kommo import create_app
from kommo.api import DEPRECATED
from kommo.connect.flow import disconnect
from kommo.db import reading
from kommo.sandbox import Server
from kommo.settings import Settings
from kommo.store import connections
from kommo.vault import Vault
from tests.api.conftest import Api, expect_error, expect_good
from tests.conftest import make_settings
from tests.crm.people import token as made_up
from tests.factories import ANA, BRUNO
from tests.sync.accounts import connect

CALLS = [
    ("GET", "/test-connection"),
    ("POST", "/test-connection"),
    ("GET", "/contacts"),
    ("GET", "/deals"),
    ("POST", "/sync"),
]


def call(api: Api, method: str, path: str, **options: Any) -> TestResponse:
    return api.get(path, **options) if method == "GET" else api.post(path, **options)


class Sources:
    """One token for each place in which a token may stand; only one of them is good, the others were revoked."""

    def __init__(self, server: Server) -> None:
        names = ("body", "header", "address", "stored", "first", "second")
        self.tokens = {name: server.world.token(lifetime=86_400 + place) for place, name in enumerate(names)}
        self.server = server

    def only(self, name: str) -> None:
        for other, token in self.tokens.items():
            if other != name:
                self.server.world.revoke(token)


@pytest.fixture
def sources(padaria: Server) -> Sources:
    return Sources(padaria)


@pytest.fixture
def settings(tmp_path: Path, padaria: Server, sources: Sources) -> Settings:
    return make_settings(
        tmp_path,
        api_url=padaria.address,
        retry_attempts=0,
        jwt_token=sources.tokens["first"],
        long_lived_token=sources.tokens["second"],
    )


@pytest.mark.parametrize("place", range(5))
def test_the_order_is_body_header_address_stored_environment(silent: Api, sources: Sources, place: int) -> None:
    """With the places from `place` on filled, the token in the first of them is the one that is used."""
    names = ["body", "header", "address", "stored", "first"][place:]
    if "stored" in names:
        server = sources.server
        server.token = sources.tokens["stored"]
        connect(silent.services, server)
    sources.only(names[0])
    options: dict[str, Any] = {"json": {"jwtToken": sources.tokens["body"] if "body" in names else None}}
    if "header" in names:
        options["headers"] = {"Authorization": f"Bearer {sources.tokens['header']}"}
    if "address" in names:
        options["query_string"] = {"jwtToken": sources.tokens["address"]}
    expect_good(silent.post("/test-connection", **options))
    sources.server.world.revoke(sources.tokens[names[0]])
    expect_error(silent.post("/test-connection", **options), 401, "token_refused")


def test_the_second_variable_counts_where_the_first_is_missing(tmp_path: Path, padaria: Server) -> None:
    values = {"api_url": padaria.address, "long_lived_token": padaria.token}
    app = create_app(make_settings(tmp_path / "second", **values))
    client = app.test_client()
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    assert client.get("/api/kommo/test-connection").status_code == 200
    app.extensions["kommo"].engine.dispose()


@pytest.mark.parametrize("blank", ["", "   ", "\n\t", None, "\u200b", "\ufeff \u00ad", "Bearer", "bearer: ", '""'])
def test_a_blank_token_leaves_its_place_to_the_next(silent: Api, sources: Sources, blank: str | None) -> None:
    sources.only("header")
    headers = {"Authorization": f"Bearer {sources.tokens['header']}"}
    expect_good(silent.post("/test-connection", json={"jwtToken": blank}, headers=headers))


@pytest.mark.parametrize("header", ["bearer {}", "BEARER {}", "Bearer   {} "])
def test_the_scheme_may_be_written_in_any_case(silent: Api, sources: Sources, header: str) -> None:
    sources.only("header")
    expect_good(silent.get("/test-connection", headers={"Authorization": header.format(sources.tokens["header"])}))


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic YW5hOnNlbmhh"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer Bearer"},
    ],
)
def test_what_is_not_kommos_token_is_left_alone(silent: Api, sources: Sources, headers: dict[str, str]) -> None:
    sources.only("first")
    expect_good(silent.get("/test-connection", headers=headers))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_token_in_the_address_works_and_is_called_deprecated(
    silent: Api, padaria: Server, method: str, path: str
) -> None:
    options = {"query_string": {"jwtToken": padaria.token}, "headers": {"Prefer": "respond-async"}}
    answer = call(silent, method, path, **options)
    assert answer.status_code in (200, 202)
    assert answer.headers["Deprecation"] == DEPRECATED
    refused = call(silent, method, path, query_string={"jwtToken": "nada"})
    assert (refused.status_code, refused.headers["Deprecation"]) == (400, DEPRECATED)
    plain = silent.get("/sync")
    assert "Deprecation" not in plain.headers


def test_only_a_synchronisation_stores_the_token(app: Flask, silent: Api, padaria: Server) -> None:
    for method, path in CALLS[:-1]:
        call(silent, method, path, headers={"Authorization": f"Bearer {padaria.token}"})
    with reading(silent.services.engine) as session:
        assert connections.all_of(session, ANA) == []
    body = {"jwtToken": padaria.token, "userId": 2}
    expect_good(silent.post("/sync", json=body, headers={"Prefer": "respond-async"}), 202)
    with reading(silent.services.engine) as session:
        assert connections.all_of(session, ANA) == []
        (kept,) = connections.all_of(session, BRUNO)
        assert kept.token and padaria.token not in kept.token
        assert connections.open_token(silent.services.vault, kept) == padaria.token


def test_a_refused_token_is_not_stored(silent: Api, padaria: Server) -> None:
    padaria.world.revoke(padaria.token)
    expect_error(silent.post("/sync", json={"jwtToken": padaria.token}), 401, "token_refused")
    with reading(silent.services.engine) as session:
        assert connections.all_of(session, ANA) == []


NO_TOKENS = {
    "uma frase qualquer": "token_not_jwt",
    "eyJhbGciOiJIUzI1NiJ9": "token_not_jwt",
    "eyJh.eyJi": "token_not_jwt",
    "a.b.c.d": "token_not_jwt",
    "eyJh.W10.c2ln": "token_not_jwt",
    "eyJh.bnVsbA.c2ln": "token_not_jwt",
    "eyJh.eyJi%20.c2ln": "token_bad_characters",
    "eyJh.çççç.c2ln": "token_bad_characters",
    "e" * 9000 + ".a.b": "token_too_long",
    "e" * 30_000: "token_too_long",
}


@pytest.mark.parametrize("text", NO_TOKENS, ids=lambda text: text[:12])
@pytest.mark.parametrize(("method", "path"), [("POST", "/test-connection"), ("POST", "/sync"), ("POST", "/deals")])
def test_a_text_that_is_no_token_is_refused(silent: Api, padaria: Server, method: str, path: str, text: str) -> None:
    body = expect_error(silent.post(path, json={"jwtToken": text, "dealId": 1}), 400, NO_TOKENS[text])
    assert body["field"] == "jwtToken"
    assert body["message"].startswith("O token informado ")
    assert text not in body["error"] + body["message"]
    assert padaria.world.requests == 0


HOSTILE = [
    "evil.com\\.kommo.com", "a.kommo.com@evil.com", "kommo.com.evil.com", "evilkommo.com", "evil.com#.kommo.com",
    "evil.com?.kommo.com", "evil.com/.kommo.com", "api-c.kommo.com:8443", "https://api-c.kommo.com", "api-c.kommo.com.",
    "evil%2ekommo.com", "..kommo.com", ".kommo.com", "", "127.0.0.1", "localhost", "x" * 300 + ".kommo.com",
    "a.kommo.com\r\nHost: evil.com", ["api-c.kommo.com"], {"a": 1}, 1, True,
]  # fmt: skip


def test_a_token_for_a_foreign_host_sends_no_packet(silent: Api, padaria: Server) -> None:
    """Although KOMMO_API_URL says where everything goes: such a token is not from Kommo."""
    for token in (made_up(api_domain=host) for host in HOSTILE):
        for path in ("/test-connection", "/sync"):
            expect_error(silent.post(path, json={"jwtToken": token}), 400, "host_refused")
        expect_error(silent.get("/contacts", headers={"Authorization": f"Bearer {token}"}), 400, "host_refused")
        expect_error(silent.get("/deals", query_string={"source": "local", "jwtToken": token}), 400, "host_refused")
    assert padaria.world.requests == 0


class TestWithoutAnyToken:
    """On a fresh installation with nothing in the environment."""

    @pytest.fixture
    def settings(self, tmp_path: Path, padaria: Server) -> Settings:
        return make_settings(tmp_path, api_url=padaria.address)

    @pytest.mark.parametrize(("method", "path"), CALLS)
    def test_it_is_said_in_the_documents_words(self, silent: Api, method: str, path: str) -> None:
        answer = call(silent, method, path)
        body = expect_error(answer, 401, "token_missing")
        assert (body["message"], body["error"]) == ("JWT token não foi fornecido", "JWT token ausente")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_invisible_characters_are_no_token(self, silent: Api) -> None:
        expect_error(silent.post("/test-connection", json={"jwtToken": "\u200b\ufeff"}), 401, "token_missing")

    def test_after_a_disconnect_there_is_none(self, silent: Api, padaria: Server) -> None:
        connection = connect(silent.services, padaria)
        expect_good(silent.get("/contacts"))
        assert disconnect(silent.services, ANA, connection, with_copy=False)
        expect_error(silent.get("/contacts"), 401, "token_missing")

    def test_a_token_under_another_key_is_unreadable(self, silent: Api, padaria: Server) -> None:
        """The key in `instance/` was lost: it has to come back, or another token has to be sent, and may be."""
        connect(silent.services, padaria)
        found = silent.client.application.extensions
        found["kommo"] = replace(silent.services, vault=Vault(b"\1" * 32))
        assert "chave" in expect_error(silent.get("/contacts"), 503, "account_locked")["error"]
        expect_good(silent.get("/contacts", headers={"Authorization": f"Bearer {padaria.token}"}))
