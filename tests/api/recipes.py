"""How each error of the API comes about, for any route: `RECIPES` by status and code."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, delete, update
from werkzeug.test import TestResponse

from kommo import create_app
from kommo.access import gate
from kommo.api import PREFIX
from kommo.api.waiting import WAITERS
from kommo.db import writing
from kommo.sandbox import Server
from kommo.store import api_keys, people
from kommo.store.tables import Connection, SyncRun
from kommo.vault import Vault
from tests import databases
from tests.api.conftest import Api, held_run
from tests.conftest import make_settings
from tests.crm import servers
from tests.crm.people import token as made_up
from tests.sync.accounts import connect
from tests.wire import exchange, head

JSON = "application/json"
NOBODY = 987654321
BODIES = {"contact": {"contactId": 1}, "deal": {"dealId": 1}, "schedule_set": {"everyMinutes": 15}}


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


PROXIED = {"trusted_hosts": "painel", "proxy_count": 1}
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


def headers(values: dict[str, str]) -> Ask:
    return lambda place, route: ask(place, route, headers=values)


def another(called: dict[str, str] | None = None, **settings: Any) -> Ask:
    """In an installation with other settings, and called so."""

    def recipe(place: Place, route: Route) -> TestResponse:
        place.elsewhere(**settings)
        return ask(place, route, environ_overrides=called or {})

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


def from_another_account(place: Place, connection: int) -> None:
    moved = place.api.services.vault.seal(place.padaria.token, "9/9")
    with writing(place.api.services.engine) as session:
        session.execute(update(Connection).where(Connection.id == connection).values(token=moved))


def by_a_key_for_little(place: Place, route: Route) -> TestResponse:
    """A program whose key is for the metrics alone."""
    with writing(place.api.services.engine) as session:
        ana = people.by_name(session, "ana") or people.add(session, "ana", "administrator", "no hash")
        _, key = api_keys.make(session, ana.id, "métricas", ["metrics"])
    return headers({gate.KEY_HEADER: key})(place, route)


def hurried(place: Place, route: Route) -> TestResponse:
    """One address asks more often than it may."""
    place.elsewhere(request_limit=1)
    answers = (ask(place, route) for _ in range(20))
    return next((answer for answer in answers if answer.status_code == 429), None) or ask(place, route)


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
    (401, "key_unknown"): headers({gate.KEY_HEADER: "pk_nada"}),
    (401, "login_required"): another(trusted_hosts="painel"),
    (401, "token_missing"): bearer(""),
    (401, "token_expired"): expire,
    (401, "token_refused"): revoke,
    (401, "token_unreadable"): with_kept_token(from_another_account),
    (402, "unpaid"): kommo("402"),
    (403, "account_mismatch"): query(accountId=NOBODY),
    (403, "forbidden"): kommo("403"),
    (403, "scope_missing"): kommo("403_scope"),
    (403, "not_allowed"): by_a_key_for_little,
    (403, "not_by_proxy"): another({"REMOTE_ADDR": "203.0.113.7"}, **PROXIED),
    (403, "not_https"): another({"HTTP_X_FORWARDED_FOR": "1.2.3.4", "HTTP_X_FORWARDED_PROTO": "http"}, **PROXIED),
    (403, "not_local"): environ(REMOTE_ADDR="192.168.0.7"),
    (403, "not_direct"): environ(HTTP_X_FORWARDED_FOR="1.2.3.4"),
    (403, "cross_site"): environ(HTTP_SEC_FETCH_SITE="cross-site"),
    (404, "not_found"): no_such_record,
    (404, "account_unknown"): with_kept_token(lambda *_: None, query_string={"accountId": NOBODY}),
    (404, "run_unknown"): with_kept_token(runs_vanish),
    (405, "method_not_allowed"): no_such_method,
    (409, "sync_running"): with_kept_token(run_under_way),
    (413, "too_large"): on_the_wire("Content-Length: 65000000"),
    (414, "uri_too_long"): query(nada="x" * 17_000),
    (415, "wrong_content_type"): lambda place, route: ask(place, route, data=b"a=1", content_type="text/plain"),
    (429, "rate_limited"): kommo("429"),
    (429, "too_many_requests"): hurried,
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
    (503, "account_locked"): with_kept_token(another_key),
    (503, "blocked"): block,
    (503, "unavailable"): crowd,
    (503, "database_unavailable"): with_kept_token(no_database),
    (504, "timed_out"): too_slow,
}
