"""Writing what records point to: pipelines, stages, users, loss reasons, fields and companies."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from kommo.db import Base, clock
from kommo.store.tables import Company, CustomField, KommoUser, LossReason, Pipeline, Stage, Wallet
from kommo.store.upsert import insert_missing, upsert

PIPELINES, STAGES, USERS, LOSS_REASONS, FIELDS = Pipeline, Stage, KommoUser, LossReason, CustomField


def replace(session: Session, model: type[Base], connection_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Make a catalogue equal to `rows` (dictionaries by column name, without the connection).

    What is not among them keeps its row and name, with `gone_at` set. `rows` must be Kommo's whole catalogue.
    """
    table: Table = model.__table__  # type: ignore[assignment]
    upsert(session, table, [row | {"connection_id": connection_id, "gone_at": None} for row in rows])
    keys = [column.name for column in table.primary_key if column.name != "connection_id"]
    there = {tuple(row[key] for key in keys) for row in rows}
    known = session.execute(
        select(*[table.c[key] for key in keys]).where(table.c.connection_id == connection_id, table.c.gone_at.is_(None))
    )
    for gone in [tuple(row) for row in known if tuple(row) not in there]:
        same = [table.c[key] == value for key, value in zip(keys, gone, strict=True)]
        session.execute(update(table).where(table.c.connection_id == connection_id, *same).values(gone_at=clock()))


def unasked_companies(session: Session, connection_id: int, run_id: int, after: int, limit: int) -> list[int]:
    """Companies with an id above `after` that records belong to and this run has not asked for yet, in order of id."""
    asked = select(Company.id).where(Company.connection_id == connection_id, Company.checked_run == run_id)
    statement = (
        select(Wallet.company_id)
        .where(
            Wallet.connection_id == connection_id,
            Wallet.company_id > after,
            Wallet.deleted_at.is_(None),
            Wallet.company_id.not_in(asked),
        )
        .distinct()
        .order_by(Wallet.company_id)
        .limit(limit)
    )
    return [key for key in session.scalars(statement) if key is not None]


def write_companies(
    session: Session, connection_id: int, run_id: int, asked: Sequence[int], names: dict[int, str]
) -> None:
    """Note the names of the companies that were asked for; one that Kommo did not give keeps the name it had."""
    table: Table = Company.__table__  # type: ignore[assignment]
    here = {"connection_id": connection_id, "checked_run": run_id}
    upsert(session, table, [here | {"id": key, "name": name, "gone_at": None} for key, name in names.items()])
    missing = [key for key in asked if key not in names]
    insert_missing(session, table, [here | {"id": key, "name": "", "gone_at": None} for key in missing])
    if missing:
        session.execute(
            update(Company)
            .where(Company.connection_id == connection_id, Company.id.in_(missing))
            .values(checked_run=run_id, gone_at=clock())
            .execution_options(synchronize_session=False)
        )


def unknown_stages(session: Session, connection_id: int) -> bool:
    """Whether a live deal stands in a stage that no catalogue knows: pipelines changed while we read."""
    stages = select(Stage.id).where(
        Stage.connection_id == connection_id, Stage.pipeline_id == Wallet.pipeline_id, Stage.id == Wallet.stage_id
    )
    statement = (
        select(Wallet.id)
        .where(
            Wallet.connection_id == connection_id,
            Wallet.kind == "deal",
            Wallet.deleted_at.is_(None),
            ~stages.exists(),
        )
        .limit(1)
    )
    return session.scalars(statement).first() is not None
