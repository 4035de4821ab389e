"""Up to when a copy speaks: the start of the newest run that read a list of records from end to end.

A copy is not of the moment in which it is looked at, and a list that no run has read to its end is no number at all.
"""

from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from kommo.store.tables import Connection, SyncRun, SyncStream
from kommo.store.tables.runs import ACTIVE


@dataclass(frozen=True, slots=True)
class Reach:
    """The time (Unix seconds) each list of the copy speaks for; None where no run ever read it to its end."""

    contacts: float | None = None
    deals: float | None = None


def reach(session: Session, connection: Connection) -> Reach:
    """How far this account's copy reaches: its last finished run counts, an active one only before there is any."""
    begun = func.coalesce(SyncRun.started_at, SyncRun.requested_at)
    over = case((SyncRun.state.not_in(ACTIVE), begun))
    statement = (
        select(SyncStream.stream, func.max(over), func.max(begun))
        .join(SyncRun, SyncRun.id == SyncStream.run_id)
        .where(
            SyncRun.connection_id == connection.id,
            or_(SyncRun.state == "done", SyncStream.finished_at.is_not(None)),
        )
        .group_by(SyncStream.stream)
    )
    return Reach(**{stream: finished or active for stream, finished, active in session.execute(statement)})
