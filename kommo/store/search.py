"""The search index over names, phones and e-mails: FTS5 trigrams on SQLite, pg_trgm on PostgreSQL.

Both index one folded column, `Wallet.search_text`. On SQLite the index is a table of its own; written row by row it
would halve the ingest, so pages only note which rows changed and `catch_up` indexes them in short transactions.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, column, delete, literal, or_, select, table, text, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from kommo.db import writing
from kommo.store.tables import SearchPending, Wallet
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


def mark(session: Session, connection_id: int, kind: str, remote_ids: Sequence[int]) -> None:
    """Note that these rows' index is out of date (PostgreSQL keeps its own index current)."""
    if session.get_bind().dialect.name != "sqlite":
        return
    changed = select(Wallet.id).where(
        Wallet.connection_id == connection_id, Wallet.kind == kind, Wallet.remote_id.in_(remote_ids)
    )
    statement = insert_for("sqlite", SearchPending.__table__).from_select(["wallet_id"], changed)  # type: ignore[arg-type]
    session.execute(statement.prefix_with("OR IGNORE"))


def catch_up(engine: Engine) -> int:
    """Index every row that is noted, a lot a transaction; gives how many there were. Safe to stop anywhere."""
    if engine.dialect.name != "sqlite":
        return 0
    done = 0
    while True:
        with writing(engine) as session:
            lot = list(session.scalars(select(SearchPending.wallet_id).order_by(SearchPending.wallet_id).limit(LOT)))
            if not lot:
                return done
            _index(session, lot)
        done += len(lot)


def _index(session: Session, lot: list[int]) -> None:
    session.execute(delete(_INDEX).where(_INDEX.c.rowid.in_(lot)))
    session.execute(
        text(
            'INSERT INTO wallet_search (rowid, content) SELECT id, search_text FROM "Wallet" '
            "WHERE id IN (SELECT wallet_id FROM search_pending ORDER BY wallet_id LIMIT :lot) AND deleted_at IS NULL"
        ),
        {"lot": len(lot)},
    )
    session.execute(delete(SearchPending).where(SearchPending.wallet_id.in_(lot)))


def matches(session: Session, query: str) -> ColumnElement[bool] | None:
    """The condition on `Wallet` for what a person typed; None where they typed nothing to search for.

    Every word must occur, anywhere in name, phone or e-mail, accents and case aside; what looks like a phone number
    is also compared by its digits. It is always a literal search: no character has a meaning of its own.
    """
    words = list(dict.fromkeys(fold(query.replace("\0", " ")).split()))
    if not words:
        return None
    alternatives = [words]
    if _PHONE.fullmatch(query) and len(digits(query)) >= 3 and [digits(query)] != words:
        alternatives.append([digits(query)])
    if session.get_bind().dialect.name != "sqlite":
        return or_(*[_all_in(Wallet.search_text, terms) for terms in alternatives])
    return Wallet.id.in_(union_all(*_sources(session, alternatives)))


def _sources(session: Session, alternatives: Sequence[Sequence[str]]) -> list[Select[Any]]:
    """Where SQLite finds the matching rows' ids: in the index, and row by row among those it does not know yet."""
    indexed = [_indexed(terms) for terms in alternatives]
    if session.scalars(select(SearchPending.wallet_id).limit(1)).first() is None:
        return indexed
    pending = select(SearchPending.wallet_id)
    current = [source.where(source.selected_columns[0].not_in(pending)) for source in indexed]
    changed = or_(*[_all_in(Wallet.search_text, terms) for terms in alternatives])
    return [*current, select(Wallet.id).where(Wallet.id.in_(pending), Wallet.deleted_at.is_(None), changed)]


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
