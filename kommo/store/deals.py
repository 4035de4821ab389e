"""What the list of deals and a deal's page show, each in a number of queries that does not grow with its rows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kommo.store import lists
from kommo.store.filters import Filters
from kommo.store.links import TITLE_LENGTH, LinkedContact, contacts_of, main_contacts, state_of
from kommo.store.lists import ListPage
from kommo.store.names import Name, Names, company, loss_reasons, names, visible
from kommo.store.tables import Connection, Deal, Wallet
from kommo.store.tables.wallet import DEAL


@dataclass(frozen=True, slots=True)
class DealRow:
    """A deal in a list. `state` is "open", "won" or "lost"; `contact` its main contact, None where it has none."""

    id: int
    title: str
    contact: LinkedContact | None
    pipeline: Name | None
    stage: Name | None
    state: str
    value: float
    responsible: Name | None
    updated_at: int | None


@dataclass(frozen=True, slots=True)
class DealPage:
    """Everything a deal's page shows. `record` is Kommo's own; `contacts` are the first of `contacts_total`."""

    deal: Deal
    title: str
    record: dict[str, Any]
    state: str
    pipeline: Name | None
    stage: Name | None
    responsible: Name | None
    company: Name | None
    loss_reason: Name | None
    contacts: list[LinkedContact]
    contacts_total: int


def deal_list(
    session: Session, connection: Connection, filters: Filters, known: Names | None = None
) -> ListPage[DealRow]:
    """One page of this account's deals; `known` spares reading the names where the caller has them."""
    found = lists.window(session, connection, DEAL, filters)
    columns = (
        Wallet.remote_id,
        func.substr(Wallet.title, 1, TITLE_LENGTH).label("title"),
        Wallet.pipeline_id,
        Wallet.stage_id,
        Wallet.balance,
        Wallet.responsible_user_id,
        Wallet.updated_at,
    )
    rows = lists.by_id(session, connection, found.ids, *columns)
    contacts = main_contacts(session, connection, [row.remote_id for row in rows])
    known = known or names(session, connection.id)
    return lists.page_of(found, [_row(row, known, contacts.get(row.remote_id)) for row in rows], filters)


def deal_page(session: Session, connection: Connection, deal_id: int) -> DealPage | None:
    """One deal of this account, gone from Kommo or not; None for an unknown one, and for a foreign one alike."""
    deal = session.scalars(
        select(Deal).where(
            Deal.user_id == connection.user_id, Deal.connection_id == connection.id, Deal.remote_id == deal_id
        )
    ).one_or_none()
    if deal is None:
        return None
    known = names(session, connection.id)
    contacts, total = contacts_of(session, connection, deal_id)
    reason = deal.loss_reason_id
    return DealPage(
        deal=deal,
        title=visible(deal.title, f"Negociação {deal_id}"),
        record=deal.record,
        state=state_of(deal.stage_id),
        pipeline=known.pipeline(deal.pipeline_id),
        stage=known.stage(deal.pipeline_id, deal.stage_id),
        responsible=known.user(deal.responsible_user_id),
        company=company(session, connection.id, deal.company_id),
        loss_reason=loss_reasons(session, connection.id, [reason])[reason] if reason else None,
        contacts=contacts,
        contacts_total=total,
    )


def _row(row: Any, known: Names, contact: LinkedContact | None) -> DealRow:
    return DealRow(
        id=row.remote_id,
        title=visible(row.title, f"Negociação {row.remote_id}"),
        contact=contact,
        pipeline=known.pipeline(row.pipeline_id),
        stage=known.stage(row.pipeline_id, row.stage_id),
        state=state_of(row.stage_id),
        value=row.balance,
        responsible=known.user(row.responsible_user_id),
        updated_at=row.updated_at,
    )
