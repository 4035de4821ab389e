"""Records that may be gone from Kommo: suspected, asked for by id, then buried, or kept for a person to decide."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Insert, Table, and_, case, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from kommo.store.among import among
from kommo.store.tables import SyncCandidate, SyncRun, SyncSeen
from kommo.store.upsert import insert_for, write_rows

_TABLE: Table = SyncCandidate.__table__  # type: ignore[assignment]
# Why a record is suspected: its deletion was told, it lies in the trash, a person confirmed it; it was named for
# another reason; it was not met where it should have been.
EVENT, TRASH, CONFIRMED, TOLD, ABSENCE = "event", "trash", "confirmed", "told", "absence"
GONE, ALIVE, BURIED, MISSING = "gone", "alive", "buried", "missing"
_WEAK = (TOLD, ABSENCE)  # no word of a deletion


def suspect(session: Session, run_id: int, stream: str, remote_ids: Sequence[int], evidence: str) -> None:
    """Note records to be asked for, again where that was done before; weaker evidence does not replace a better one."""
    rows = [
        {"run_id": run_id, "stream": stream, "remote_id": key, "evidence": evidence, "verdict": None}
        for key in dict.fromkeys(remote_ids)
    ]
    if rows:
        write_rows(session, _suspect(session.get_bind().dialect.name), rows)


@cache
def _suspect(dialect: str) -> Insert:
    statement = insert_for(dialect, _TABLE)
    known, new = _TABLE.c.evidence, statement.excluded.evidence
    made: Insert = statement.on_conflict_do_update(
        index_elements=["run_id", "stream", "remote_id"],
        set_={
            "verdict": None,
            "evidence": case((or_(new == ABSENCE, and_(new == TOLD, known != ABSENCE)), known), else_=new),
        },
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


def any_open(session: Session, run_id: int) -> bool:
    """Whether anything of a run, of whatever stream, has not been asked for yet."""
    statement = select(SyncCandidate.run_id).where(SyncCandidate.run_id == run_id, SyncCandidate.verdict.is_(None))
    return session.execute(statement.limit(1)).first() is not None


def judge(session: Session, run_id: int, stream: str, remote_ids: Sequence[int], verdict: str) -> None:
    """Note what became of candidates."""
    session.execute(
        update(SyncCandidate)
        .where(
            SyncCandidate.run_id == run_id, SyncCandidate.stream == stream, among(SyncCandidate.remote_id, remote_ids)
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
            SyncCandidate.evidence.in_(_WEAK),
            SyncCandidate.verdict == GONE,
        )
    )
    return session.execute(statement).scalar_one()


def told(session: Session, run_id: int, stream: str, remote_ids: Sequence[int]) -> set[int]:
    """Those of these records that Kommo named in this run: an event, its trash."""
    statement = select(SyncCandidate.remote_id).where(
        SyncCandidate.run_id == run_id,
        SyncCandidate.stream == stream,
        among(SyncCandidate.remote_id, remote_ids),
        SyncCandidate.evidence != ABSENCE,
    )
    return set(session.scalars(statement))


def forget_lot(session: Session, connection_id: int, lot: int) -> int:
    """Drop bookkeeping of an account's runs that are over, at most `lot` rows; gives how many."""
    ended = ("done", "failed", "cancelled")
    over = select(SyncRun.id).where(SyncRun.connection_id == connection_id, SyncRun.state.in_(ended))
    key = (SyncSeen.run_id, SyncSeen.stream, SyncSeen.remote_id)
    some = select(*key).where(SyncSeen.run_id.in_(over)).limit(lot)
    dropped = session.connection().execute(delete(SyncSeen.__table__).where(tuple_(*key).in_(some)))  # type: ignore[arg-type]
    session.connection().execute(delete(_TABLE).where(_TABLE.c.run_id.in_(over)))
    return dropped.rowcount
