"""Erasing one person from everything that is kept of an account, so that no reading brings them back.

Their contact keeps its number and nothing else. Their deals, and any other that holds one of their values, keep
numbers, stages and dates, but no text; a company's name that holds one of them goes. What was found is not kept, not
even hashed: a text that Kommo brings later in a record that is not theirs cannot be known as theirs.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Table, delete, or_, select, update
from sqlalchemy.orm import Session

from kommo.crm.bare import texts
from kommo.crm.records import contact_from, deal_from
from kommo.db import clock, reading, writing
from kommo.privacy import files
from kommo.privacy.find import Person, find, person
from kommo.privacy.traits import Traits, traits_of
from kommo.services import SCRUB, Services
from kommo.store import audit, search, suppression
from kommo.store.among import among
from kommo.store.audit import Actor
from kommo.store.records import Incoming
from kommo.store.tables import Company, Connection, DealContact, SyncRun, Wallet
from kommo.store.tables.runs import ACTIVE
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.sync.rows import contact_row, deal_row

_TABLE: Table = Wallet.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Reach:
    """What erasing a person would touch, by Kommo's numbers; `others` are contacts with the same phone or e-mail."""

    person: Person
    linked: list[int] = field(default_factory=list)
    naming: list[int] = field(default_factory=list)
    companies: list[int] = field(default_factory=list)
    others: list[Person] = field(default_factory=list)

    @property
    def deals(self) -> list[int]:
        """All deals whose texts go."""
        return sorted({*self.linked, *self.naming})


def reach(session: Session, connection: Connection, contact_id: int) -> Reach | None:
    """What erasing would touch; None for an unknown contact. Of one that was erased, nothing is left to touch."""
    found = person(session, connection, contact_id)
    if found is None or found.erased_at is not None:
        return Reach(found) if found else None
    traits = _traits(session, connection, contact_id)
    linked = list(session.scalars(select(DealContact.deal_id).where(*_links(connection, contact_id)).distinct()))
    return Reach(
        found,
        sorted(linked),
        _naming(session, connection, traits),
        _companies(session, connection, traits),
        _others(session, found, traits),
    )


def erase(services: Services, connection: Connection, contact_id: int, by: Actor) -> Reach | None:
    """Erase a person from an account's copy; gives what was touched, None for an unknown contact.

    One that was erased already stays so, and nothing is written. The bytes go from SQLite's file in a worker.
    """
    with reading(services.engine) as session:  # looking takes long in a large copy: not under the lock
        found = reach(session, connection, contact_id)
    if found is None or found.person.erased_at is not None:
        return found
    with writing(services.engine) as session:
        _hold(session, connection)
        of = (connection.user_id, connection.account_id)
        suppression.add(session, *of, CONTACT, [contact_id])
        suppression.add(session, *of, DEAL, found.deals)
        suppression.add(session, *of, suppression.COMPANY, found.companies)
        _empty_contact(session, connection, contact_id)
        _empty_deals(session, connection, contact_id, found.deals)
        session.execute(delete(DealContact).where(*_links(connection, contact_id)))
        session.execute(
            update(Company)
            .where(Company.connection_id == connection.id, among(Company.id, found.companies))
            .values(name="")
            .execution_options(synchronize_session=False)
        )
        details = {"deals": len(found.deals), "companies": len(found.companies)}
        subject = subject_of(contact_id)
        audit.note(session, by, "person.erased", owner=of[0], account_id=of[1], subject=subject, details=details)
        scrub_id = files.ask(session)
    search.catch_up(services.engine)
    services.ring(SCRUB, scrub_id)
    return found


def subject_of(contact_id: int) -> str:
    """How the audit log names a person."""
    return f"contato {contact_id}"


def _hold(session: Session, connection: Connection) -> None:
    """Keep readings of the account from writing meanwhile: each of their transactions begins with their run's row.

    A new run waits for the connection's row. On SQLite a writing transaction keeps everybody out by itself.
    """
    working = select(SyncRun.id).where(SyncRun.connection_id == connection.id, SyncRun.state.in_(ACTIVE))
    session.execute(working.with_for_update())
    session.execute(select(Connection.id).where(Connection.id == connection.id).with_for_update())


def _empty_contact(session: Session, connection: Connection, contact_id: int) -> None:
    row = contact_row(contact_from({"id": contact_id}))
    _write(session, connection, CONTACT, row, erased_at=clock())
    search.mark(session, connection.id, CONTACT, [contact_id])


def _empty_deals(session: Session, connection: Connection, contact_id: int, deals: list[int]) -> None:
    statement = select(Wallet.record).where(*_of(connection, DEAL), among(Wallet.remote_id, deals))
    for record in list(session.scalars(statement)):
        row = deal_row(deal_from(record))
        assert row.bare is not None
        _write(session, connection, DEAL, row.bare([contact_id]))
    search.mark(session, connection.id, DEAL, deals)


def _write(session: Session, connection: Connection, kind: str, row: Incoming, **more: Any) -> None:
    here = (_TABLE.c.connection_id == connection.id, _TABLE.c.kind == kind, _TABLE.c.remote_id == row.remote_id)
    values = row.values | {"content_hash": row.content_hash} | more
    session.connection().execute(update(_TABLE).where(*here).values(values))


def _traits(session: Session, connection: Connection, contact_id: int) -> Traits:
    """By what texts of others are known to speak of this person."""
    statement = select(Wallet.record).where(*_of(connection, CONTACT), Wallet.remote_id == contact_id)
    found = traits_of(contact_from(session.scalars(statement).one()))
    return replace(found, names=frozenset()) if _shares_the_name(session, connection, contact_id) else found


def _shares_the_name(session: Session, connection: Connection, contact_id: int) -> bool:
    """Whether somebody else of the account is called the same: then the name alone does not say whom a text means."""
    own = select(Wallet.title_folded).where(*_of(connection, CONTACT), Wallet.remote_id == contact_id)
    others = (Wallet.deleted_at.is_(None), Wallet.erased_at.is_(None), Wallet.remote_id != contact_id)
    alike = select(Wallet.id).where(*_of(connection, CONTACT), *others, Wallet.title_folded == own.scalar_subquery())
    return session.scalars(alike.limit(1)).first() is not None


def _naming(session: Session, connection: Connection, traits: Traits) -> list[int]:
    """The deals that hold one of the values, whoever they belong to."""
    if not traits:
        return []
    statement = select(Wallet.remote_id, Wallet.record).where(*_of(connection, DEAL), or_(*traits.likely()))
    rows = session.execute(statement.execution_options(yield_per=200))
    return sorted(row.remote_id for row in rows if traits.are_in(texts(row.record)))


def _companies(session: Session, connection: Connection, traits: Traits) -> list[int]:
    statement = select(Company.id, Company.name).where(Company.connection_id == connection.id, Company.name != "")
    return sorted(row.id for row in session.execute(statement) if traits.are_in([row.name]))


def _others(session: Session, found: Person, traits: Traits) -> list[Person]:
    """Contacts, in any account of the owner, that may be the same person: with one of the phones or e-mails."""
    seen: dict[tuple[int, int], Person] = {}
    for value in sorted(traits.phones | traits.emails):
        for one in find(session, found.connection.user_id, value)[0]:
            if str(one.id) != value:
                seen.setdefault((one.connection.id, one.id), one)
    seen.pop((found.connection.id, found.id), None)
    return [one for one in seen.values() if one.erased_at is None]


def _of(connection: Connection, kind: str) -> tuple[Any, ...]:
    return Wallet.connection_id == connection.id, Wallet.kind == kind


def _links(connection: Connection, contact_id: int) -> tuple[Any, ...]:
    return DealContact.connection_id == connection.id, DealContact.contact_id == contact_id
