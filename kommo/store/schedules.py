"""Schedules as rows: read, saved, taken when they are due.

The row is all there is: a restart or a lost message skips nothing, and what was missed is one run. Every moment is of
the database's clock.
"""

from dataclasses import asdict, dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Table, case, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, now
from kommo.store import connections, runs, timetable
from kommo.store.progress import UNANSWERED
from kommo.store.tables import Connection, Schedule, SyncRun
from kommo.store.tables.runs import ACTIVE_SQL
from kommo.store.timetable import DAY, Timetable
from kommo.store.upsert import upsert
from kommo.store.zones import zone_of
from kommo.vault import Vault

_TABLE: Table = Schedule.__table__  # type: ignore[assignment]
LOT = 200  # schedules that one look finds
_HOUR = 3600.0
_LATE = UNANSWERED + 5.0  # seconds a due run may wait for a worker's tick until that is said
_WAITS = {
    "missing": "A conta está desconectada: conecte-a de novo na página Conexão e a agenda continua.",
    "refused": "O Kommo recusou o token: cole outro na página Conexão e a agenda continua.",
    "expired": "O token venceu: cole outro na página Conexão e a agenda continua.",
    "locked": "O token guardado não abre: veja na página Conexão o que falta, e a agenda continua sozinha.",
}
_PAUSED = "A agenda está em pausa."
_ACTIVE = "Há uma sincronização em andamento; a da agenda começa quando ela terminar."
_NOBODY = "Nenhum trabalhador respondeu ainda: inicie o painel, ou veja o registro do servidor."


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule as people see it at the moment `now`. `next_at` and `next_sweep_at` are None while paused.

    `waiting` says, in a Portuguese sentence, why nothing runs or could run; None where all is well.
    """

    plan: Timetable
    paused: bool
    next_at: float | None
    next_sweep_at: float | None
    waiting: str | None
    now: float
    zone: ZoneInfo

    @property
    def soonest(self) -> float | None:
        """When the next run of either kind is due; it may be past."""
        return min((moment for moment in (self.next_at, self.next_sweep_at) if moment is not None), default=None)


def view(session: Session, connection: Connection, vault: Vault) -> ScheduleView | None:
    """The account's schedule; None where there is none. `vault` tells whether its token opens."""
    found = _row(session, connection.id)
    if found is None:
        return None
    plan, moment, zone = _plan(found), now(session), zone_of(connection)
    shown = ScheduleView(plan, found.paused, found.next_at, found.next_sweep_at, None, moment, zone)
    return replace(shown, waiting=_PAUSED if found.paused else _waiting(session, connection, shown, vault))


def save(session: Session, connection: Connection, plan: Timetable, *, paused: bool = False) -> None:
    """Give the account this timetable, or pause it.

    Only what a change touches is computed anew, from now; what was due stays due. Going on after a pause begins now.
    """
    before = _row(session, connection.id, lock=True)
    moment, zone = now(session), zone_of(connection)
    was = None if before is None or before.paused else before
    run, sweep = None, None
    if not paused:
        run = _kept_run(was, plan, moment) or timetable.next_run(plan, moment, zone)
        sweep = _kept_sweep(was, plan, moment) or timetable.next_sweep(plan, moment, zone)
    values = {"connection_id": connection.id, "paused": paused, "next_at": run, "next_sweep_at": sweep}
    upsert(session, _TABLE, [values | asdict(plan)])


def set_paused(session: Session, connection: Connection, paused: bool) -> bool:
    """Pause the account's schedule or let it go on; gives whether there is one."""
    found = _row(session, connection.id)
    if found is not None:
        save(session, connection, _plan(found), paused=paused)
    return found is not None


def remove(session: Session, connection_id: int) -> bool:
    """Forget the account's schedule; gives whether there was one."""
    gone = delete(Schedule).where(Schedule.connection_id == connection_id).returning(Schedule.connection_id)
    return session.execute(gone.execution_options(synchronize_session=False)).scalar_one_or_none() is not None


def due_ids(session: Session, vault: Vault) -> list[int]:
    """The connections whose schedule wants a run that can be had: a usable token, and no run that is not over.

    At most `LOT`, the longest due first: where very many are due at one hour, runs begin while the rest waits.
    """
    usable = exists().where(Connection.id == Schedule.connection_id, connections.usable(vault))
    active = exists().where(SyncRun.connection_id == Schedule.connection_id, ACTIVE_SQL)
    due = select(Schedule.connection_id).where(_due(), usable, ~active)
    return list(session.scalars(due.order_by(Schedule.next_at).limit(LOT)))


def take(session: Session, connection_id: int, vault: Vault) -> int | None:
    """Ask for the run of a due schedule and move it on, in the caller's one transaction; gives the run's number.

    None where it is not due (any more), its token does not open, or it may only wait for the end of the quiet hours.
    A sweep that is due with the interval serves both. Raises runs.AlreadyRunning: roll back, and it stays due.
    """
    statement = select(Schedule, Connection).join(Connection, Connection.id == Schedule.connection_id)
    wanted = statement.where(Schedule.connection_id == connection_id, _due(), connections.usable(vault))
    row = session.execute(wanted).one_or_none()
    if row is None:
        return None
    schedule, connection = row
    if connections.lock_of(vault, connection):
        return None
    plan, zone, moment = _plan(schedule), zone_of(connection), now(session)
    sweeping = schedule.next_sweep_at is not None and schedule.next_sweep_at <= moment
    asking = sweeping or (_is_past(schedule.next_at, moment) and not timetable.is_quiet(plan, moment, zone))
    if not _move_on(session, schedule, moment, zone, asking=asking):
        return None
    return runs.request(session, connection_id, "schedule", sweep=sweeping) if asking else None


def _move_on(session: Session, seen: Schedule, moment: float, zone: ZoneInfo, *, asking: bool) -> bool:
    """Set the schedule's next moments; False where another worker was first.

    A moment beyond what its rule gives from now on is of a clock that was set back since: it is computed anew.
    """
    plan = _plan(seen)
    run, sweep = timetable.next_run(plan, moment, zone, seen.next_at), timetable.next_sweep(plan, moment, zone)
    if not asking and _is_past(seen.next_at, moment):
        run = timetable.after_quiet(plan, moment, zone)  # still owed, when the quiet hours are over
    elif seen.next_at is not None and moment < seen.next_at <= run:
        run = seen.next_at
    taken = (
        update(Schedule)
        .where(
            Schedule.connection_id == seen.connection_id,
            Schedule.next_at.is_not_distinct_from(seen.next_at),
            Schedule.next_sweep_at.is_not_distinct_from(seen.next_sweep_at),
        )
        .values(next_at=run, next_sweep_at=sweep)
        .returning(Schedule.connection_id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(taken).scalar_one_or_none() is not None


def _due() -> ColumnElement[bool]:
    """The condition for a schedule to look at: a moment has come, or lies further away than its rule allows.

    The table has one small row an account: it is read whole.
    """
    quiet = case(
        (Schedule.quiet_from.is_(None), 0),
        else_=(Schedule.quiet_to - Schedule.quiet_from + DAY) % DAY,
    )
    return or_(
        Schedule.next_at <= clock(),
        Schedule.next_sweep_at <= clock(),
        Schedule.next_at > clock() + (Schedule.every + quiet) * 60.0 + _HOUR,
        Schedule.next_sweep_at > clock() + DAY * 60.0 + 2 * _HOUR,
    )


def _waiting(session: Session, connection: Connection, shown: ScheduleView, vault: Vault) -> str | None:
    trouble = connections.token_trouble(connection, shown.now, vault)
    if trouble is not None:
        return _WAITS[trouble]
    if not _is_past(shown.soonest, shown.now):
        return None
    if runs.active(session, connection.id) is not None:
        return _ACTIVE
    return _NOBODY if _is_past(shown.soonest, shown.now - _LATE) else None


def _kept_run(was: Schedule | None, plan: Timetable, moment: float) -> float | None:
    """The moment of the next run that a change to `plan` leaves as it is."""
    if was is None or was.next_at is None:
        return None
    same = (was.every, was.quiet_from, was.quiet_to) == (plan.every, plan.quiet_from, plan.quiet_to)
    return was.next_at if same or was.next_at <= moment else None


def _kept_sweep(was: Schedule | None, plan: Timetable, moment: float) -> float | None:
    """The moment of the next sweep that a change to `plan` leaves as it is."""
    if was is None or was.next_sweep_at is None or plan.sweep_at is None:
        return None
    return was.next_sweep_at if was.sweep_at == plan.sweep_at or was.next_sweep_at <= moment else None


def _is_past(moment: float | None, now_: float) -> bool:
    return moment is not None and moment <= now_


def _plan(row: Schedule) -> Timetable:
    return Timetable(row.every, row.quiet_from, row.quiet_to, row.sweep_at)


def _row(session: Session, connection_id: int, *, lock: bool = False) -> Schedule | None:
    statement = select(Schedule).where(Schedule.connection_id == connection_id)
    if lock:
        statement = statement.with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
