"""The document of the API says what is true: all of it, and nothing that nobody gives."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate
from sqlalchemy import create_engine, delete
from werkzeug.test import TestResponse

from kommo import create_app
from kommo.api import PREFIX, ROUTES
from kommo.api.openapi import codes
from kommo.api.openapi.document import document
from kommo.api.waiting import WAITERS
from kommo.db import writing
from kommo.sandbox import Server
from kommo.settings import Settings
from kommo.store.tables import SyncRun
from kommo.vault import Vault
from tests import databases, processes
from tests.api import documented
from tests.api.conftest import Api, held_run
from tests.conftest import make_settings
from tests.crm import servers
from tests.crm.people import token as made_up
from tests.sync.accounts import connect
from tests.wire import Reply, exchange, head

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
JSON = "application/json"
NOBODY = 987654321
BODIES = {"contact": {"contactId": 1}, "deal": {"dealId": 1}, "schedule_set": {"everyMinutes": 15}}
OPERATIONS = [one for methods in document()["paths"].values() for one in methods.values()]


def test_it_is_openapi() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1")


def test_it_is_served_as_it_is(client: Any) -> None:
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, JSON)
    assert answer.get_json() == json.loads(json.dumps(document()))
    assert client.options("/api/openapi.json").get_json()["code"] == "method_not_allowed"


def test_it_has_every_route_and_no_other(app: Flask) -> None:
    """As the framework knows them, not as the table that the document is made from does."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    there = {(method, rule.rule.replace("<int:run_id>", "{runId}"), rule.endpoint.removeprefix("api."))
             for rule in rules for method in rule.methods - {"HEAD"}}  # fmt: skip
    told = {(method.upper(), path, one["operationId"]) for path, methods in document()["paths"].items()
            for method, one in methods.items()}  # fmt: skip
    assert told == there
    assert len(told) == len(ROUTES)


def test_its_codes_are_those_of_the_documentation() -> None:
    """The table of docs/api.md, row by row, beside the table of the document and what its routes may answer."""
    text = DOCS.read_text("utf-8").partition("## Erros")[2]
    rows = re.findall(r"^\| (\d{3}) \| ((?:`[a-z_0-9]+`(?:, )?)+) \|", text, re.MULTILINE)
    written = {(int(status), code) for status, names in rows for code in re.findall(r"[a-z_0-9]+", names)}
    assert written == {(one["status"], one["code"]) for one in document()["x-errors"]}
    given = set().union(*(documented.codes_of(one) for one in OPERATIONS))
    assert given == written


def _examples(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example in the document, with the schema beside it."""
    if isinstance(value, dict):
        given = [value["example"]] if "example" in value else []
        given += [one["value"] for one in value.get("examples", {}).values()] if "schema" in value else []
        yield from ((path, value["schema"], one) for one in given)
        for key, inner in value.items():
            yield from _examples(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _examples(inner, f"{path}/{number}")


def test_its_examples_are_what_it_says() -> None:
    found = list(_examples(document()))
    for path, schema, example in found:
        problems = [error.message for error in documented.checker_for(schema).iter_errors(example)]
        assert not problems, f"{path}: {problems}"
    assert len(found) > 60


def test_every_success_and_body_has_an_example() -> None:
    for one in OPERATIONS:
        for status in one["responses"]:
            assert documented.answer_of(one, status)["content"][JSON]["examples"], (one["operationId"], status)
        if "requestBody" in one:
            assert "example" in one["requestBody"]["content"][JSON]


def test_everything_in_it_has_words() -> None:
    for one in OPERATIONS:
        assert one["summary"] and one["description"]
        assert all(parameter["description"] for parameter in one["parameters"])
    assert all(code.when and code.example("Erro").body["error"] for code in codes.ALL)


def test_keys_can_be_asked_for_in_one_line() -> None:
    """The scheme is there; what a call needs is one line of document.py."""
    assert document()["components"]["securitySchemes"]["chave"]["name"] == "X-API-Key"
    assert document()["security"] == [{"kommo": []}, {}]


# --- who gives which error -------------------------------------------------------------------------------------


@dataclass
class Place:
    """An installation with its Kommo; what a recipe opened is closed after its route, what is in `kept` at the end."""

    api: Api
    padaria: Server
    folder: Path
    wire: str
    kept: ExitStack
    others: list[Api]
    closing: ExitStack = field(default_factory=ExitStack)

    @property
    def app(self) -> Flask:
        """The application under test."""
        return self.api.client.application

    def connected(self) -> int:
        """Ana's account is connected, and she calls without a token."""
        self.api.token = None
        return connect(self.api.services, self.padaria)

    def elsewhere(self, **settings: Any) -> None:
        """Go on with another installation: one for all routes."""
        if not self.others:
            made = create_app(make_settings(self.folder / "other", **{"retry_attempts": 0, "sync_wait": 0} | settings))
            self.kept.callback(made.extensions["kommo"].engine.dispose)
            client = made.test_client()
            client.environ_base |= self.api.client.environ_base
            self.others.append(Api(client, made.extensions["kommo"], self.padaria.token))
        self.api = self.others[0]


Route = tuple[str, str, str]  # method, path, name
Ask = Callable[[Place, Route], Any]


def ask(place: Place, route: Route, *, path: str = "", **options: Any) -> TestResponse:
    """Call a route as it wants to be called, but for the options."""
    method, usual, name = route
    if method != "GET" and not {"json", "data"} & set(options):
        options["json"] = BODIES.get(name, {})
    call = {"GET": place.api.get, "POST": place.api.post, "PUT": place.api.put, "DELETE": place.api.delete}[method]
    return call(path or usual.replace("<int:run_id>", "1"), **options)


def environ(**values: str) -> Ask:
    return lambda place, route: ask(place, route, environ_overrides=values)


def query(**values: Any) -> Ask:
    return lambda place, route: ask(place, route, query_string=values)


def kommo(how: str) -> Ask:
    """Kommo answers each request so."""

    def recipe(place: Place, route: Route) -> TestResponse:
        place.padaria.world.fail("/api/v4/", None, how, seconds=2)
        return ask(place, route)

    return recipe


def another(**settings: Any) -> Ask:
    def recipe(place: Place, route: Route) -> TestResponse:
        place.elsewhere(**settings)
        return ask(place, route)

    return recipe


def bearer(text: str) -> Ask:
    def recipe(place: Place, route: Route) -> TestResponse:
        place.api.token = text
        return ask(place, route)

    return recipe


def on_the_wire(*lines: str) -> Ask:
    """What the server itself refuses, before the application."""

    def recipe(place: Place, route: Route) -> Any:
        method, path, _ = route
        return exchange(place.wire, head(PREFIX + path.replace("<int:run_id>", "1"), *lines, method=method))

    return recipe


def with_kept_token(spoil: Callable[[Place, int], Any], **options: Any) -> Ask:
    """Ana's account is connected; then something happens to it."""

    def recipe(place: Place, route: Route) -> TestResponse:
        spoil(place, place.connected())
        return ask(place, route, **options)

    return recipe


def broken_services(place: Place, route: Route) -> TestResponse:
    place.app.extensions["kommo"] = object()
    return ask(place, route)


def no_database(place: Place, _connection: int) -> None:
    gone = create_engine(f"sqlite:///{place.folder / 'nowhere' / 'kommo.sqlite3'}")
    place.closing.callback(gone.dispose)
    place.app.extensions["kommo"] = replace(place.api.services, engine=gone)


def another_key(place: Place, _connection: int) -> None:
    place.app.extensions["kommo"] = replace(place.api.services, vault=Vault(b"\1" * 32))


def run_under_way(place: Place, connection: int) -> None:
    place.closing.enter_context(held_run(place.api.services, connection))


def runs_vanish(place: Place, _connection: int) -> None:
    """Whatever run is asked for is gone at once, as when the account is erased meanwhile."""

    def ring(_kind: str, number: int) -> None:
        with writing(place.api.services.engine) as session:
            session.execute(delete(SyncRun).where(SyncRun.id == number))

    place.app.extensions["kommo"] = replace(place.api.services, ring=ring)


def crowd(place: Place, route: Route) -> TestResponse:
    places: threading.BoundedSemaphore = place.app.extensions[WAITERS]
    while places.acquire(blocking=False):
        place.closing.callback(places.release)
    return ask(place, route)


def nobody_listens(place: Place, route: Route) -> TestResponse:
    if not place.others:
        port = place.kept.enter_context(databases.closed_port())
        place.elsewhere(api_url=f"http://127.0.0.1:{port}")
    place.elsewhere()
    return ask(place, route)


def no_tls(place: Place, route: Route) -> TestResponse:
    if not place.others:
        plain = servers.answer(400, b"HTTP, please", "text/plain")
        server = place.kept.enter_context(servers.RawServer(servers.says(plain), greeting=plain))
        place.elsewhere(api_url=f"https://127.0.0.1:{server.port}")
    place.elsewhere()
    return ask(place, route)


def too_slow(place: Place, route: Route) -> TestResponse:
    place.elsewhere(api_url=place.padaria.address, timeout_ms=1000)
    return kommo("slow")(place, route)


def no_such_record(place: Place, route: Route) -> TestResponse:
    if route[2] == "sync_run":
        return ask(place, route, path="/sync/abc")
    return ask(place, route, **({} if route[0] == "GET" else {"json": {"contactId": NOBODY, "dealId": NOBODY}}))


def no_such_method(place: Place, route: Route) -> TestResponse:
    return place.api.client.open(PREFIX + route[1].replace("<int:run_id>", "1"), method="BREW")


def block(place: Place, route: Route) -> TestResponse:
    place.padaria.world.block()
    return ask(place, route)


def revoke(place: Place, route: Route) -> TestResponse:
    place.padaria.world.revoke(place.padaria.token)
    return ask(place, route)


def expire(place: Place, route: Route) -> TestResponse:
    return bearer(place.padaria.world.token(lifetime=-86_400))(place, route)


#: How each error comes about. Every route is asked so; those that give it are those that the document says.
RECIPES: dict[tuple[int, str], Ask] = {
    (400, "bad_request"): on_the_wire("Content-Length: abc"),
    (400, "unknown_host"): environ(HTTP_HOST="evil.com"),
    (400, "invalid_field"): query(userId=""),
    (400, "invalid_json"): lambda place, route: ask(place, route, data=b"[", content_type=JSON),
    (400, "missing_field"): lambda place, route: ask(place, route, data=b"{}", content_type=JSON),
    (400, "token_not_jwt"): bearer("nada"),
    (400, "token_too_long"): bearer("e" * 9000),
    (400, "token_bad_characters"): bearer("e.y~.J"),
    (400, "host_refused"): lambda place, route: bearer(made_up(api_domain="evil.com"))(place, route),
    (401, "token_missing"): bearer(""),
    (401, "token_expired"): expire,
    (401, "token_refused"): revoke,
    (401, "token_unreadable"): with_kept_token(another_key),
    (402, "unpaid"): kommo("402"),
    (403, "account_mismatch"): query(accountId=NOBODY),
    (403, "forbidden"): kommo("403"),
    (403, "scope_missing"): kommo("403_scope"),
    (403, "not_local"): environ(REMOTE_ADDR="192.168.0.7"),
    (403, "not_direct"): environ(HTTP_X_FORWARDED_FOR="1.2.3.4"),
    (403, "cross_site"): environ(HTTP_SEC_FETCH_SITE="cross-site"),
    (404, "not_found"): no_such_record,
    (404, "account_unknown"): with_kept_token(lambda *_: None, query_string={"accountId": NOBODY}),
    (404, "run_unknown"): with_kept_token(runs_vanish),
    (405, "method_not_allowed"): no_such_method,
    (409, "sync_running"): with_kept_token(run_under_way),
    (413, "too_large"): on_the_wire("Content-Length: 65000000"),
    (415, "wrong_content_type"): lambda place, route: ask(place, route, data=b"a=1", content_type="text/plain"),
    (429, "rate_limited"): kommo("429"),
    (431, "headers_too_large"): on_the_wire("X-Nada: " + "x" * 300_000),
    (500, "internal"): broken_services,
    (501, "not_implemented"): on_the_wire("Transfer-Encoding: identity"),
    (502, "unreachable"): kommo("reset"),
    (502, "name_not_found"): another(api_url="https://nada.invalid"),
    (502, "connection_refused"): nobody_listens,
    (502, "tls_failed"): no_tls,
    (502, "server_fault"): kommo("500"),
    (502, "nonsense"): kommo("html_200"),
    (502, "rejected"): kommo("400"),
    (502, "wrong_host"): kommo("redirect"),
    (503, "blocked"): block,
    (503, "unavailable"): crowd,
    (503, "database_unavailable"): with_kept_token(no_database),
    (504, "timed_out"): too_slow,
}


@pytest.fixture
def settings(tmp_path: Path, padaria: Server) -> Settings:
    """Nobody waits for a run."""
    return make_settings(tmp_path, api_url=padaria.address, retry_attempts=0, sync_wait=0)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a socket, for what it refuses by itself."""
    with processes.server(tmp_path_factory.mktemp("wire") / "instance", "--no-worker") as (found, _child):
        yield found


def test_there_is_a_way_to_every_error() -> None:
    assert set(RECIPES) == {(code.status, code.name) for code in codes.ALL}


@pytest.mark.only_on("sqlite", reason="what is compared are words about calls, the same on each database")
@pytest.mark.parametrize("error", RECIPES, ids=lambda error: error[1])
def test_an_error_is_given_by_those_that_say_so(
    api: Api, padaria: Server, tmp_path: Path, wire: str, error: tuple[int, str]
) -> None:
    """Each route is driven to the error: no other gives it, and none promises it in vain."""
    given, promised = set(), {one["operationId"] for one in OPERATIONS if error in documented.codes_of(one)}
    token, extensions, others = api.token, dict(api.client.application.extensions), []
    with ExitStack() as kept:
        for method, path, name, _ in ROUTES:
            place = Place(Api(api.client, api.services, token), padaria, tmp_path, wire, kept, others)
            with place.closing:
                answer = RECIPES[error](place, (method, path, name))
            given |= {name} if _error(answer) == error else set()
            api.client.application.extensions.update(extensions)
            padaria.world.heal()
    assert given == promised


def _error(answer: TestResponse | Reply) -> tuple[int, str | None]:
    """Status and code of an answer, from the application or off a socket."""
    if isinstance(answer, Reply):
        return answer.status, answer.json().get("code")
    return answer.status_code, answer.get_json().get("code")
