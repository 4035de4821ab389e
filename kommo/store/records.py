"""Writing records into `Wallet`: a page at a time, only what changed, never an older version over a newer one."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from kommo.db import clock
from kommo.store import missing, search, suppression
from kommo.store.among import among, each
from kommo.store.tables import DealContact, SyncCandidate, SyncRun, SyncSeen, SyncStream, Wallet
from kommo.store.tables.runs import DELTA
from kommo.store.tables.wallet import DEAL
from kommo.store.upsert import insert_for, write_rows

CREATED, UPDATED, UNCHANGED, DELETED = "c", "u", "n", "d"
PASSED = "-"  # came and went within the run: it changed nothing
_TABLE: Table = Wallet.__table__  # type: ignore[assignment]
_SEEN: Table = SyncSeen.__table__  # type: ignore[assignment]
_LINKS: Table = DealContact.__table__  # type: ignore[assignment]
_INSERT_LINKS = _LINKS.insert()
_KEY = ("connection_id", "kind", "remote_id")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as it arrived: the values of its `Wallet` columns by column name, and a deal's contacts.

    `links` is a list of (contact id, is main) in Kommo's order, None for a record that is no deal. `bare` gives the
    record without its texts, and without its links to the contacts that were erased. `erased_at` is set on a contact
    that is nothing but its number any more.
    """

    remote_id: int
    content_hash: bytes
    values: dict[str, Any]
    links: list[tuple[int, bool]] | None = None
    bare: "Callable[[Collection[int]], Incoming] | None" = None
    erased_at: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Whose copy, of which kind of record, and in which reading pass of which run (None outside a run)."""

    user_id: str
    connection_id: int
    kind: str
    run_id: int
    stream: str
    read_pass: int = 1


@dataclass(slots=True)
class Written:
    """What a page did to the copy: rows met for the first time in this run, the rows written.

    Of these, `created` were not held at all, and `revived` were buried.
    """

    first_seen: int = 0
    changed: list[Incoming] = field(default_factory=list)
    created: list[Incoming] = field(default_factory=list)
    revived: list[Incoming] = field(default_factory=list)


def write_page(session: Session, target: Target, page: Sequence[Incoming], version: int) -> Written:
    """Bring one page into the copy, inside the caller's transaction.

    `version` orders readings by when they were asked for: a stored row of a later reading is left alone. A row
    that was deleted here and is alive in a later reading comes back to life; one that was erased never gets its values.
    """
    suppression.keep_deals(session, target, page)
    latest = {incoming.remote_id: incoming for incoming in suppression.clean(session, target, page)}
    held = _held(session, target, latest)
    changes = {key: _change(held.get(key), incoming, version) for key, incoming in latest.items()}
    changed = [latest[key] for key, change in changes.items() if change != UNCHANGED]
    if changed:
        rows = [_row(target, incoming, version) for incoming in changed]
        found_by = _found_by(session, target, held, changed)
        write_rows(session, _upsert(session.get_bind().dialect.name), rows)
        _write_links(session, target, changed)
        search.mark(session, target.connection_id, target.kind, found_by)
    missing.found_again(session, target.connection_id, target.stream, list(latest))
    created = [one for one in changed if one.remote_id not in held]
    revived = [one for one in changed if one.remote_id in held and held[one.remote_id].deleted_at is not None]
    return Written(_mark_seen(session, target, changes), changed, created, revived)


def bury(session: Session, target: Target, remote_ids: Sequence[int], version: int) -> list[int]:
    """Set `deleted_at` on the live rows among `remote_ids` that no later reading has; gives those buried."""
    live = _held(session, target, remote_ids)
    gone = [key for key, row in live.items() if row.deleted_at is None and row.version <= version]
    if gone:
        session.execute(
            update(Wallet)
            .where(*_of(target), among(Wallet.remote_id, gone), Wallet.version <= version)
            .values(deleted_at=clock(), version=version)
            .execution_options(synchronize_session=False)
        )
        search.mark(session, target.connection_id, target.kind, gone)
        missing.found_again(session, target.connection_id, target.stream, gone)
    _mark_seen(session, target, dict.fromkeys(gone, DELETED))
    return gone


def unseen(session: Session, target: Target, after: int, limit: int) -> list[int]:
    """Live rows with an id above `after` that the current reading pass did not meet, in order of id.

    Each is looked for in the index: told NOT EXISTS, a PostgreSQL that has not counted this run's rows yet compares
    every row with every other.
    """
    met = (
        select(SyncSeen.read_pass)
        .where(
            SyncSeen.run_id == target.run_id,
            SyncSeen.stream == target.stream,
            SyncSeen.remote_id == Wallet.remote_id,
            SyncSeen.read_pass == target.read_pass,
        )
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(Wallet.remote_id)
        .where(*_of(target), Wallet.deleted_at.is_(None), Wallet.remote_id > after, met.is_(None))
        .order_by(Wallet.remote_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def tally(session: Session, run_id: int) -> None:
    """Note on a run's streams how many different records it created, updated, left unchanged and deleted so far.

    A run that read what changed, and was compared with Kommo to the end, left all the others unchanged.
    """
    statement = (
        select(SyncSeen.stream, SyncSeen.change, func.count())
        .where(SyncSeen.run_id == run_id)
        .group_by(SyncSeen.stream, SyncSeen.change)
    )
    counts = {(stream, change): number for stream, change, number in session.execute(statement)}
    mode = session.scalars(select(SyncRun.mode).where(SyncRun.id == run_id)).one()
    for row in session.scalars(select(SyncStream).where(SyncStream.run_id == run_id)):
        row.created, row.updated, row.unchanged, row.deleted = (
            counts.get((row.stream, change), 0) for change in (CREATED, UPDATED, UNCHANGED, DELETED)
        )
        if mode == DELTA and row.state == "done" and row.local_count is not None:
            row.unchanged = max(row.local_count + row.erased - row.created - row.updated, 0)


def live_count(session: Session, connection_id: int, kind: str) -> int:
    """How many records of one kind are held and not deleted, without those that were erased at a person's wish."""
    return _count(session, connection_id, kind, Wallet.erased_at.is_(None))


def erased_count(session: Session, connection_id: int, kind: str) -> int:
    """How many records of one kind are alive at Kommo and were erased here at a person's wish."""
    return _count(session, connection_id, kind, Wallet.erased_at.is_not(None))


def alive_count(session: Session, connection_id: int, kind: str) -> int:
    """How many records of one kind Kommo should have: those held, and those kept out."""
    return live_count(session, connection_id, kind) + erased_count(session, connection_id, kind)


def _count(session: Session, connection_id: int, kind: str, which: ColumnElement[bool]) -> int:
    return session.execute(
        select(func.count())
        .select_from(Wallet)
        .where(Wallet.connection_id == connection_id, Wallet.kind == kind, Wallet.deleted_at.is_(None), which)
    ).scalar_one()


def is_live(session: Session, connection_id: int, kind: str, remote_id: int) -> bool:
    """Whether a record is held and not deleted."""
    statement = select(Wallet.id).where(
        Wallet.connection_id == connection_id,
        Wallet.kind == kind,
        Wallet.remote_id == remote_id,
        Wallet.deleted_at.is_(None),
    )
    return session.scalars(statement).first() is not None


def witness(session: Session, target: Target) -> int | None:
    """The newest live record that nothing speaks against in this run: Kommo gives it, where it gives what is asked."""
    suspected = select(SyncCandidate.remote_id).where(
        SyncCandidate.run_id == target.run_id,
        SyncCandidate.stream == target.stream,
        SyncCandidate.remote_id == Wallet.remote_id,
    )
    statement = (
        select(Wallet.remote_id)
        .where(*_of(target), Wallet.deleted_at.is_(None), ~suspected.exists())
        .order_by(Wallet.remote_id.desc())
        .limit(1)
    )
    return session.scalars(statement).first()


def deals_of_contacts(session: Session, connection_id: int, contact_ids: Sequence[int]) -> list[int]:
    """The ids of the deals linked to any of these contacts."""
    statement = select(DealContact.deal_id).where(
        DealContact.connection_id == connection_id, among(DealContact.contact_id, contact_ids)
    )
    return sorted(set(session.scalars(statement)))


def _of(target: Target) -> tuple[Any, Any]:
    return Wallet.connection_id == target.connection_id, Wallet.kind == target.kind


def _held(session: Session, target: Target, remote_ids: Iterable[int]) -> dict[int, Any]:
    columns = (_TABLE.c.remote_id, _TABLE.c.content_hash, _TABLE.c.version, _TABLE.c.deleted_at)
    statement = select(*columns).where(
        _TABLE.c.connection_id == target.connection_id,
        _TABLE.c.kind == target.kind,
        among(_TABLE.c.remote_id, remote_ids),
    )
    return {row.remote_id: row for row in session.connection().execute(statement)}


def _change(known: Any | None, incoming: Incoming, version: int) -> str:
    """What writing `incoming` would do to the row that is held; nothing where a later reading is held."""
    if known is None:
        return CREATED
    same = known.deleted_at is None and known.content_hash == incoming.content_hash
    return UNCHANGED if same or known.version > version else UPDATED


def _row(target: Target, incoming: Incoming, version: int) -> dict[str, Any]:
    return incoming.values | {
        "user_id": target.user_id,
        "connection_id": target.connection_id,
        "kind": target.kind,
        "remote_id": incoming.remote_id,
        "content_hash": incoming.content_hash,
        "version": version,
        "deleted_at": None,
        "erased_at": incoming.erased_at,
    }


@cache
def _upsert(dialect: str) -> Insert:
    statement = insert_for(dialect, _TABLE)
    changed = {
        column.name: statement.excluded[column.name]
        for column in _TABLE.c
        if column.name not in ("id", "user_id", "type", *_KEY)
    }
    made: Insert = statement.on_conflict_do_update(
        index_elements=_KEY, set_=changed, where=_TABLE.c.version <= statement.excluded.version
    )
    return made


def _found_by(session: Session, target: Target, held: Collection[int], changed: list[Incoming]) -> list[int]:
    """Of records about to be written, those that a search will find by something else than before.

    Most changes leave names, phones, e-mails and links alone. To be asked before anything is written.
    """
    known = [incoming.remote_id for incoming in changed if incoming.remote_id in held]
    if not known or not search.is_apart(session):
        return [incoming.remote_id for incoming in changed]
    shown = (Wallet.deleted_at.is_(None), Wallet.erased_at.is_(None))
    texts = select(Wallet.remote_id, Wallet.search_text).where(*_of(target), among(Wallet.remote_id, known), *shown)
    before: dict[int, str] = {row.remote_id: row.search_text for row in session.execute(texts)}
    links: dict[int, set[int]] = {key: set() for key in known}
    if target.kind == DEAL:
        theirs = select(DealContact.deal_id, DealContact.contact_id).where(
            DealContact.connection_id == target.connection_id, among(DealContact.deal_id, known)
        )
        for deal_id, contact_id in session.execute(theirs):
            links[deal_id].add(contact_id)
    return [
        incoming.remote_id
        for incoming in changed
        if incoming.erased_at is not None
        or before.get(incoming.remote_id) != incoming.values["search_text"]
        or links[incoming.remote_id] != {contact_id for contact_id, _ in incoming.links or ()}
    ]


def _write_links(session: Session, target: Target, page: list[Incoming]) -> None:
    """Put a deal's links in place of those that are there, of a deal that is not held too: an erasing left them."""
    deals = [incoming for incoming in page if incoming.links is not None]
    if deals:
        keys = [deal.remote_id for deal in deals]
        session.execute(
            delete(DealContact).where(
                DealContact.connection_id == target.connection_id, among(DealContact.deal_id, keys)
            )
        )
    links = [
        {
            "connection_id": target.connection_id,
            "deal_id": deal.remote_id,
            "contact_id": contact_id,
            "is_main": is_main,
            "position": position,
        }
        for deal in deals
        for position, (contact_id, is_main) in enumerate(dict(deal.links or ()).items())
    ]
    if links:
        write_rows(session, _INSERT_LINKS, links)


def _mark_seen(session: Session, target: Target, changes: dict[int, str]) -> int:
    """Remember what was met; gives how many records were met for the first time in this run."""
    if not changes:
        return 0
    of_run = (_SEEN.c.run_id == target.run_id, _SEEN.c.stream == target.stream)
    statement = select(func.count()).where(*of_run, among(_SEEN.c.remote_id, changes))
    before = session.connection().execute(statement).scalar_one()
    see = _see(session.get_bind().dialect.name)
    for change in sorted(set(changes.values())):
        given = {
            "run_id": target.run_id,
            "stream": target.stream,
            "ids": [key for key, one in changes.items() if one == change],
            "read_pass": target.read_pass,
            "change": change,
        }
        session.connection().execute(see, given)
    return len(changes) - int(before)


@cache
def _see(dialect: str) -> Insert:
    """A later meeting moves the pass on; the change keeps what happened to the row over the whole run.

    One statement for all ids: a row of parameters each costs PostgreSQL a round of its own.
    """
    ids = each("ids")
    given = {name: bindparam(name, type_=_SEEN.c[name].type) for name in ("run_id", "stream", "read_pass", "change")}
    met = select(given["run_id"], given["stream"], ids.c.value, given["read_pass"], given["change"])
    columns = ["run_id", "stream", "remote_id", "read_pass", "change"]
    # Without a condition SQLite takes ON CONFLICT for one of a join.
    statement = insert_for(dialect, _SEEN).from_select(columns, met.where(ids.c.value.is_not(None)))
    old, new = _SEEN.c.change, statement.excluded.change
    made: Insert = statement.on_conflict_do_update(
        index_elements=["run_id", "stream", "remote_id"],
        set_={
            "read_pass": statement.excluded.read_pass,
            "change": case(
                (new == UNCHANGED, old),
                (and_(old == CREATED, new == DELETED), PASSED),
                (new == DELETED, new),
                (or_(old == CREATED, old == PASSED), CREATED),
                else_=UPDATED,
            ),
        },
    )
    return made
