"""Records that Kommo gives no more, too many at once to believe it: kept until a person says that they are gone.

They belong to the copy, not to a run: runs of what changed come and go while the question waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kommo.store.among import among
from kommo.store.candidates import ABSENCE, CONFIRMED, GONE, MISSING, TOLD, judge, suspect
from kommo.store.tables import SyncCandidate, SyncMissing, Wallet
from kommo.store.upsert import upsert

TITLE_LENGTH = 200  # characters of a name


@dataclass(frozen=True, slots=True)
class Listed:
    """A record as the list of missing ones shows it; `updated_at` is Kommo's (Unix seconds)."""

    id: int
    title: str
    updated_at: int | None


def keep(session: Session, connection_id: int, run_id: int, stream: str) -> None:
    """Set aside what this run found gone without a deletion told."""
    found = list(
        session.scalars(
            select(SyncCandidate.remote_id).where(
                SyncCandidate.run_id == run_id,
                SyncCandidate.stream == stream,
                SyncCandidate.evidence.in_((ABSENCE, TOLD)),
                SyncCandidate.verdict == GONE,
            )
        )
    )
    row = {"connection_id": connection_id, "stream": stream, "run_id": run_id}
    upsert(session, SyncMissing.__table__, [row | {"remote_id": key} for key in found])  # type: ignore[arg-type]
    for begin in range(0, len(found), 500):
        judge(session, run_id, stream, found[begin : begin + 500], MISSING)


def asked_before(session: Session, connection_id: int, run_id: int, stream: str) -> int:
    """How many records wait for a person's word that this run has not asked for itself."""
    asked = select(SyncCandidate.remote_id).where(
        SyncCandidate.run_id == run_id,
        SyncCandidate.stream == stream,
        SyncCandidate.remote_id == SyncMissing.remote_id,
    )
    statement = select(func.count()).where(
        SyncMissing.connection_id == connection_id, SyncMissing.stream == stream, ~asked.exists()
    )
    return session.execute(statement).scalar_one()


def found_again(session: Session, connection_id: int, stream: str, remote_ids: Sequence[int]) -> None:
    """Kommo gives these records, or they are buried: nobody has to be asked about them any more."""
    table = SyncMissing.__table__
    statement = delete(SyncMissing).where(
        table.c.connection_id == connection_id, table.c.stream == stream, among(table.c.remote_id, remote_ids)
    )
    session.connection().execute(statement)


def counts(session: Session, connection_id: int) -> dict[str, int]:
    """How many records of each stream wait for a person's word; streams without any are left out."""
    statement = (
        select(SyncMissing.stream, func.count())
        .where(SyncMissing.connection_id == connection_id)
        .group_by(SyncMissing.stream)
        .order_by(SyncMissing.stream)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def ids(session: Session, connection_id: int, stream: str) -> list[int]:
    """The records of a stream that wait for a person's word, in order of id."""
    statement = (
        select(SyncMissing.remote_id)
        .where(SyncMissing.connection_id == connection_id, SyncMissing.stream == stream)
        .order_by(SyncMissing.remote_id)
    )
    return list(session.scalars(statement))


def found_by(session: Session, connection_id: int) -> int | None:
    """The newest run that found records missing; None where nothing waits for a word."""
    statement = select(func.max(SyncMissing.run_id)).where(SyncMissing.connection_id == connection_id)
    return session.execute(statement).scalar_one()


def confirm(session: Session, connection_id: int, new_run: int) -> None:
    """Hand what waits for a person's word to the run that is to ask for each of them once more."""
    for stream in counts(session, connection_id):
        suspect(session, new_run, stream, ids(session, connection_id, stream), CONFIRMED)


def listed(session: Session, connection_id: int, stream: str, kind: str, limit: int, offset: int = 0) -> list[Listed]:
    """Records that wait for a person's word, in order of id."""
    statement = (
        select(Wallet.remote_id, func.substr(Wallet.title, 1, TITLE_LENGTH), Wallet.updated_at)
        .join(SyncMissing, SyncMissing.remote_id == Wallet.remote_id)
        .where(
            Wallet.connection_id == connection_id,
            Wallet.kind == kind,
            SyncMissing.connection_id == connection_id,
            SyncMissing.stream == stream,
        )
        .order_by(Wallet.remote_id)
        .limit(limit)
        .offset(offset)
    )
    return [Listed(*row) for row in session.execute(statement)]
