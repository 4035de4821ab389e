"""Finding a person in everything an owner keeps, gone from Kommo or not: by name, phone, e-mail, document or number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from kommo.crm.records import contact_from
from kommo.ids import MAX_ID
from kommo.privacy.traits import documents_of
from kommo.store import audit, connections, lists, search
from kommo.store.audit import Actor
from kommo.store.filters import clean_query
from kommo.store.tables import Connection, Wallet
from kommo.store.tables.wallet import CONTACT
from kommo.text import digits, fold

MOST = 50  # persons a search shows
SHORTEST = 3  # characters of what is searched for
_LENGTH = 200
_SIGNS = (" ", "-", "(", ")", ".", "/")
_DOCUMENT = re.compile(r"[^0-9A-Z]")


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as a search shows it. `erased_at` is set where nothing is kept of it but its number."""

    connection: Connection
    id: int
    title: str
    phone: str | None
    email: str | None
    deleted_at: float | None = None
    erased_at: float | None = None


def find(
    session: Session, owner: str, query: str, account_id: int | None = None, most: int = MOST
) -> tuple[list[Person], bool]:
    """The owner's contacts that have `query`, and whether there are more than are given.

    Raises ValueError for a text too short to search for.
    """
    wanted = clean_query(query)
    if len(fold(wanted)) < SHORTEST and not wanted.isdecimal():
        raise ValueError("too short")
    found: dict[tuple[int, int], Person] = {}
    for connection in connections.all_of(session, owner):
        if account_id is not None and connection.account_id != account_id:
            continue
        for person in _in_account(session, connection, wanted):
            found.setdefault((connection.id, person.id), person)
            if len(found) > most:
                return list(found.values())[:most], True
    return list(found.values()), False


def person(session: Session, connection: Connection, contact_id: int) -> Person | None:
    """One contact of an account by its number, erased or not; None for an unknown one."""
    if not 0 < contact_id <= MAX_ID:
        return None
    return next(_persons(session, connection, [Wallet.remote_id == contact_id]), None)


def note(session: Session, by: Actor, owner: str, found: int, account_id: int | None = None) -> None:
    """Write into the audit log that somebody searched: never what for."""
    audit.note(session, by, "person.found", owner=owner, account_id=account_id, details={"found": found})


def _in_account(session: Session, connection: Connection, query: str) -> Iterator[Person]:
    if query.isdecimal() and 0 < int(query[:20]) <= MAX_ID:
        yield from _persons(session, connection, [Wallet.remote_id == int(query)])
    searched = search.matches(session, connection.id, CONTACT, query)
    if searched is not None:
        yield from _persons(session, connection, [*lists.live(connection, CONTACT), searched])
        yield from _persons(session, connection, [Wallet.deleted_at.is_not(None), _says(query)])
    document = _DOCUMENT.sub("", query.upper())
    if len(document) >= 5 and any(char.isdigit() for char in document):
        yield from _by_document(session, connection, document)


def _says(query: str) -> ColumnElement[bool]:
    """The condition for what no index knows: records that are gone from Kommo."""
    words = [Wallet.search_text.contains(word, autoescape=True) for word in fold(query).split()]
    number = digits(query)
    by_number = [Wallet.search_text.contains(number, autoescape=True)] if len(number) >= 4 else []
    return or_(and_(*words), *by_number)


def _persons(session: Session, connection: Connection, conditions: list[ColumnElement[bool]]) -> Iterator[Person]:
    columns = (Wallet.remote_id, Wallet.title, Wallet.phone, Wallet.email, Wallet.deleted_at, Wallet.erased_at)
    statement = (
        select(*columns)
        .where(Wallet.connection_id == connection.id, Wallet.kind == CONTACT, *conditions)
        .order_by(Wallet.title_folded, Wallet.remote_id)
        .limit(MOST + 1)
    )
    for row in session.execute(statement):
        phone, email = (None if text is None else text[:_LENGTH] for text in (row.phone, row.email))
        yield Person(connection, row.remote_id, row.title[:_LENGTH], phone, email, row.deleted_at, row.erased_at)


def _by_document(session: Session, connection: Connection, document: str) -> Iterator[Person]:
    plain: ColumnElement[str] = cast(Wallet.record, Text)
    for sign in _SIGNS:
        plain = func.replace(plain, sign, "")
    statement = (
        select(Wallet.remote_id, Wallet.record)
        .where(
            Wallet.connection_id == connection.id,
            Wallet.kind == CONTACT,
            Wallet.erased_at.is_(None),
            plain.icontains(document, autoescape=True),
        )
        .order_by(Wallet.remote_id)
    )
    hits = []
    for row in session.execute(statement.execution_options(yield_per=200)):
        if any(document in each for each in documents_of(contact_from(row.record))):
            hits.append(row.remote_id)
        if len(hits) > MOST:
            break
    if hits:
        yield from _persons(session, connection, [Wallet.remote_id.in_(hits)])
