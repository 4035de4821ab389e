"""Sync runs as rows: asked for, claimed by one worker at a time, held by a lease, ended once.

Every change of a running run is bound to the fence it was claimed with, so that a worker which slept past its lease
(paused process, dead network) changes nothing any more. Times are the database's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Table, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from kommo.db import clock, now
from kommo.store import records
from kommo.store.tables import Connection, SyncRun, SyncStream
from kommo.store.tables.runs import ACTIVE, ACTIVE_SQL, SWEEP

_RUNS: Table = SyncRun.__table__  # type: ignore[assignment]
STREAMS = ("contacts", "deals")
KEPT = 1000  # finished runs an account keeps in its history: three days of one every five minutes
FAR = 4000.0  # seconds; no lease and no pause is as long: a time further away is of a clock that was set back


def _hold(going_on: bool) -> ReturningUpdate[tuple[bool]]:
    run = _RUNS.c
    return (
        update(_RUNS)
        .where(run.id == bindparam("of_run"), run.fence == bindparam("held_with"), run.state == "running")
        .values(
            lease_until=clock() + bindparam("lease", type_=Float),
            requests=run.requests + bindparam("sent", type_=Integer),
            waiting=None if going_on else run.waiting,
        )
        .returning(run.cancel)
    )


_HOLD = {going_on: _hold(going_on) for going_on in (True, False)}  # made once: every transaction begins with it


class AlreadyRunning(Exception):
    """The account has a run that is not over; `run_id` names it."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"run {run_id} is active")
        self.run_id = run_id


class LostLease(Exception):
    """Another worker owns the run now, or it is over: write nothing more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run as its owner holds it; `number` counts the claims of the account's runs."""

    run_id: int
    fence: int
    connection_id: int
    number: int


def request(session: Session, connection_id: int, trigger: str, *, sweep: bool = False) -> int:
    """Ask for a run of an account; gives its id. Raises AlreadyRunning where one is not over yet.

    `sweep` asks for everything to be read; otherwise the worker reads what changed, where it can.
    """
    if (found := active(session, connection_id)) is not None:
        raise AlreadyRunning(found.id)
    mode = SWEEP if sweep else None
    run = SyncRun(connection_id=connection_id, trigger=trigger, mode=mode, requested_at=now(session))
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:  # the partial unique index: another process was first
        again = active(session, connection_id)
        raise AlreadyRunning(again.id if again else 0) from None
    session.add_all([SyncStream(run_id=run.id, stream=stream) for stream in STREAMS])
    return run.id


def active(session: Session, connection_id: int) -> SyncRun | None:
    """The account's run that is not over, if any."""
    statement = select(SyncRun).where(SyncRun.connection_id == connection_id, SyncRun.state.in_(ACTIVE))
    return session.scalars(statement).one_or_none()


def newest(session: Session, connection_id: int) -> int | None:
    """The id of the account's newest run."""
    return session.execute(select(func.max(SyncRun.id)).where(SyncRun.connection_id == connection_id)).scalar_one()


def due() -> ColumnElement[bool]:
    """The condition for a run that a worker may take: asked for, paused long enough, or left by a dead worker."""
    return or_(
        SyncRun.state == "queued",
        and_(SyncRun.state == "running", _lapsed()),
        and_(SyncRun.state == "paused", or_(SyncRun.resume_at <= clock(), SyncRun.resume_at > clock() + FAR)),
    )


def _lapsed() -> ColumnElement[bool]:
    """The condition for a lease that is over, or was given by a clock that has been set back since."""
    return or_(SyncRun.lease_until < clock(), SyncRun.lease_until > clock() + FAR)


def due_ids(session: Session) -> list[int]:
    """The runs a worker should be woken for."""
    # The partial index's own text, and a range of its column: it alone is read, however long all histories are.
    return sorted(session.scalars(select(SyncRun.id).where(ACTIVE_SQL, SyncRun.connection_id > 0, due())))


def claim(session: Session, run_id: int, worker: str, lease: float) -> Claim | None:
    """Take a due run for `lease` seconds; None when it is not due, or another worker was first."""
    statement = (
        update(SyncRun)
        .where(SyncRun.id == run_id, due())
        .values(
            state="running",
            worker=worker,
            fence=SyncRun.fence + 1,
            lease_until=clock() + lease,
            started_at=func.coalesce(SyncRun.started_at, clock()),
            waiting=None,
            resume_at=None,
        )
        .returning(SyncRun.id, SyncRun.fence, SyncRun.connection_id)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    count = (
        update(Connection)
        .where(Connection.id == row.connection_id)
        .values(claims=Connection.claims + 1)
        .returning(Connection.claims)
        .execution_options(synchronize_session=False)
    )
    return Claim(*row, number=session.execute(count).scalar_one())


def hold(session: Session, held: Claim, lease: float, *, requests: int = 0, going_on: bool = True) -> bool:
    """Renew the lease inside the caller's transaction; gives whether a person asked to cancel.

    `going_on` tells that the run waits for nothing any more.

    Raises LostLease where the run is no longer ours: the first statement of every transaction that writes for it.
    """
    values = {"of_run": held.run_id, "held_with": held.fence, "lease": lease, "sent": requests}
    cancel = session.connection().execute(_HOLD[going_on], values).scalar_one_or_none()
    if cancel is None:
        raise LostLease(f"run {held.run_id} is not ours any more")
    return bool(cancel)


def note(session: Session, held: Claim, **values: Any) -> None:
    """Set columns of a run that is ours; raises LostLease otherwise."""
    statement = update(SyncRun).where(*_ours(held)).values(values).returning(SyncRun.id)
    if session.execute(statement).scalar_one_or_none() is None:
        raise LostLease(f"run {held.run_id} is not ours any more")


def release(session: Session, held: Claim, sentence: str) -> None:
    """Give a run back unfinished, for any worker to go on with at once; `sentence` says why, in Portuguese."""
    note(session, held, state="queued", lease_until=0.0, waiting=sentence)


def tell(session: Session, run_id: int, sentence: str) -> None:
    """Say why a run that nobody has taken yet still waits, in Portuguese."""
    session.execute(update(SyncRun).where(SyncRun.id == run_id, SyncRun.state == "queued").values(waiting=sentence))


def pause(session: Session, held: Claim, seconds: float, sentence: str) -> None:
    """Let a run rest for a while; it goes on by itself where it stopped."""
    note(
        session,
        held,
        state="paused",
        lease_until=0.0,
        resume_at=clock() + seconds,
        waiting=sentence,
        pauses=SyncRun.pauses + 1,
    )


def finish(session: Session, held: Claim, state: str) -> None:
    """End a run as done, failed or cancelled, with what it changed, and forget the oldest ones of its account."""
    note(session, held, state=state, lease_until=0.0, waiting=None, finished_at=clock(), phase="over")
    records.tally(session, held.run_id)
    keep = select(SyncRun.id).where(SyncRun.connection_id == held.connection_id).order_by(SyncRun.id.desc()).limit(KEPT)
    old = delete(SyncRun).where(SyncRun.connection_id == held.connection_id, SyncRun.id.not_in(keep))
    session.execute(old.execution_options(synchronize_session=False))


def cancel(session: Session, run_id: int) -> None:
    """Ask a run to end. One that no worker holds ends at once, a running one at the end of its page."""
    unheld = or_(SyncRun.state.in_(("queued", "paused")), and_(SyncRun.state == "running", _lapsed()))
    ended = (
        update(SyncRun)
        .where(SyncRun.id == run_id, unheld)
        .values(
            state="cancelled", cancel=True, finished_at=clock(), waiting=None, fence=SyncRun.fence + 1, phase="over"
        )
        .returning(SyncRun.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(ended).one_or_none():
        records.tally(session, run_id)
        return
    running = update(SyncRun).where(SyncRun.id == run_id, SyncRun.state == "running").values(cancel=True)
    session.execute(running.execution_options(synchronize_session=False))


def resume(session: Session, run_id: int) -> None:
    """Let a paused run go on now."""
    session.execute(
        update(SyncRun)
        .where(SyncRun.id == run_id, SyncRun.state == "paused")
        .values(resume_at=clock())
        .execution_options(synchronize_session=False)
    )


def add_sentences(session: Session, held: Claim, column: str, sentences: Sequence[str]) -> None:
    """Add to the run's `errors` or `warnings`, each sentence once."""
    run = session.get_one(SyncRun, held.run_id, populate_existing=True)
    known: list[str] = getattr(run, column)
    note(session, held, **{column: [*known, *(text for text in dict.fromkeys(sentences) if text not in known)]})


def connection_of(session: Session, run_id: int) -> Connection | None:
    """The connection a run belongs to."""
    return session.scalars(
        select(Connection).join(SyncRun, SyncRun.connection_id == Connection.id).where(SyncRun.id == run_id)
    ).one_or_none()


def pauses(session: Session, run_id: int) -> int:
    """How often a run has paused so far."""
    return session.execute(select(SyncRun.pauses).where(SyncRun.id == run_id)).scalar_one()


def last_difference(session: Session, connection_id: int, stream: str) -> int:
    """By how much ours was the higher count at the end of the account's last run that was done; 0 where unknown."""
    statement = (
        select(SyncStream.local_count + SyncStream.erased - SyncStream.remote_count)
        .join(SyncRun, SyncRun.id == SyncStream.run_id)
        .where(SyncRun.connection_id == connection_id, SyncRun.state == "done", SyncStream.stream == stream)
        .order_by(SyncRun.id.desc())
        .limit(1)
    )
    return session.scalars(statement).first() or 0


def stream_row(session: Session, run_id: int, stream: str) -> SyncStream:
    """The row of one stream of a run, as it is now."""
    return session.get_one(SyncStream, (run_id, stream), populate_existing=True)


def _ours(held: Claim) -> tuple[ColumnElement[bool], ...]:
    return SyncRun.id == held.run_id, SyncRun.fence == held.fence, SyncRun.state == "running"
