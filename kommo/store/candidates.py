"""Records that may be gone from Kommo: suspected, asked for by id, then buried, or kept for a person to decide."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Insert, Table, case, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from kommo.store.tables import SyncCandidate, SyncRun, SyncSeen, Wallet
from kommo.store.upsert import insert_for

_TABLE: Table = SyncCandidate.__table__  # type: ignore[assignment]
# Why a record is suspected: its deletion was told, it lies in the trash, a person confirmed it, or none of that.
EVENT, TRASH, CONFIRMED, ABSENCE = "event", "trash", "confirmed", "absence"
GONE, ALIVE, BURIED, GUARDED = "gone", "alive", "buried", "guarded"


def suspect(session: Session, run_id: int, stream: str, remote_ids: Sequence[int], evidence: str) -> None:
    """Note records to be asked for, again where that was done before; absence does not replace better evidence."""
    rows = [
        {"run_id": run_id, "stream": stream, "remote_id": key, "evidence": evidence, "verdict": None}
        for key in dict.fromkeys(remote_ids)
    ]
    if rows:
        session.connection().execute(_suspect(session.get_bind().dialect.name), rows)


@cache
def _suspect(dialect: str) -> Insert:
    statement = insert_for(dialect, _TABLE)
    known, new = _TABLE.c.evidence, statement.excluded.evidence
    made: Insert = statement.on_conflict_do_update(
        index_elements=["run_id", "stream", "remote_id"],
        set_={"verdict": None, "evidence": case((new == ABSENCE, known), else_=new)},
    )
    return made


def open_ids(session: Session, run_id: int, stream: str, limit: int) -> list[int]:
    """Candidates not asked for yet, in order of id."""
    statement = (
        select(SyncCandidate.remote_id)
        .where(SyncCandidate.run_id == run_id, SyncCandidate.stream == stream, SyncCandidate.verdict.is_(None))
        .order_by(SyncCandidate.remote_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def judge(session: Session, run_id: int, stream: str, remote_ids: Sequence[int], verdict: str) -> None:
    """Note what became of candidates."""
    session.execute(
        update(SyncCandidate)
        .where(
            SyncCandidate.run_id == run_id, SyncCandidate.stream == stream, SyncCandidate.remote_id.in_(remote_ids)
        )
        .values(verdict=verdict)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def with_verdict(session: Session, run_id: int, stream: str, verdict: str, limit: int) -> list[int]:
    """Candidates of one verdict, in order of id."""
    statement = (
        select(SyncCandidate.remote_id)
        .where(SyncCandidate.run_id == run_id, SyncCandidate.stream == stream, SyncCandidate.verdict == verdict)
        .order_by(SyncCandidate.remote_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def absent_and_gone(session: Session, run_id: int, stream: str) -> int:
    """How many records are gone with no better evidence than that they were not met."""
    statement = (
        select(func.count())
        .select_from(SyncCandidate)
        .where(
            SyncCandidate.run_id == run_id,
            SyncCandidate.stream == stream,
            SyncCandidate.evidence == ABSENCE,
            SyncCandidate.verdict == GONE,
        )
    )
    return session.execute(statement).scalar_one()


def guard(session: Session, run_id: int, stream: str) -> None:
    """Keep those records: only a person may say that so many are gone."""
    session.execute(
        update(SyncCandidate)
        .where(
            SyncCandidate.run_id == run_id,
            SyncCandidate.stream == stream,
            SyncCandidate.evidence == ABSENCE,
            SyncCandidate.verdict == GONE,
        )
        .values(verdict=GUARDED)
        .execution_options(synchronize_session=False)
    )


def any_guarded(session: Session, run_id: int) -> bool:
    """Whether records of a run wait for a person's word."""
    statement = select(SyncCandidate.run_id).where(SyncCandidate.run_id == run_id, SyncCandidate.verdict == GUARDED)
    return session.execute(statement.limit(1)).first() is not None


def confirm(session: Session, run_id: int, new_run: int) -> None:
    """Hand the records that waited for a person's word to the run that is to ask for them once more."""
    session.execute(
        update(SyncCandidate)
        .where(SyncCandidate.run_id == run_id, SyncCandidate.verdict == GUARDED)
        .values(run_id=new_run, evidence=CONFIRMED, verdict=None)
        .execution_options(synchronize_session=False)
    )


def guarded_titles(session: Session, connection_id: int, run_id: int, stream: str, kind: str, limit: int) -> list[str]:
    """Names of records that wait for a person's word, a sample for the page."""
    statement = (
        select(Wallet.title)
        .join(SyncCandidate, SyncCandidate.remote_id == Wallet.remote_id)
        .where(
            Wallet.connection_id == connection_id,
            Wallet.kind == kind,
            SyncCandidate.run_id == run_id,
            SyncCandidate.stream == stream,
            SyncCandidate.verdict == GUARDED,
        )
        .order_by(Wallet.remote_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def forget_lot(session: Session, lot: int) -> int:
    """Drop bookkeeping of runs that are over, at most `lot` rows; gives how many. Guarded candidates stay."""
    over = select(SyncRun.id).where(SyncRun.state.in_(("done", "failed", "cancelled")))
    key = (SyncSeen.run_id, SyncSeen.stream, SyncSeen.remote_id)
    some = select(*key).where(SyncSeen.run_id.in_(over)).limit(lot)
    dropped = session.connection().execute(delete(SyncSeen.__table__).where(tuple_(*key).in_(some)))  # type: ignore[arg-type]
    settled = or_(SyncCandidate.verdict.is_(None), SyncCandidate.verdict != GUARDED)
    session.connection().execute(delete(_TABLE).where(_TABLE.c.run_id.in_(over), settled))
    return dropped.rowcount
