"""Every row of the table of statuses, met on a real socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kommo.api.errors import FAILED
from kommo.connect import access, flow
from kommo.sandbox import Server
from kommo.settings import Settings
from tests.api.conftest import Api, expect_error, expect_good
from tests.conftest import make_settings
from tests.databases import closed_port

REFUSED = ("Erro ao validar conexão", "Autenticação falhou: 401 Unauthorized")
#: Method, path, body, the name of the call, and Kommo's path that it asks.
CALLS: list[tuple[str, str, dict[str, Any] | None, str, str]] = [
    ("GET", "/test-connection", None, "test_connection_get", "/api/v4/account"),
    ("POST", "/test-connection", {}, "test_connection", "/api/v4/account"),
    ("GET", "/contacts", None, "contacts", "/api/v4/contacts"),
    ("POST", "/contacts", {"contactId": 1}, "contact", "/api/v4/contacts/1"),
    ("GET", "/deals", None, "deals", "/api/v4/leads"),
    ("POST", "/deals", {"dealId": 1}, "deal", "/api/v4/leads/1"),
    ("POST", "/sync", {}, "sync", "/api/v4/account"),
]
EACH = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]}")
FAULTS = [
    ("402", 402, "unpaid", "assinatura"),
    ("403_scope", 403, "scope_missing", "escopo"),
    ("429", 429, "rate_limited", "limite"),
    ("429_json", 429, "rate_limited", "limite"),
    ("500", 502, "server_fault", "falha interna"),
    ("502", 502, "server_fault", "falha interna"),
    ("504", 502, "server_fault", "falha interna"),
    ("html_200", 502, "nonsense", "manutenção"),
    ("empty_200", 502, "nonsense", "não se pode ler"),
    ("404", 502, "wrong_host", "endereço"),
    ("redirect", 502, "wrong_host", "nenhum outro endereço"),
    ("reset", 502, "unreachable", "internet"),
    ("no_answer", 502, "unreachable", "internet"),
    ("truncated", 502, "nonsense", "não se pode ler"),
    ("bad_gzip", 502, "nonsense", "não se pode ler"),
]


def make(api: Api, call: tuple[Any, ...]) -> Any:
    method, path, body, *_ = call
    return api.get(path) if method == "GET" else api.post(path, json=body)


@EACH
@pytest.mark.parametrize(("how", "status", "code", "word"), FAULTS, ids=[row[0] for row in FAULTS])
def test_kommos_failures(
    api: Api, padaria: Server, call: tuple[Any, ...], how: str, status: int, code: str, word: str
) -> None:
    padaria.world.fail(call[4], None, how, seconds=2)
    if how == "404" and call[3] in ("contact", "deal"):  # of one record it says that there is none
        status, code = 404, "not_found"
    if how in ("truncated", "bad_gzip") and call[3] in ("contact", "deal"):
        call = (
            *call[:2],
            {"contactId": padaria.world.ids("contacts")[0], "dealId": padaria.world.ids("leads")[0]},
            *call[3:],
        )
        padaria.world.fail(r"/api/v4/\w+/\d+", None, how)
    answer = make(api, call)
    body = expect_error(answer, status, code)
    if status != 404:
        assert body["message"] == FAILED[call[3]]
        assert word in body["error"]
    assert ("Retry-After" in answer.headers) == (status == 429)


@EACH
def test_kommo_refuses_the_token(api: Api, padaria: Server, call: tuple[Any, ...]) -> None:
    padaria.world.revoke(padaria.token)
    answer = make(api, call)
    body = expect_error(answer, 401, "token_refused")
    assert (body["message"], body["error"]) == REFUSED
    assert "revogado" in body["advice"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@EACH
def test_the_tokens_time_is_over(api: Api, padaria: Server, call: tuple[Any, ...]) -> None:
    """The same texts as for a refused one; the code tells them apart, and the advice gives the day."""
    api.token = padaria.world.token(lifetime=-86_400)
    body = expect_error(make(api, call), 401, "token_expired")
    assert (body["message"], body["error"]) == REFUSED
    assert "venceu em " in body["advice"]


@EACH
def test_kommo_blocks_this_address(api: Api, padaria: Server, call: tuple[Any, ...]) -> None:
    """Whom to ask stands in the answer; nothing more is sent until a person tests the account."""
    padaria.world.block()
    answer = make(api, call)
    body = expect_error(answer, 503, "blocked")
    assert "suporte do Kommo" in body["error"]
    assert int(answer.headers["Retry-After"]) > 60
    sent = padaria.world.requests
    again = expect_error(api.get("/contacts"), 503, "blocked")
    assert again["message"] == FAILED["contacts"]
    assert padaria.world.requests == sent
    padaria.world.unblock()
    expect_error(api.post("/test-connection", json={}), 503, "blocked")
    assert padaria.world.requests == sent
    assert flow.test(api.services, access.inline(padaria.token, api.services.settings)).ok
    expect_good(api.get("/contacts"))


def test_kommos_own_wait_is_handed_on(api: Api, padaria: Server) -> None:
    padaria.world.turn(retry_after=1)
    padaria.world.fail("/api/v4/contacts", None, "429")
    assert api.get("/contacts").headers["Retry-After"] == "1"


def test_a_passing_failure_is_not_seen(api: Api, padaria: Server) -> None:
    """KOMMO_RETRY_ATTEMPTS is 1 here: the second try answers."""
    fault = padaria.world.fail("/api/v4/contacts", 1, "500")
    assert len(expect_good(api.get("/contacts"))["data"]) == 50
    assert fault.hits == 1


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/contacts", {"contactId": 987654321}, "Contato não encontrado"),
        ("/contacts", {"contactId": 2**63 - 1}, "Contato não encontrado"),
        ("/deals", {"dealId": 987654321}, "Negociação não encontrada"),
        ("/deals", {"dealId": 2**63 - 1}, "Negociação não encontrada"),
    ],
)
def test_no_such_record(api: Api, path: str, body: dict[str, int], text: str) -> None:
    assert expect_error(api.post(path, json=body), 404, "not_found")["message"] == text


@pytest.mark.parametrize("shape", ["204", "thin", "404"])
def test_a_record_in_the_trash_is_none(api: Api, padaria: Server, shape: str) -> None:
    """Whichever way Kommo shows it."""
    padaria.world.turn(trashed_get=shape)
    record = padaria.world.ids("contacts")[0]
    padaria.world.delete("contacts", record)
    expect_error(api.post("/contacts", json={"contactId": record}), 404, "not_found")


class TestNobodyListens:
    """KOMMO_API_URL names a port on which nothing answers."""

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Iterator[Settings]:
        with closed_port() as port:
            yield make_settings(tmp_path, api_url=f"http://127.0.0.1:{port}", retry_attempts=0)

    @EACH
    def test_it_is_a_bad_gateway(self, api: Api, call: tuple[Any, ...]) -> None:
        body = expect_error(make(api, call), 502, "connection_refused")
        assert body["message"] == FAILED[call[3]]
        assert "KOMMO_API_URL" in body["error"]


class TestNoAnswerInTime:
    """KOMMO_TIMEOUT is one second, and Kommo takes longer."""

    @pytest.fixture
    def settings(self, tmp_path: Path, padaria: Server) -> Settings:
        return make_settings(tmp_path, api_url=padaria.address, retry_attempts=0, timeout_ms=1000)

    @pytest.mark.parametrize("call", [CALLS[1], CALLS[2], CALLS[6]], ids=["test", "list", "sync"])
    @pytest.mark.parametrize("how", ["slow", "drip"])
    def test_it_is_a_gateway_time_out(self, api: Api, padaria: Server, call: tuple[Any, ...], how: str) -> None:
        padaria.world.fail(call[4], None, how, seconds=30)
        body = expect_error(make(api, call), 504, "timed_out")
        assert body["message"] == FAILED[call[3]]
