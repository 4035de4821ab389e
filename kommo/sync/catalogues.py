"""The step before the records: the account itself, pipelines, users, loss reasons and field definitions.

What the token may not see is left out with a sentence, and the run goes on: names are missing then, no records.
"""

from collections.abc import Callable
from typing import Any

from kommo.crm.errors import Forbidden, NotFound, Unpaid
from kommo.db import Base, reading
from kommo.store import catalogues, connections
from kommo.store.tables import Connection
from kommo.sync.run import Run

COMPANIES_AT_ONCE = 150
FIELD_ENTITIES = ("contacts", "leads", "companies")
_NO_RIGHT = (Forbidden, Unpaid, NotFound)


def read_catalogues(run: Run) -> None:
    """Read every catalogue whole and replace the stored one with it."""
    _account(run)
    _pipelines(run)
    _optional(run, catalogues.USERS, _users, "Sem permissão para ler os usuários: faltam nomes de responsáveis. "
              "Peça a um administrador que gere o token.")  # fmt: skip
    _optional(run, catalogues.LOSS_REASONS, _loss_reasons, "Sem permissão para ler os motivos de perda.")
    _optional(run, catalogues.FIELDS, _fields, "Sem permissão para ler os campos personalizados.")


def read_companies(run: Run) -> None:
    """Ask for the name of every company that a record belongs to, those this run has not asked for yet."""
    connection_id, run_id, after = run.claim.connection_id, run.claim.run_id, 0
    while True:
        run.check()
        with reading(run.services.engine) as session:
            lot = catalogues.unasked_companies(session, connection_id, run_id, after, COMPANIES_AT_ONCE)
        if not lot:
            return
        after = lot[-1]
        try:
            names = {company.id: company.name for company in run.kommo.companies(lot)}
        except _NO_RIGHT:
            run.warn(["Sem permissão para ler as empresas: os nomes delas não aparecem."])
            return
        with run.transaction() as session:
            catalogues.write_companies(session, connection_id, run_id, lot, names)


def refresh_pipelines_if_unknown(run: Run) -> None:
    """Read the pipelines again when a deal stands in a stage that came into being while we read."""
    with reading(run.services.engine) as session:
        unknown = catalogues.unknown_stages(session, run.claim.connection_id)
    if unknown:
        _pipelines(run)


def _account(run: Run) -> None:
    account = run.kommo.account()
    with run.transaction() as session:
        connection = session.get_one(Connection, run.claim.connection_id)
        connection.token_refused = False
        connections.describe(
            connection, account.name, account.subdomain, account.currency or "", account.timezone or "", account.raw
        )


def _pipelines(run: Run) -> None:
    pipelines = run.kommo.pipelines()
    rows = [
        {"id": one.id, "name": one.name, "sort": one.sort, "is_main": one.is_main, "is_archive": one.is_archive}
        for one in pipelines
    ]
    stages = [
        {"id": stage.id, "pipeline_id": one.id, "name": stage.name, "sort": stage.sort, "color": stage.color,
         "type": stage.type}
        for one in pipelines
        for stage in one.stages
    ]  # fmt: skip
    with run.transaction() as session:
        catalogues.replace(session, catalogues.PIPELINES, run.claim.connection_id, rows)
        catalogues.replace(session, catalogues.STAGES, run.claim.connection_id, stages)


def _optional(run: Run, model: type[Base], fetch: Callable[[Run], list[dict[str, Any]]], sentence: str) -> None:
    try:
        rows = fetch(run)
    except _NO_RIGHT:
        run.warn([sentence])
        return
    with run.transaction() as session:
        catalogues.replace(session, model, run.claim.connection_id, rows)


def _users(run: Run) -> list[dict[str, Any]]:
    return [
        {"id": user.id, "name": user.name, "email": user.email, "is_active": user.is_active, "is_admin": user.is_admin}
        for user in run.kommo.users()
    ]


def _loss_reasons(run: Run) -> list[dict[str, Any]]:
    return [{"id": reason.id, "name": reason.name, "sort": reason.sort} for reason in run.kommo.loss_reasons()]


def _fields(run: Run) -> list[dict[str, Any]]:
    return [
        {"id": field.id, "entity": entity, "name": field.name, "type": field.type, "code": field.code,
         "sort": field.sort, "currency": field.currency, "enums": field.enums}
        for entity in FIELD_ENTITIES
        for field in run.kommo.custom_fields(entity)
    ]  # fmt: skip
