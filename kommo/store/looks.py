"""A second look: what is held of records that Kommo has just given, to compare them field by field."""

from array import array
from collections.abc import Collection, Sequence

import orjson
from sqlalchemy import ColumnElement, RowMapping, Table, select, update
from sqlalchemy.orm import Session

from kommo.store import suppression
from kommo.store.among import among
from kommo.store.records import Incoming, Target
from kommo.store.tables import DealContact, SyncMissing, Wallet

_TABLE: Table = Wallet.__table__  # type: ignore[assignment]
_LINKS: Table = DealContact.__table__  # type: ignore[assignment]
_RECORD = "metadata"


def differing(session: Session, target: Target, page: Sequence[Incoming]) -> tuple[list[int], list[int]]:
    """The ids of those records of a page that are held otherwise, and of those that are not held alive.

    Compared column by column, and the links in their order. What waits for a person's word counts as not held; what was
    erased at a person's wish is compared as it may be kept.
    """
    page = suppression.clean(session, target, page)
    keys = [incoming.remote_id for incoming in page]
    statement = select(_TABLE).where(*_live(target), among(_TABLE.c.remote_id, keys), ~_asked_about(target))
    held = {row["remote_id"]: row for row in session.connection().execute(statement).mappings()}
    links = _links(session, target, [incoming.remote_id for incoming in page if incoming.links is not None])
    other = [
        one.remote_id
        for one in page
        if one.remote_id in held and not _same(one, held[one.remote_id], links.get(one.remote_id, []))
    ]
    return other, [key for key in keys if key not in held]


def between(session: Session, target: Target, low: int, high: int | None, given: Collection[int]) -> list[int]:
    """Live records held with an id from `low` to `high` (None: without end) that are not among those `given`.

    Those that wait for a person's word are left out; so are more than 1,000: one page cannot speak of so many.
    """
    inside: list[ColumnElement[bool]] = [_TABLE.c.remote_id >= low]
    inside += [_TABLE.c.remote_id <= high] if high is not None else []
    statement = (
        select(_TABLE.c.remote_id)
        .where(*_live(target), *inside, ~among(_TABLE.c.remote_id, given), ~_asked_about(target))
        .order_by(_TABLE.c.remote_id)
        .limit(1000)
    )
    return list(session.connection().execute(statement).scalars())


def live_ids(session: Session, target: Target) -> "array[int]":
    """The ids of all live records that do not wait for a person's word, ascending: 8 bytes each."""
    statement = select(_TABLE.c.remote_id).where(*_live(target), ~_asked_about(target)).order_by(_TABLE.c.remote_id)
    found = session.connection().execution_options(yield_per=5000).execute(statement)
    return array("q", found.scalars())


def distrust(session: Session, target: Target, remote_ids: Sequence[int]) -> None:
    """Let the next reading of these records be written, whatever their hash says."""
    statement = update(_TABLE).where(*_live(target), among(_TABLE.c.remote_id, remote_ids)).values(content_hash=b"")
    session.connection().execute(statement)


def _live(target: Target) -> tuple[ColumnElement[bool], ...]:
    of = (_TABLE.c.connection_id == target.connection_id, _TABLE.c.kind == target.kind)
    return (*of, _TABLE.c.deleted_at.is_(None))


def _asked_about(target: Target) -> ColumnElement[bool]:
    statement = select(SyncMissing.remote_id).where(
        SyncMissing.connection_id == target.connection_id,
        SyncMissing.stream == target.stream,
        SyncMissing.remote_id == _TABLE.c.remote_id,
    )
    return statement.exists()


def _links(session: Session, target: Target, deals: Sequence[int]) -> dict[int, list[tuple[int, bool]]]:
    found: dict[int, list[tuple[int, bool]]] = {}
    statement = (
        select(_LINKS.c.deal_id, _LINKS.c.contact_id, _LINKS.c.is_main)
        .where(_LINKS.c.connection_id == target.connection_id, among(_LINKS.c.deal_id, deals))
        .order_by(_LINKS.c.position)
    )
    for deal, contact, is_main in session.connection().execute(statement):
        found.setdefault(deal, []).append((contact, is_main))
    return found


def _same(given: Incoming, held: RowMapping, links: list[tuple[int, bool]]) -> bool:
    if held["content_hash"] != given.content_hash:
        return False
    if any(held[name] != value for name, value in given.values.items() if name != _RECORD):
        return False
    return held[_RECORD] == orjson.loads(str(given.values[_RECORD])) and (given.links is None or links == given.links)
