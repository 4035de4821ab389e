"""Asking for a run, cancelling it, and a person's word on records that are missing at Kommo."""

from sqlalchemy.orm import Session

from kommo.db import writing
from kommo.services import SYNC, Services
from kommo.store import candidates, records, runs, search
from kommo.store.records import Target
from kommo.store.tables import Connection, SyncRun, SyncStream
from kommo.sync import streams

LOT = 500


def start(services: Services, connection_id: int, trigger: str) -> int:
    """Ask for a run of an account and wake a worker; gives the run's id. Raises runs.AlreadyRunning.

    `trigger` says who asked: "page", "api", "shell" or "connect".
    """
    with writing(services.engine) as session:
        run_id = runs.request(session, connection_id, trigger)
    services.ring(SYNC, run_id)
    return run_id


def cancel(services: Services, connection_id: int, run_id: int) -> bool:
    """Ask a run of this account to end; gives whether there is such a run. What it has read stays."""
    with writing(services.engine) as session:
        if not _is_of(session, connection_id, run_id):
            return False
        runs.cancel(session, run_id)
        return True


def resume(services: Services, connection_id: int, run_id: int) -> bool:
    """Let a paused run go on at once; gives whether there is such a run."""
    with writing(services.engine) as session:
        if not _is_of(session, connection_id, run_id):
            return False
        runs.resume(session, run_id)
    services.ring(SYNC, run_id)
    return True


def confirm_deletions(services: Services, connection_id: int, run_id: int) -> int:
    """Bury what a run found missing and kept for a person to decide; gives how many records were buried.

    Raises runs.AlreadyRunning while a run of the account is not over: it would read them at the same time.
    """
    with writing(services.engine) as session:
        connection = session.get_one(Connection, connection_id)
        if (found := runs.active(session, connection_id)) is not None:
            raise runs.AlreadyRunning(found.id)
        if not _is_of(session, connection_id, run_id):
            return 0
        buried = sum(_bury(session, connection, run_id, spec) for spec in streams.ALL)
    search.catch_up(services.engine)
    return buried


def _bury(session: Session, connection: Connection, run_id: int, spec: streams.StreamSpec) -> int:
    target = Target(connection.user_id, connection.id, spec.kind, run_id, spec.name)
    newest, buried = records.newest_version(session, connection.id, spec.kind), 0
    while lot := candidates.with_verdict(session, run_id, spec.name, candidates.GUARDED, LOT):
        buried += len(records.bury(session, target, lot, newest))
        candidates.judge(session, run_id, spec.name, lot, candidates.BURIED)
    row = session.get_one(SyncStream, (run_id, spec.name))
    row.deleted += buried
    row.local_count = records.live_count(session, connection.id, spec.kind)
    return buried


def _is_of(session: Session, connection_id: int, run_id: int) -> bool:
    run = session.get(SyncRun, run_id)
    return run is not None and run.connection_id == connection_id
