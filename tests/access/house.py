"""An installation in which two owners live beside each other, with everybody who may come to its door.

Ana's people (owner "1") hold Padaria Estrela, Bruno's (owner "2") Oficina Norte: a contact, a deal and two runs each.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from kommo import create_app
from kommo.access import gate
from kommo.db import Base, now, reading, writing
from kommo.services import Services
from kommo.settings import Settings
from kommo.store import api_keys, login_sessions, people
from tests.factories import (
    ANA,
    BRUNO,
    contact_record,
    deal_record,
    make_account,
    make_run,
    make_schedule,
    store_contacts,
    store_deals,
)

SCOPES = ("read", "sync", "export", "edit", "connect", "people", "audit", "privacy", "metrics", "owners")
_TOKEN = re.compile(r'(?:name="csrf_token" value|name="csrf-token" content)="[^"]*"')


@dataclass(frozen=True, slots=True)
class Things:
    """The numbers of what an owner holds."""

    account: int
    connection: int
    contact: int
    deal: int
    over: int  # a run that is over
    waiting: int  # one that has not begun


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody at the door: a browser with or without a session, a program with a key."""

    client: FlaskClient
    headers: Mapping[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """One request; no redirect is followed."""
        headers = dict(self.headers) | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **options)


@dataclass(frozen=True, slots=True)
class House:
    """The application, everybody's way to call it, and what each owner holds."""

    app: Flask
    callers: Mapping[str, Caller]
    ours: Things
    theirs: Things
    sessions: Mapping[str, int]
    keys: Mapping[str, int]

    @property
    def engine(self) -> Engine:
        """The database."""
        services: Services = self.app.extensions["kommo"]
        return services.engine

    def rows(self) -> dict[str, list[Any]]:
        """Everything that is stored, but for when somebody was last seen and what the audit log tells."""
        with reading(self.engine) as session:
            return {
                table.name: sorted(
                    repr([value for name, value in row.items() if name not in ("seen_at", "used_at")])
                    for row in session.execute(select(table)).mappings()
                )
                for table in Base.metadata.sorted_tables
                if table.name not in ("audit", "attempt")
            }


def browser(app: Flask, token: str | None = None) -> Caller:
    """A browser, logged in where there is a session's text for its cookie."""
    client = app.test_client()
    client.environ_base |= {"HTTP_HOST": "127.0.0.1:3000", "SERVER_PROTOCOL": "HTTP/1.1"}
    if token is not None:
        with client.session_transaction() as kept:
            kept[gate.COOKIE] = token
    return Caller(client)


def program(app: Flask, key: str) -> Caller:
    """A program with a key."""
    return Caller(browser(app).client, {"X-API-Key": key})


def page_of(answer: TestResponse) -> str:
    """A page without what differs from one time to the next: the tokens of its forms."""
    return _TOKEN.sub("csrf", answer.get_data(as_text=True))


def build(settings: Settings) -> Iterator[House]:
    """The house, and its end."""
    app = create_app(settings)
    engine = app.extensions["kommo"].engine
    ours = _things(engine, ANA, "Padaria Estrela", 30001000, 11)
    theirs = _things(engine, BRUNO, "Oficina Norte", 30002000, 22)
    callers: dict[str, Caller] = {"nobody": browser(app)}
    sessions: dict[str, int] = {}
    keys: dict[str, int] = {}
    with writing(engine) as session:
        for name, role, owner in (
            ("viewer", "viewer", ANA), ("operator", "operator", ANA), ("administrator", "administrator", ANA),
            ("disabled", "administrator", ANA), ("logged out", "administrator", ANA),
            ("stranger", "operator", BRUNO), ("strange administrator", "administrator", BRUNO),
        ):  # fmt: skip
            user = people.add(session, name.replace(" ", "."), role, "no hash: nobody logs in with it", owner)
            callers[name] = browser(app, login_sessions.begin(session, user.id, "127.0.0.1", "test"))
            sessions[name] = login_sessions.of_user(session, user.id)[0].id
            if name == "disabled":
                _, key = api_keys.make(session, user.id, name, ["read", "people"])
                callers["key of the disabled"] = program(app, key)
                user.disabled = True
            if name == "logged out":
                login_sessions.end_others(session, user.id, None)
        makers = {user.name: user.id for user in people.everybody(session)}
        for scope in SCOPES:
            _, key = api_keys.make(session, makers["administrator"], scope, [scope])
            callers[f"key {scope}"] = program(app, key)
        row, key = api_keys.make(session, makers["operator"], "of the operator", ["read", "sync"])
        callers["key of the operator"], keys["operator"] = program(app, key), row.id
        _, key = api_keys.make(session, makers["viewer"], "more than its maker", [*SCOPES])
        callers["key of the viewer"] = program(app, key)
        _, key = api_keys.make(session, makers["administrator"], "over", ["read"], now(session) - 1)
        callers["key that is over"] = program(app, key)
        row, key = api_keys.make(session, makers["stranger"], "the stranger's", ["read", "sync"])
        callers["key of the stranger"], keys["stranger"] = program(app, key), row.id
        callers["key nobody made"] = program(app, "pk_" + "x" * 43)
    yield House(app, callers, ours, theirs, sessions, keys)
    engine.dispose()


def _things(engine: Engine, owner: str, name: str, account: int, number: int) -> Things:
    connection = make_account(engine, owner, name, account)
    store_contacts(engine, connection, [contact_record(number, f"Contato de {name}")])
    store_deals(engine, connection, [deal_record(number, f"Negócio de {name}")])
    over = make_run(engine, connection, contacts=(1, 1), deals=(1, 1))
    waiting = make_run(engine, connection, "paused", resume_at=4e9)
    make_schedule(engine, connection, due=1e6)
    return Things(account, connection.id, number, number, over, waiting)
