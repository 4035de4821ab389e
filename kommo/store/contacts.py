"""What the list of contacts and a contact's page show, each in a number of queries that does not grow with its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kommo.store import lists
from kommo.store.filters import Filters
from kommo.store.links import LinkedDeal, deals_of, is_open
from kommo.store.lists import ListPage
from kommo.store.names import Name, Names, company, names, visible
from kommo.store.tables import Connection, Contact, DealContact, Wallet
from kommo.store.tables.wallet import CONTACT, DEAL

TITLE_LENGTH = 200  # characters of a name that a list carries; a record's page has all of them


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact in a list. `open_value` is the sum of its deals in progress, None where it has none."""

    id: int
    title: str
    phone: str | None
    email: str | None
    responsible: Name | None
    open_value: float | None
    updated_at: int | None


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Everything a contact's page shows. `record` is Kommo's own; `deals` are the first of `deals_total`."""

    contact: Contact
    title: str
    record: dict[str, Any]
    responsible: Name | None
    company: Name | None
    deals: list[LinkedDeal]
    deals_total: int


def contact_list(
    session: Session, connection: Connection, filters: Filters, known: Names | None = None
) -> ListPage[ContactRow]:
    """One page of this account's contacts; `known` spares reading the names where the caller has them."""
    found = lists.window(session, connection, CONTACT, filters)
    columns = (
        Wallet.remote_id,
        func.substr(Wallet.title, 1, TITLE_LENGTH).label("title"),
        func.substr(Wallet.phone, 1, TITLE_LENGTH).label("phone"),
        func.substr(Wallet.email, 1, TITLE_LENGTH).label("email"),
        Wallet.responsible_user_id,
        Wallet.updated_at,
    )
    rows = lists.by_id(session, connection, found.ids, *columns)
    values = _open_values(session, connection, [row.remote_id for row in rows])
    known = known or names(session, connection.id)
    return lists.page_of(found, [_row(row, known, values) for row in rows], filters)


def contact_page(session: Session, connection: Connection, contact_id: int) -> ContactPage | None:
    """One contact of this account, gone from Kommo or not; None for an unknown, a foreign and an erased one alike."""
    contact = session.scalars(
        select(Contact).where(
            Contact.user_id == connection.user_id,
            Contact.connection_id == connection.id,
            Contact.remote_id == contact_id,
            Contact.erased_at.is_(None),
        )
    ).one_or_none()
    if contact is None:
        return None
    known = names(session, connection.id)
    deals, total = deals_of(session, connection, contact_id, known)
    return ContactPage(
        contact=contact,
        title=visible(contact.title, f"Contato {contact_id}"),
        record=contact.record,
        responsible=known.user(contact.responsible_user_id),
        company=company(session, connection.id, contact.company_id),
        deals=deals,
        deals_total=total,
    )


def _row(row: Any, known: Names, values: dict[int, float]) -> ContactRow:
    return ContactRow(
        id=row.remote_id,
        title=visible(row.title, f"Contato {row.remote_id}"),
        phone=visible(row.phone, "") or None,
        email=visible(row.email, "") or None,
        responsible=known.user(row.responsible_user_id),
        open_value=values.get(row.remote_id),
        updated_at=row.updated_at,
    )


def _open_values(session: Session, connection: Connection, contact_ids: Sequence[int]) -> dict[int, float]:
    """The value of the deals in progress of each of these contacts that has any."""
    statement = (
        select(DealContact.contact_id, func.sum(Wallet.balance).label("value"))
        .join(
            Wallet,
            (Wallet.connection_id == DealContact.connection_id)
            & (Wallet.kind == DEAL)
            & (Wallet.remote_id == DealContact.deal_id),
        )
        .where(
            DealContact.connection_id == connection.id,
            DealContact.contact_id.in_(contact_ids),
            Wallet.deleted_at.is_(None),
            is_open(),
        )
        .group_by(DealContact.contact_id)
    )
    return {row.contact_id: row.value for row in session.execute(statement)}
