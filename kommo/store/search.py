"""The search index over names, phones and e-mails: FTS5 trigrams on SQLite, pg_trgm on PostgreSQL.

Both index one folded column, `Wallet.search_text`. On SQLite the index is a table of its own; written row by row it
would halve the ingest, so pages only note which rows changed and `catch_up` indexes them in short transactions.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    and_,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from kommo.db import reading, writing
from kommo.store.among import among
from kommo.store.tables import DealContact, SearchPending, Wallet
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.store.upsert import insert_for
from kommo.text import digits, fold

LOT = 1000  # rows indexed in one transaction: well under 100 ms
_INDEX = table("wallet_search", column("rowid"), column("wallet_search"), column("content"))
_CONTENT = table("wallet_search_content", column("id"), column("c0"))
_PHONE = re.compile(r"[\d\s()+.-]{4,}")


def search_text(names: Sequence[str], phones: Sequence[str], emails: Sequence[str]) -> str:
    """What a record is found by: folded names, phones as typed and as digits, e-mails; one line each."""
    parts = [fold(name) for name in names if name]
    for phone in phones:
        parts += [fold(phone), digits(phone)]
    parts += [fold(email) for email in emails]
    return "\n".join(dict.fromkeys(part for part in parts if part))


def is_apart(session: Session) -> bool:
    """Whether the index is a table of its own that has to be told; PostgreSQL keeps its own current."""
    return session.get_bind().dialect.name == "sqlite"


def mark(session: Session, connection_id: int, kind: str, remote_ids: Sequence[int]) -> None:
    """Note that these rows' index is out of date, and with contacts that of their deals."""
    if not remote_ids or not is_apart(session):
        return
    statement = insert_for("sqlite", SearchPending.__table__)  # type: ignore[arg-type]
    changed = [select(Wallet.id).where(*_of(Wallet, connection_id, kind), among(Wallet.remote_id, remote_ids))]
    if kind == CONTACT:
        deals = select(DealContact.deal_id).where(
            DealContact.connection_id == connection_id, among(DealContact.contact_id, remote_ids)
        )
        changed.append(select(Wallet.id).where(*_of(Wallet, connection_id, DEAL), Wallet.remote_id.in_(deals)))
    for rows in changed:
        session.connection().execute(statement.from_select(["wallet_id"], rows).prefix_with("OR IGNORE"))


def mark_all(session: Session) -> None:
    """Note that the whole index is out of date: the rows came from another database."""
    if is_apart(session):
        every = select(Wallet.id).where(Wallet.deleted_at.is_(None))
        session.execute(insert(SearchPending).from_select(["wallet_id"], every))


def catch_up(engine: Engine, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Index every row that is noted, a lot a transaction; gives how many there were. Safe to stop anywhere."""
    if engine.dialect.name != "sqlite":
        return 0
    done = 0
    while not should_stop() and _is_behind(engine):
        with writing(engine) as session:
            lot = list(session.scalars(select(SearchPending.wallet_id).order_by(SearchPending.wallet_id).limit(LOT)))
            _index(session, lot)
        done += len(lot)
    return done


def _is_behind(engine: Engine) -> bool:
    """Asked without keeping writers out."""
    with reading(engine) as session:
        return _some_pending(session)


def _some_pending(session: Session) -> bool:
    return session.scalars(select(SearchPending.wallet_id).limit(1)).first() is not None


def _index(session: Session, lot: list[int]) -> None:
    """Write the index entries of a lot anew. A deal is found by its contacts' names, phones and e-mails too."""
    contact = aliased(Wallet)
    theirs = (
        select(func.group_concat(contact.search_text, "\n"))
        .join_from(DealContact, contact, _is_contact_of(contact))
        .where(DealContact.connection_id == Wallet.connection_id, DealContact.deal_id == Wallet.remote_id)
        .scalar_subquery()
    )
    content = case(
        (Wallet.kind == DEAL, Wallet.search_text + func.coalesce("\n" + theirs, "")), else_=Wallet.search_text
    )
    # In order of id: FTS5 ends a segment, and writes it, wherever an id is not above the one before.
    shown = (Wallet.deleted_at.is_(None), Wallet.erased_at.is_(None))
    rows = select(Wallet.id, content).where(among(Wallet.id, lot), *shown).order_by(Wallet.id)
    session.execute(delete(_INDEX).where(among(_INDEX.c.rowid, lot)))
    session.execute(insert(_INDEX).from_select(["rowid", "content"], rows))
    session.execute(delete(SearchPending).where(among(SearchPending.wallet_id, lot)))


def matches(session: Session, connection_id: int, kind: str, query: str) -> ColumnElement[bool] | None:
    """The condition on `Wallet` for what a person typed; None where they typed nothing to search for.

    Every word must occur, anywhere in name, phone or e-mail, accents and case aside; what looks like a phone number
    is compared as it was typed and by its digits. A deal has its contacts' phones and e-mails. It is always a literal
    search: no character has a meaning of its own.
    """
    typed = fold(query.replace("\0", " "))
    if not typed:
        return None
    alternatives = [list(dict.fromkeys(typed.split()))]
    if _PHONE.fullmatch(query) and len(digits(query)) >= 4:
        alternatives = [[term] for term in dict.fromkeys((typed, digits(query)))]
    if is_apart(session):
        return Wallet.id.in_(union_all(*_sources(session, kind, alternatives)))
    own = or_(*[_all_in(Wallet.search_text, terms) for terms in alternatives])
    if kind != DEAL:
        return own
    theirs = _deals_by_contact(alternatives).where(DealContact.connection_id == connection_id)
    return or_(own, Wallet.remote_id.in_(theirs))


def _sources(session: Session, kind: str, alternatives: Sequence[Sequence[str]]) -> list[Select[Any]]:
    """Where SQLite finds the matching rows' ids: in the index, and row by row among those it does not know yet."""
    indexed = [_indexed(terms) for terms in alternatives]
    if not _some_pending(session):
        return indexed
    pending = select(SearchPending.wallet_id)
    current = [source.where(source.selected_columns[0].not_in(pending)) for source in indexed]
    says = or_(*[_all_in(Wallet.search_text, terms) for terms in alternatives])
    if kind == DEAL:
        says = or_(says, _has_contact_that_says(alternatives))
    changed = select(Wallet.id).where(Wallet.id.in_(pending), Wallet.kind == kind, Wallet.deleted_at.is_(None), says)
    return [*current, changed]


def _has_contact_that_says(alternatives: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """The condition on a deal in `Wallet` that one of its contacts matches.

    One within the other and not joined: SQLite would begin with all of the account's contacts, for each deal anew.
    """
    contact = aliased(Wallet)
    says = or_(*[_all_in(contact.search_text, terms) for terms in alternatives])
    matching = select(contact.id).where(_is_contact_of(contact), says).correlate(DealContact).exists()
    links = select(DealContact.deal_id).where(
        DealContact.connection_id == Wallet.connection_id, DealContact.deal_id == Wallet.remote_id, matching
    )
    return links.correlate(Wallet).exists()


def _deals_by_contact(alternatives: Sequence[Sequence[str]]) -> Select[Any]:
    """The ids of deals one of whose contacts matches."""
    contact = aliased(Wallet)
    says = or_(*[_all_in(contact.search_text, terms) for terms in alternatives])
    return select(DealContact.deal_id).join_from(DealContact, contact, _is_contact_of(contact)).where(says)


def _is_contact_of(contact: type[Wallet]) -> ColumnElement[bool]:
    return and_(
        contact.connection_id == DealContact.connection_id,
        contact.kind == CONTACT,
        contact.remote_id == DealContact.contact_id,
        contact.deleted_at.is_(None),
    )


def _of(table: type[Wallet], connection_id: int, kind: str) -> tuple[ColumnElement[bool], ...]:
    return table.connection_id == connection_id, table.kind == kind


def _indexed(terms: Sequence[str]) -> Select[Any]:
    """Ids from the index. Trigrams know terms of three characters or more; shorter ones are looked for in its text.

    That text is a table of its own (FTS5 documents it as `%_content`), far narrower than `Wallet`.
    """
    long = [term for term in terms if len(term) >= 3]
    short = [term for term in terms if len(term) < 3]
    if not long:
        return select(_CONTENT.c.id).where(_all_in(_CONTENT.c.c0, short))
    phrase = " ".join('"{}"'.format(term.replace('"', '""')) for term in long)
    found = select(_INDEX.c.rowid).where(_INDEX.c.wallet_search.op("MATCH")(literal(phrase)))
    return found.where(_all_in(_INDEX.c.content, short)) if short else found


def _all_in(text: ColumnElement[str] | InstrumentedAttribute[str], terms: Sequence[str]) -> ColumnElement[bool]:
    escaped = (term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for term in terms)
    return and_(*[text.like(f"%{term}%", escape="\\") for term in escaped])
