"""Who was erased and must not come back: readings lose their values before they are compared or written.

The rows here are the truth, and hold numbers only; `Wallet.erased_at` repeats it for the lists.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.orm import Session

from kommo.db import now
from kommo.store.among import among
from kommo.store.tables import Connection, Suppression
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.store.upsert import insert_missing

if TYPE_CHECKING:
    from kommo.store.records import Incoming, Target

COMPANY = "company"
_TABLE: Table = Suppression.__table__  # type: ignore[assignment]


def add(session: Session, user_id: str, account_id: int, kind: str, remote_ids: Iterable[int]) -> None:
    """Keep these records' values out from now on."""
    moment = now(session)
    rows = [
        {"user_id": user_id, "account_id": account_id, "kind": kind, "remote_id": key, "erased_at": moment}
        for key in remote_ids
    ]
    insert_missing(session, _TABLE, rows)


def ids(session: Session, connection_id: int, kind: str, among_ids: Collection[int]) -> set[int]:
    """Those of these records whose values are kept out of this connection's copy."""
    if not among_ids:
        return set()
    return set(session.scalars(select(Suppression.remote_id).where(*_of(connection_id, kind, among_ids))))


def is_erased(session: Session, connection_id: int, kind: str, remote_id: int) -> bool:
    """Whether one record's values are kept out."""
    return bool(ids(session, connection_id, kind, [remote_id]))


def erased_contacts(session: Session, user_id: str, account_id: int) -> list[Suppression]:
    """The persons of an account who were erased, the last one first."""
    statement = select(Suppression).where(
        Suppression.user_id == user_id, Suppression.account_id == account_id, Suppression.kind == CONTACT
    )
    return list(session.scalars(statement.order_by(Suppression.erased_at.desc(), Suppression.remote_id)))


def all_contacts(session: Session) -> set[tuple[str, int, int]]:
    """Everybody who was erased: owner, account and contact."""
    columns = (Suppression.user_id, Suppression.account_id, Suppression.remote_id)
    rows = session.execute(select(*columns).where(Suppression.kind == CONTACT))
    return {(row.user_id, row.account_id, row.remote_id) for row in rows}


def clean(session: Session, target: "Target", page: Sequence["Incoming"]) -> list["Incoming"]:
    """A page as it may be kept: erased contacts empty, without texts the deals that are theirs or held their values."""
    persons = {key for one in page for key, _ in one.links or ()}
    if target.kind == CONTACT:
        persons = {one.remote_id for one in page}
    deals = [one.remote_id for one in page] if target.kind == DEAL else []
    found = _found(session, target.connection_id, persons, deals)
    if not found:
        return list(page)
    erased = {key for kind, key in found if kind == CONTACT}
    return [_bare(target, one, found, erased) for one in page]


def keep_deals(session: Session, target: "Target", page: Sequence["Incoming"]) -> None:
    """Remember the deals of a page that are an erased person's: they stay without texts should the link go."""
    persons = {key for one in page for key, _ in one.links or ()}
    erased = ids(session, target.connection_id, CONTACT, persons)
    theirs = [one.remote_id for one in page if erased.intersection(key for key, _ in one.links or ())]
    if theirs:
        connection = session.get_one(Connection, target.connection_id)
        add(session, connection.user_id, connection.account_id, DEAL, theirs)


def _bare(target: "Target", one: "Incoming", found: dict[tuple[str, int], float], erased: set[int]) -> "Incoming":
    moment = found.get((target.kind, one.remote_id))
    if one.bare is None or (moment is None and not erased.intersection(key for key, _ in one.links or ())):
        return one
    made = one.bare(erased)
    return replace(made, erased_at=moment) if target.kind == CONTACT else made


def _found(
    session: Session, connection_id: int, persons: Collection[int], deals: Collection[int]
) -> dict[tuple[str, int], float]:
    """When each of these was erased, by kind and number; those that were not are left out."""
    wanted = [
        and_(Suppression.kind == kind, among(Suppression.remote_id, keys))
        for kind, keys in ((CONTACT, persons), (DEAL, deals))
        if keys
    ]
    if not wanted:
        return {}
    columns = (Suppression.kind, Suppression.remote_id, Suppression.erased_at)
    rows = session.execute(select(*columns).where(*_account(connection_id), or_(*wanted)))
    return {(row.kind, row.remote_id): row.erased_at for row in rows}


def _of(connection_id: int, kind: str, keys: Collection[int]) -> list[ColumnElement[bool]]:
    return [*_account(connection_id), Suppression.kind == kind, among(Suppression.remote_id, keys)]


def _account(connection_id: int) -> list[ColumnElement[bool]]:
    """The condition that a row is of the account and the owner of a connection."""
    here = Connection.id == connection_id
    return [
        Suppression.user_id == select(Connection.user_id).where(here).scalar_subquery(),
        Suppression.account_id == select(Connection.account_id).where(here).scalar_subquery(),
    ]
