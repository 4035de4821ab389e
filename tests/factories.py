"""Makers of stored things for tests: Ana's and Bruno's accounts, records as Kommo gives them, runs.

Records go the real way, from Kommo's shape through `contact_row`/`deal_row` and `write_page` into the copy.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from kommo.crm.records import contact_from, deal_from
from kommo.db import now, reading, writing
from kommo.store import connections, schedules, search
from kommo.store.connections import Account
from kommo.store.records import Target, bury, write_page
from kommo.store.schedules import ScheduleView
from kommo.store.tables import (
    Company,
    Connection,
    KommoUser,
    LossReason,
    Pipeline,
    Schedule,
    Stage,
    SyncRun,
    SyncStream,
)
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.sync.rows import contact_row, deal_row
from kommo.vault import Vault
from tests.databases import KEY

ANA, BRUNO = "1", "2"
NOON = 1_795_618_800  # 25/11/2026 12:00 in São Paulo
VAULT = Vault(KEY)
_versions = itertools.count(1)


def make_account(
    engine: Engine,
    owner: str = ANA,
    name: str = "Padaria Estrela",
    account_id: int = 30001000,
    **details: Any,
) -> Connection:
    """A connected account of an owner, detached and complete."""
    account = Account(
        account_id=account_id,
        base_address="https://api-c.kommo.com",
        token_hint="eyJ0…hi9Q",
        scopes=("crm",),
        issued_at=NOON - 86_400,
        expires_at=NOON + 400 * 86_400,
        name=name,
        **{"subdomain": name.lower().replace(" ", "")} | details,
    )
    with writing(engine) as session:
        connection = connections.save(session, VAULT, owner, account, f"token-of-{owner}-{account_id}")
        session.flush()
        session.refresh(connection)
        session.expunge(connection)
    return connection


def contact_record(contact_id: int, name: str = "Ana Beatriz Souza", **changes: Any) -> dict[str, Any]:
    """A contact as Kommo gives it. `phones`, `emails`, `tags` and `company` are spelled out, the rest is as given."""
    fields = [("PHONE", "Telefone", changes.pop("phones", ())), ("EMAIL", "E-mail", changes.pop("emails", ()))]
    values = [
        {
            "field_id": 9001 + number,
            "field_name": label,
            "field_code": code,
            "field_type": "multitext",
            "values": [{"value": text, "enum_id": 1, "enum_code": "WORK"} for text in texts],
        }
        for number, (code, label, texts) in enumerate(fields)
        if texts
    ]
    return {
        "id": contact_id,
        "name": name,
        "first_name": "",
        "last_name": "",
        "responsible_user_id": 7001,
        "created_at": NOON - 30 * 86_400,
        "updated_at": NOON - 3600,
        "is_deleted": False,
        "custom_fields_values": [*values, *changes.pop("fields", ())] or None,
        "_embedded": {"tags": _tags(changes), "companies": _company(changes)},
    } | changes


def deal_record(deal_id: int, name: str = "Café Serra Azul: contrato anual", **changes: Any) -> dict[str, Any]:
    """A deal as Kommo gives it. `contacts` are ids, the first one the main one."""
    contacts = changes.pop("contacts", ())
    return {
        "id": deal_id,
        "name": name,
        "price": 1200,
        "responsible_user_id": 7001,
        "pipeline_id": 4401,
        "status_id": 440101,
        "loss_reason_id": None,
        "created_at": NOON - 20 * 86_400,
        "updated_at": NOON - 7200,
        "closed_at": None,
        "is_deleted": False,
        "custom_fields_values": list(changes.pop("fields", ())) or None,
        "_embedded": {
            "tags": _tags(changes),
            "companies": _company(changes),
            "contacts": [{"id": each, "is_main": place == 0} for place, each in enumerate(contacts)],
        },
    } | changes


def store_contacts(engine: Engine, connection: Connection, records: Sequence[dict[str, Any]]) -> None:
    """Put contacts into the copy and the search index."""
    _store(engine, connection, CONTACT, [contact_row(contact_from(record)) for record in records])


def store_deals(engine: Engine, connection: Connection, records: Sequence[dict[str, Any]]) -> None:
    """Put deals into the copy and the search index."""
    _store(engine, connection, DEAL, [deal_row(deal_from(record)) for record in records])


def bury_record(engine: Engine, connection: Connection, kind: str, remote_id: int) -> None:
    """Mark a record as gone from Kommo."""
    with _reading_run(engine, connection, kind) as (session, target):
        assert bury(session, target, [remote_id], next(_versions))
    search.catch_up(engine)


def store_catalogues(engine: Engine, connection: Connection) -> None:
    """Three people, two pipelines in use and an archived one, one reason of loss and a company.

    Users 7001 Paula, 7002 Rafael (gone), 7003 Sônia (inactive). Pipelines 4401 Vendas (main), 4402 Atacado, 4403
    Antigo (archived); each has an incoming stage (…00), Contato inicial (…01), Proposta (…02), 142 and 143.
    """
    of = {"connection_id": connection.id}
    with writing(engine) as session:
        session.add_all(
            [
                KommoUser(id=7001, name="Paula Nogueira", **of),
                KommoUser(id=7002, name="Rafael Teixeira", gone_at=NOON, **of),
                KommoUser(id=7003, name="Sônia Prado", is_active=False, **of),
                LossReason(id=81, name="Preço", **of),
                Company(id=801, name="Café Serra Azul Ltda", **of),
            ]
        )
        for place, (key, name) in enumerate(((4402, "Atacado"), (4401, "Vendas"), (4403, "Antigo"))):
            session.add(Pipeline(id=key, name=name, sort=place, is_main=key == 4401, is_archive=key == 4403, **of))
            session.add_all(_stages(key, of))


def make_run(
    engine: Engine,
    connection: Connection,
    state: str = "done",
    *,
    contacts: tuple[int | None, int | None] = (None, None),
    deals: tuple[int | None, int | None] = (None, None),
    finished_at: float | None = NOON,
    **columns: Any,
) -> int:
    """A run with the (remote, local) counts of its two streams; gives its id."""
    active = state in ("queued", "running", "paused")
    with writing(engine) as session:
        run = SyncRun(
            connection_id=connection.id,
            trigger="page",
            state=state,
            phase="contacts" if active else "over",
            requested_at=(finished_at or NOON) - 60,
            started_at=(finished_at or NOON) - 60,
            finished_at=None if active else finished_at,
            **columns,
        )
        session.add(run)
        session.flush()
        for stream, (remote, local) in (("contacts", contacts), ("deals", deals)):
            session.add(SyncStream(run_id=run.id, stream=stream, remote_count=remote, local_count=local))
        return run.id


def make_schedule(engine: Engine, connection: Connection, due: float | None = None, **columns: Any) -> None:
    """A schedule of 15 minutes whose next run is `due` seconds from now; `columns` are the row's, as they are."""
    with writing(engine) as session:
        usual = {"every": 15, "next_at": None if due is None else now(session) + due}
        session.add(Schedule(connection_id=connection.id, **usual | columns))


def schedule_of(engine: Engine, connection: Connection) -> ScheduleView | None:
    """An account's schedule as it is now."""
    with reading(engine) as session:
        return schedules.view(session, session.get_one(Connection, connection.id), VAULT)


class StatementCounter:
    """Counts the SQL statements an engine executes while it is used as a context manager; `seen` has their text."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.seen: list[str] = []

    def __enter__(self) -> "StatementCounter":
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_exc: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.seen.append(statement)


def _store(engine: Engine, connection: Connection, kind: str, rows: Sequence[Any]) -> None:
    with _reading_run(engine, connection, kind) as (session, target):
        write_page(session, target, rows, next(_versions))
    search.catch_up(engine)


@contextmanager
def _reading_run(engine: Engine, connection: Connection, kind: str) -> Iterator[tuple[Session, Target]]:
    """A transaction with a run to hang the reading on, which leaves no trace in the history."""
    with writing(engine) as session:
        run = SyncRun(connection_id=connection.id, trigger="factory", state="cancelled", requested_at=0.0)
        session.add(run)
        session.flush()
        stream = "contacts" if kind == CONTACT else "deals"
        yield session, Target(connection.user_id, connection.id, kind, run.id, stream)
        session.delete(run)


def _stages(pipeline: int, of: dict[str, Any]) -> list[Stage]:
    base = pipeline * 100
    named = ((base, "Entrada", 10, 1), (base + 1, "Contato inicial", 20, 0), (base + 2, "Proposta", 30, 0))
    closed = ((142, "Venda ganha", 10000, 0), (143, "Venda perdida", 11000, 0))
    return [
        Stage(pipeline_id=pipeline, id=key, name=name, sort=sort, type=type_, **of)
        for key, name, sort, type_ in (*named, *closed)
    ]


def _tags(changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": place + 1, "name": name, "color": None} for place, name in enumerate(changes.pop("tags", ()))]


def _company(changes: dict[str, Any]) -> list[dict[str, Any]]:
    company = changes.pop("company", None)
    return [{"id": company}] if company else []
