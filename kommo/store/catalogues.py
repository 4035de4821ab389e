"""Writing what records point to: pipelines, stages, users, loss reasons, fields and companies."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, func, select, update
from sqlalchemy.orm import Session

from kommo.db import Base, clock, now
from kommo.store import suppression
from kommo.store.among import among
from kommo.store.tables import CatalogueRead, Company, CustomField, KommoUser, LossReason, Pipeline, Stage, Wallet
from kommo.store.upsert import insert_missing, upsert

PIPELINES, STAGES, USERS, LOSS_REASONS, FIELDS = Pipeline, Stage, KommoUser, LossReason, CustomField
UNASKED = 0  # a company's `checked_run` until it has been asked for


def replace(
    session: Session, model: type[Base], connection_id: int, rows: Sequence[dict[str, Any]], **within: Any
) -> None:
    """Make a catalogue equal to `rows` (dictionaries by column name, without the connection).

    What is not among them keeps its row and name, with `gone_at` set. `rows` must be Kommo's whole catalogue, or all
    of the part of it that `within` names by column.
    """
    table: Table = model.__table__  # type: ignore[assignment]
    part = [table.c.connection_id == connection_id, *(table.c[name] == value for name, value in within.items())]
    upsert(session, table, [row | within | {"connection_id": connection_id, "gone_at": None} for row in rows])
    keys = [column.name for column in table.primary_key if column.name not in ("connection_id", *within)]
    there = {tuple(row[key] for key in keys) for row in rows}
    known = session.execute(select(*[table.c[key] for key in keys]).where(*part, table.c.gone_at.is_(None)))
    for gone in [tuple(row) for row in known if tuple(row) not in there]:
        same = [table.c[key] == value for key, value in zip(keys, gone, strict=True)]
        session.execute(update(table).where(*part, *same).values(gone_at=clock()))


def fields_differ(session: Session, connection_id: int, entity: str, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether a field that is known here has another name, code, type or other choices in `rows`, or is not there."""
    told = ("name", "code", "type", "enums")
    given = {row["id"]: [row[name] for name in told] for row in rows}
    statement = select(CustomField).where(
        CustomField.connection_id == connection_id, CustomField.entity == entity, CustomField.gone_at.is_(None)
    )
    return any(given.get(one.id) != [getattr(one, name) for name in told] for one in session.scalars(statement))


def note_read(session: Session, connection_id: int, catalogue: str) -> None:
    """Note that a catalogue was read just now, or that Kommo refused it."""
    row = {"connection_id": connection_id, "catalogue": catalogue, "read_at": now(session)}
    upsert(session, CatalogueRead.__table__, [row])  # type: ignore[arg-type]


def stalest(session: Session, connection_id: int, among: Sequence[str]) -> list[str]:
    """These catalogues, the one whose reading is longest ago first, those never read before all."""
    statement = select(CatalogueRead.catalogue, CatalogueRead.read_at).where(
        CatalogueRead.connection_id == connection_id
    )
    moments = {row.catalogue: row.read_at for row in session.execute(statement)}
    return sorted(among, key=lambda name: moments.get(name, 0.0))


def known_ids(session: Session, connection_id: int) -> tuple[set[tuple[int, int]], set[int], set[int]]:
    """The stages (with their pipelines), users and loss reasons that have a name, gone ones too."""
    stages = select(Stage.pipeline_id, Stage.id).where(Stage.connection_id == connection_id)
    users = select(KommoUser.id).where(KommoUser.connection_id == connection_id)
    reasons = select(LossReason.id).where(LossReason.connection_id == connection_id)
    found = {(pipeline, stage) for pipeline, stage in session.execute(stages)}
    return found, set(session.scalars(users)), set(session.scalars(reasons))


def note_companies(session: Session, connection_id: int, ids: Sequence[int]) -> None:
    """Note companies that records belong to; those not known yet are to be asked for."""
    row = {"connection_id": connection_id, "name": "", "gone_at": None, "checked_run": UNASKED}
    insert_missing(session, Company.__table__, [row | {"id": key} for key in ids])  # type: ignore[arg-type]


def unasked_companies(session: Session, connection_id: int, after: int, limit: int) -> list[int]:
    """Companies with an id above `after` that have to be asked for, in order of id."""
    statement = (
        select(Company.id)
        .where(Company.connection_id == connection_id, Company.checked_run == UNASKED, Company.id > after)
        .order_by(Company.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def ask_again(session: Session, connection_id: int, ids: Sequence[int]) -> None:
    """Have these companies asked for, those that are known."""
    session.execute(
        update(Company)
        .where(Company.connection_id == connection_id, among(Company.id, ids))
        .values(checked_run=UNASKED)
        .execution_options(synchronize_session=False)
    )


def ask_companies_again(session: Session, connection_id: int, run_id: int) -> None:
    """Have every company asked for that a reading of the whole list in this run did not bring."""
    session.execute(
        update(Company)
        .where(Company.connection_id == connection_id, Company.checked_run != run_id)
        .values(checked_run=UNASKED)
        .execution_options(synchronize_session=False)
    )


def write_companies(
    session: Session, connection_id: int, run_id: int, names: dict[int, str], asked: Sequence[int] = ()
) -> None:
    """Note companies' names; one of those `asked` for that Kommo did not give keeps the name it had.

    A name that held an erased person's values is left out.
    """
    table: Table = Company.__table__  # type: ignore[assignment]
    here = {"connection_id": connection_id, "checked_run": run_id, "gone_at": None}
    erased = suppression.ids(session, connection_id, suppression.COMPANY, names)
    upsert(session, table, [here | {"id": key, "name": "" if key in erased else names[key]} for key in names])
    missing = [key for key in asked if key not in names]
    insert_missing(session, table, [here | {"id": key, "name": ""} for key in missing])
    if missing:
        session.execute(
            update(Company)
            .where(Company.connection_id == connection_id, among(Company.id, missing))
            .values(checked_run=run_id, gone_at=func.coalesce(Company.gone_at, clock()))
            .execution_options(synchronize_session=False)
        )


def members(session: Session, connection_id: int, kind: str, companies: Sequence[int]) -> list[int]:
    """The ids of the live records of a kind that belong to any of these companies, as far as is known here."""
    statement = select(Wallet.remote_id).where(
        Wallet.connection_id == connection_id,
        among(Wallet.company_id, companies),
        Wallet.kind == kind,
        Wallet.deleted_at.is_(None),
    )
    return list(session.scalars(statement.order_by(Wallet.remote_id)))
