"""Who belongs to which deal: the deals of a contact, the contacts of a deal, with what a page shows of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from kommo.db import count
from kommo.store.names import LOST, WON, Name, Names, visible
from kommo.store.tables import Connection, DealContact, Wallet
from kommo.store.tables.wallet import CONTACT, DEAL

SHOWN = 100  # linked records a page shows; their number is always told
TITLE_LENGTH = 200  # characters of a linked record's name


def _short(column: Any, name: str) -> Any:
    return func.substr(column, 1, TITLE_LENGTH).label(name)


_CONTACT = (
    Wallet.remote_id,
    Wallet.deleted_at,
    _short(Wallet.title, "title"),
    _short(Wallet.phone, "phone"),
    _short(Wallet.email, "email"),
)


@dataclass(frozen=True, slots=True)
class LinkedDeal:
    """A deal of a contact. `state` is "open", "won" or "lost"."""

    id: int
    title: str
    value: float
    pipeline: Name | None
    stage: Name | None
    state: str


@dataclass(frozen=True, slots=True)
class LinkedContact:
    """A contact of a deal. `held` tells whether its record is in the copy, `gone` that it is gone from Kommo."""

    id: int
    title: str
    phone: str | None
    email: str | None
    is_main: bool
    held: bool
    gone: bool


def is_open() -> ColumnElement[bool]:
    """The condition for a deal in progress: neither won nor lost; an unknown stage counts as in progress."""
    return func.coalesce(Wallet.stage_id, 0).not_in((WON, LOST))


def state_of(stage_id: int | None) -> str:
    """What a deal's stage says of it: "won", "lost" or "open"."""
    return {WON: "won", LOST: "lost"}.get(stage_id or 0, "open")


def deals_of(session: Session, connection: Connection, contact_id: int, known: Names) -> tuple[list[LinkedDeal], int]:
    """A contact's deals that are not gone from Kommo, those in progress first, and how many there are in all."""
    linked = select(DealContact.deal_id).where(
        DealContact.connection_id == connection.id, DealContact.contact_id == contact_id
    )
    statement = (
        select(Wallet.remote_id, _short(Wallet.title, "title"), Wallet.balance, Wallet.pipeline_id, Wallet.stage_id)
        .where(*_of(connection, DEAL), Wallet.remote_id.in_(linked), Wallet.deleted_at.is_(None))
        .order_by(is_open().desc(), Wallet.updated_at.desc(), Wallet.remote_id.desc())
    )
    rows = session.execute(statement.limit(SHOWN)).all()
    return [_deal(row, known) for row in rows], _total(session, rows, statement)


def contacts_of(session: Session, connection: Connection, deal_id: int) -> tuple[list[LinkedContact], int]:
    """A deal's contacts, the main one first, and how many there are in all; some may not be in the copy."""
    columns = (DealContact.contact_id, DealContact.is_main, *_CONTACT)
    at_other_end = and_(Wallet.remote_id == DealContact.contact_id, *_of(connection, CONTACT))
    statement = (
        select(*columns)
        .select_from(DealContact)
        .outerjoin(Wallet, at_other_end)
        .where(DealContact.connection_id == connection.id, DealContact.deal_id == deal_id)
        .order_by(*_main_first())
    )
    rows = session.execute(statement.limit(SHOWN)).all()
    return [_contact(row) for row in rows], _total(session, rows, statement)


def main_contacts(session: Session, connection: Connection, deal_ids: Sequence[int]) -> dict[int, LinkedContact]:
    """The main contact of each of these deals that has one (else its first), by the deal's id."""
    place = func.row_number().over(partition_by=DealContact.deal_id, order_by=_main_first()).label("place")
    first = (
        select(DealContact.deal_id, DealContact.contact_id, DealContact.is_main, place)
        .where(DealContact.connection_id == connection.id, DealContact.deal_id.in_(deal_ids))
        .subquery()
    )
    statement = (
        select(first.c.deal_id, first.c.contact_id, first.c.is_main, *_CONTACT)
        .outerjoin(Wallet, and_(Wallet.remote_id == first.c.contact_id, *_of(connection, CONTACT)))
        .where(first.c.place == 1)
    )
    return {row.deal_id: _contact(row) for row in session.execute(statement)}


def _of(connection: Connection, kind: str) -> tuple[ColumnElement[bool], ...]:
    return Wallet.user_id == connection.user_id, Wallet.connection_id == connection.id, Wallet.kind == kind


def _main_first() -> tuple[Any, ...]:
    return DealContact.is_main.desc(), DealContact.position, DealContact.contact_id


def _total(session: Session, rows: Sequence[Any], statement: Select[Any]) -> int:
    return len(rows) if len(rows) < SHOWN else count(session, statement)


def _deal(row: Any, known: Names) -> LinkedDeal:
    return LinkedDeal(
        id=row.remote_id,
        title=visible(row.title, f"Negociação {row.remote_id}"),
        value=row.balance,
        pipeline=known.pipeline(row.pipeline_id),
        stage=known.stage(row.pipeline_id, row.stage_id),
        state=state_of(row.stage_id),
    )


def _contact(row: Any) -> LinkedContact:
    return LinkedContact(
        id=row.contact_id,
        title=visible(row.title, f"Contato {row.contact_id}"),
        phone=visible(row.phone, "") or None,
        email=visible(row.email, "") or None,
        is_main=row.is_main,
        held=row.remote_id is not None,
        gone=row.deleted_at is not None,
    )
