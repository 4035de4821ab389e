"""Every request of the customer's document, made to `python app.py`, and every answer held against the documented."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import create_engine, text

from kommo.sandbox import Server, make_world, serve
from tests import databases, processes, wire
from tests.contract import document, programs
from tests.contract.compare import differences
from tests.contract.document import TOKEN, Call

CALLS = document.calls()
LISTS = {"/api/kommo/contacts": ("contacts", "Contato"), "/api/kommo/deals": ("leads", "Negociação (Deal)")}


@dataclass
class Panel:
    """A running installation, and the Kommo behind it."""

    address: str
    kommo: Server
    instance: Path

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Make a request as the document writes it; gives the status and the JSON of the answer."""
        answer = requests.request(method, self.address + path, json=body, headers=headers, timeout=60)
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status_code, answer.json()

    def filled(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """A documented body with a real token and the number of a record that exists."""
        if body is None:
            return None
        real = {"contactId": self.kommo.world.ids("contacts")[0], "dealId": self.kommo.world.ids("leads")[0]}
        made: dict[str, Any] = json.loads(TOKEN.sub(self.kommo.token, json.dumps(body)))
        return {name: real.get(name, value) for name, value in made.items()}


@pytest.fixture(scope="module")
def kommo() -> Iterator[Server]:
    """As many records as the document's answers count, more than one João among them."""
    with serve(make_world(contacts=150, deals=75)) as server:
        for key in server.world.ids("contacts")[:3]:
            server.world.update("contacts", key, name="João Silva", first_name="João", last_name="Silva")
        yield server


@pytest.fixture(scope="module")
def panel(kommo: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """Configured as the document says: the token in the environment."""
    values = {"KOMMO_API_URL": kommo.address, "KOMMO_JWT_TOKEN": kommo.token, "KOMMO_RETRY_ATTEMPTS": "0"}
    folder = tmp_path_factory.mktemp("panel") / "instance"
    with processes.server(folder, **values) as (address, _):
        yield Panel(address, kommo, folder)


@pytest.fixture(scope="module")
def bare(kommo: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """Without any token of its own."""
    folder = tmp_path_factory.mktemp("bare") / "instance"
    with processes.server(folder, "--no-worker", KOMMO_API_URL=kommo.address) as (address, _):
        yield Panel(address, kommo, folder)


def nullable(path: str) -> list[str]:
    """Fields of a record that the document's own types call optional."""
    return [one.name for one in document.interface(LISTS[path][1]) if one.optional] if path in LISTS else []


def expected(call: Call) -> dict[str, Any]:
    """The documented answer; a call for one record has none, so its `data` is an element of the list's."""
    if call.answer is not None:
        return call.answer
    (sample,) = document.call("GET", call.path).answer["data"]  # type: ignore[index]
    return {"success": True, "data": sample}


def test_the_document_is_taken_apart_whole() -> None:
    """A change in its form must not make the tests below do nothing."""
    assert [(call.method, call.path.rpartition("/")[2]) for call in CALLS] == [
        ("POST", "test-connection"), ("GET", "contacts"), ("POST", "contacts"), ("GET", "deals"), ("POST", "deals"),
        ("POST", "sync"), ("GET", "sync"),
    ]  # fmt: skip
    assert [call.title for call in CALLS if call.answer is None] == [
        "3. Obter Contato Específico", "5. Obter Negociação Específica",
    ]  # fmt: skip
    assert all((call.body is not None) == (call.method == "POST") for call in CALLS)
    assert [len(call.parameters) for call in CALLS] == [0, 5, 0, 5, 0, 0, 1]
    assert len(document.curl_commands()) == 3
    assert document.javascript().count("fetch(") == 3
    assert document.bare_requests() == ["POST /api/kommo/sync"]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title)
def test_every_documented_call(panel: Panel, call: Call) -> None:
    """With the documented body; GETs without any parameter, since all are optional."""
    if (call.method, call.path) == ("GET", "/api/kommo/sync"):
        panel.ask("POST", "/api/kommo/sync")  # the document shows the status after a run
    status, body = panel.ask(call.method, call.path, panel.filled(call.body))
    assert status == 200
    assert differences(expected(call), body, nullable=nullable(call.path)) == []


def test_the_connection_in_its_own_values(panel: Panel) -> None:
    call = document.call("POST", "/api/kommo/test-connection")
    _, body = panel.ask(call.method, call.path, panel.filled(call.body))
    assert body["connection"] == {"status": "connected", "apiUrl": panel.kommo.address}
    account = body["account"]
    assert (account["accountId"], account["baseDomain"], account["apiDomain"]) == (
        30001000,
        "kommo.com",
        "api-c.kommo.com",
    )
    assert sorted(account["scopes"]) == sorted(call.answer["account"]["scopes"])  # type: ignore[index]
    contacts = body["diagnostics"]["contacts"]
    assert contacts["count"] == len(contacts["items"]) == 3
    assert [one["id"] for one in contacts["items"]] == panel.kommo.world.ids("contacts")[:3]


@pytest.mark.parametrize("by", ["curl", "bytes", "requests"])
def test_the_documented_example_of_a_list(panel: Panel, by: str) -> None:
    """`GET /api/kommo/contacts?page=1&limit=50&query=João`: its accent unchanged, as curl sends it, and encoded."""
    call = document.call("GET", "/api/kommo/contacts")
    assert call.example
    method, path = call.example.split(" ", 1)
    if by == "curl":
        status, body = programs.curl(f"curl '{panel.address}{path}'", panel.address)
    elif by == "bytes":
        reply = wire.exchange(panel.address, wire.head(path, method=method))
        status, body = reply.status, reply.json()
    else:
        status, body = panel.ask(method, path)
    assert status == 200
    assert differences(call.answer, body, nullable=nullable(call.path)) == []
    assert (body["pagination"]["page"], body["pagination"]["limit"]) == (1, 50)
    assert len(body["data"]) >= 3
    assert all("joão" in json.dumps(one, ensure_ascii=False).casefold() for one in body["data"])


@pytest.mark.parametrize("path", LISTS)
def test_every_documented_parameter(panel: Panel, path: str) -> None:
    call = document.call("GET", path)
    given = {"jwtToken": panel.kommo.token, "userId": "ana", "page": "2", "limit": "7", "query": ""}
    assert sorted(call.parameters) == sorted(given)
    query = "&".join(f"{name}={given[name]}" for name in call.parameters)
    status, body = panel.ask("GET", f"{path}?{query}")
    assert status == 200
    assert differences(call.answer, body, nullable=nullable(path)) == []
    assert (body["pagination"]["page"], body["pagination"]["limit"], len(body["data"])) == (2, 7, 7)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [50, 250])
def test_the_message_counts_in_the_documents_words(panel: Panel, path: str, limit: int) -> None:
    """With fifty records it is the document's own sentence, letter by letter."""
    _, body = panel.ask("GET", f"{path}?limit={limit}")
    documented = document.call("GET", path).answer["message"]  # type: ignore[index]
    assert body["message"] == documented.replace("50", str(min(limit, panel.kommo.world.count(LISTS[path][0]))))


@pytest.mark.parametrize("path", LISTS)
def test_records_fit_the_documented_types(panel: Panel, path: str) -> None:
    """Every record of the account, against the TypeScript interface."""
    kinds = {"number": (int, float), "string": (str,), "Array": (list,)}
    fields = document.interface(LISTS[path][1])
    assert len(fields) >= 9
    records = panel.ask("GET", f"{path}?limit=250")[1]["data"]
    for record in records:
        for one in fields:
            value = record.get(one.name)
            fits = isinstance(value, kinds[one.kind]) and not isinstance(value, bool)
            assert fits or (one.optional and value is None), (record["id"], one, value)
    values = [value for record in records for item in record["custom_fields"] for value in _values(item)]
    assert len(values) > 50
    assert all("value" in value and isinstance(value.get("enum", 0), int) for value in values)


def _values(item: dict[str, Any]) -> list[dict[str, Any]]:
    assert isinstance(item["id"], int)
    assert isinstance(item["values"], list)
    return list(item["values"])


def test_a_synchronisation_in_the_documents_words(panel: Panel) -> None:
    """150 contacts and 75 deals, as documented: the very sentence, and the status that follows it."""
    call, after = document.call("POST", "/api/kommo/sync"), document.call("GET", "/api/kommo/sync")
    assert call.answer
    body = {"jwtToken": panel.kommo.token, "userId": "palavra por palavra"}
    status, done = panel.ask("POST", call.path, body)
    assert (status, done["message"]) == (200, call.answer["message"])
    counts = ("contactsCount", "dealsCount", "errors")
    assert {name: done["data"][name] for name in counts} == {name: call.answer["data"][name] for name in counts}
    _, told = panel.ask("GET", f"{after.path}?userId=palavra%20por%20palavra")
    assert differences(after.answer, told) == []
    assert told["data"]["syncSuccess"] is True
    assert told["data"]["lastSync"] == done["data"]["lastSync"]


def test_the_bare_line_of_the_shell_block(panel: Panel) -> None:
    """No body and no content type: the token of the environment, the owner "1"."""
    (line,) = document.bare_requests()
    method, path = line.split()
    status, body = panel.ask(method, path)
    assert status == 200
    assert differences(document.call(method, path).answer, body) == []
    assert panel.ask("GET", f"{path}?userId=1")[1]["data"]["runId"] == body["data"]["runId"]


@pytest.mark.parametrize("command", document.curl_commands(), ids=lambda command: command.split("/api/kommo/")[1][:16])
def test_the_curl_commands(panel: Panel, command: str) -> None:
    status, body = programs.curl(TOKEN.sub(panel.kommo.token, command), panel.address)
    assert status == 200
    path = "/api/kommo/" + command.partition("/api/kommo/")[2].split()[0].partition("?")[0]
    call = document.call("POST" if "-X POST" in command else "GET", path)
    assert differences(expected(call), body, nullable=nullable(path)) == []


@pytest.mark.parametrize("engine", programs.ENGINES)
def test_the_javascript_example(panel: Panel, engine: str, tmp_path: Path) -> None:
    code = TOKEN.sub(panel.kommo.token, document.javascript())
    found = programs.javascript(engine, code, panel.address, tmp_path)
    answers = {
        "result": ("POST", "/api/kommo/test-connection"),
        "contacts": ("GET", "/api/kommo/contacts"),
        "syncResult": ("POST", "/api/kommo/sync"),
    }
    for name, (method, path) in answers.items():
        assert differences(document.call(method, path).answer, found[name], nullable=nullable(path)) == [], name
    assert panel.ask("GET", "/api/kommo/sync?userId=123")[1]["data"]["runId"] == found["syncResult"]["data"]["runId"]


@pytest.mark.parametrize("call", CALLS[:6], ids=lambda call: call.title)
def test_the_documented_error_without_a_token(bare: Panel, call: Call) -> None:
    body = {name: 1 for name in call.body or {} if name in ("contactId", "dealId")} if call.body else None
    status, said = bare.ask(call.method, call.path, body)
    documented = document.error("Erro de Autenticação")
    assert status == 401
    assert {name: said[name] for name in documented} == documented


@pytest.mark.parametrize("lifetime", [-1, -86_400 * 400])
def test_the_documented_error_of_an_expired_token(panel: Panel, lifetime: int) -> None:
    token = panel.kommo.world.token(lifetime=lifetime)
    documented = document.error("Token Expirado")
    for call in CALLS[:6]:
        body = (panel.filled(call.body) or {}) | {"jwtToken": token} if call.body else None
        status, said = panel.ask(call.method, call.path, body, Authorization=f"Bearer {token}")
        assert status == 401
        assert {name: said[name] for name in documented} == documented
        assert said["code"] == "token_expired"


def test_the_documented_error_of_a_connection(panel: Panel) -> None:
    documented = document.error("Erro de Conexão")
    panel.kommo.world.fail("/api/v4/account", 1, "502")
    status, said = panel.ask("POST", "/api/kommo/test-connection", {})
    assert status == 502
    assert (said["success"], said["message"]) == (documented["success"], documented["message"])
    assert said["error"] != documented["error"]
    assert len(said["error"]) > 20


def test_synced_records_are_found_by_their_documented_names(panel: Panel) -> None:
    """`KOMMO_CONTACT_*` and `KOMMO_DEAL_*` in the table `Wallet`: the copy is read as whoever opens the file would."""
    panel.ask("POST", "/api/kommo/sync", {"jwtToken": panel.kommo.token, "userId": "tabela"})
    engine = create_engine(databases.address_for(panel.instance))
    with engine.connect() as database:
        found = text("SELECT name FROM \"Wallet\" WHERE user_id = 'tabela' AND deleted_at IS NULL")
        rows = database.execute(found).all()
    engine.dispose()
    names = {f"KOMMO_CONTACT_{key}" for key in panel.kommo.world.ids("contacts")}
    names |= {f"KOMMO_DEAL_{key}" for key in panel.kommo.world.ids("leads")}
    assert {name for (name,) in rows} == names
