"""Erasing an account's copy, in short transactions, so that nobody waits for it; may be taken up anywhere."""

from sqlalchemy import Engine, Table, delete, select, text, tuple_
from sqlalchemy.orm import Session

from kommo.db import now, writing
from kommo.store.among import among
from kommo.store.tables import Connection, DealContact, Scrub, SearchPending, SyncRun, SyncSeen, Wallet

LOT = 500  # rows in one transaction: well under 100 ms


def waiting(session: Session) -> list[int]:
    """Connections whose copy is to be erased."""
    return list(session.scalars(select(Connection.id).where(Connection.erasing)))


def erase(engine: Engine, connection_id: int) -> None:
    """Erase records, links, catalogues, runs and the connection itself; nothing where it is not to be erased."""
    while True:
        with writing(engine) as session:
            connection = session.get(Connection, connection_id)
            if connection is None or not connection.erasing:
                return
            if any(some(session, connection_id) for some in (_some_seen, _some_links, _some_records)):
                continue
            session.delete(connection)  # catalogues, runs and their streams go with it
            session.add(Scrub(asked_at=now(session)))


def _some_records(session: Session, connection_id: int) -> bool:
    statement = select(Wallet.id).where(Wallet.connection_id == connection_id).limit(LOT)
    ids = list(session.scalars(statement))
    if ids and session.get_bind().dialect.name == "sqlite":
        session.execute(delete(SearchPending).where(among(SearchPending.wallet_id, ids)))
        for key in ids:
            session.execute(text("DELETE FROM wallet_search WHERE rowid = :key"), {"key": key})
    table: Table = Wallet.__table__  # type: ignore[assignment]
    session.execute(delete(table).where(among(table.c.id, ids)))
    return bool(ids)


def _some_links(session: Session, connection_id: int) -> bool:
    deals = list(
        session.scalars(
            select(DealContact.deal_id).where(DealContact.connection_id == connection_id).distinct().limit(LOT)
        )
    )
    session.execute(
        delete(DealContact).where(DealContact.connection_id == connection_id, among(DealContact.deal_id, deals))
    )
    return bool(deals)


def _some_seen(session: Session, connection_id: int) -> bool:
    runs = select(SyncRun.id).where(SyncRun.connection_id == connection_id)
    key = (SyncSeen.run_id, SyncSeen.stream, SyncSeen.remote_id)
    some = select(*key).where(SyncSeen.run_id.in_(runs)).limit(LOT)
    dropped = session.connection().execute(delete(SyncSeen.__table__).where(tuple_(*key).in_(some)))  # type: ignore[arg-type]
    return dropped.rowcount > 0
