"""Watermarks as rows: up to where a copy holds everything, and the events that were acted upon already."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kommo.db import clock
from kommo.store.tables import SyncEvent, SyncMark, SyncStream
from kommo.store.upsert import insert_missing, upsert

RECORDS, EVENTS, COMPANIES = "records", "events", "companies"  # the feeds; a stream's own name is that of its trash
DAY = 86_400.0


def mark_of(session: Session, connection_id: int, feed: str) -> SyncMark | None:
    """The watermark of one feed of an account, if there is one."""
    return session.get(SyncMark, (connection_id, feed), populate_existing=True)


def is_refused(session: Session, connection_id: int, feed: str) -> bool:
    """Whether Kommo refused a feed within a day: a plan or a right is not asked about at each run."""
    statement = select(SyncMark.feed).where(
        SyncMark.connection_id == connection_id, SyncMark.feed == feed, SyncMark.refused_at > clock() - DAY
    )
    return session.execute(statement).first() is not None


def set_mark(session: Session, connection_id: int, feed: str, **values: Any) -> None:
    """Set columns of a feed's watermark; the others stay as they are."""
    row = {"connection_id": connection_id, "feed": feed} | values
    upsert(session, SyncMark.__table__, [row])  # type: ignore[arg-type]


def set_cursor(session: Session, run_id: int, stream: str, moment: int) -> None:
    """Note how far a run's reading of changes has come in a stream."""
    session.execute(
        update(SyncStream)
        .where(SyncStream.run_id == run_id, SyncStream.stream == stream)
        .values(cursor=moment)
        .execution_options(synchronize_session=False)
    )


def require_sweep(session: Session, connection_id: int) -> None:
    """Let the account's next run read everything: what was read before may not be all that can be read now."""
    session.execute(delete(SyncMark).where(SyncMark.connection_id == connection_id))


def known_events(session: Session, connection_id: int, event_ids: Sequence[str]) -> set[str]:
    """Those of these events that were acted upon in an earlier run."""
    statement = select(SyncEvent.event_id).where(
        SyncEvent.connection_id == connection_id, SyncEvent.event_id.in_(event_ids)
    )
    return set(session.scalars(statement))


def keep_events(session: Session, connection_id: int, events: Mapping[str, int], before: int) -> None:
    """Remember events (their times, Unix seconds, by id) as acted upon, and forget those from before a moment."""
    rows = [
        {"connection_id": connection_id, "event_id": key, "created_at": moment}
        for key, moment in events.items()
        if moment >= before
    ]
    insert_missing(session, SyncEvent.__table__, rows)  # type: ignore[arg-type]
    old = delete(SyncEvent).where(SyncEvent.connection_id == connection_id, SyncEvent.created_at < before)
    session.execute(old.execution_options(synchronize_session=False))
