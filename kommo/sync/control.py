"""Asking for a run, cancelling it, and a person's word on records that are missing at Kommo."""

from sqlalchemy.orm import Session

from kommo import logs
from kommo.db import writing
from kommo.services import SYNC, Services
from kommo.store import audit, missing, runs
from kommo.store.audit import Actor
from kommo.store.tables import Connection, SyncRun


def start(services: Services, connection_id: int, trigger: str, *, sweep: bool = False, by: Actor | None = None) -> int:
    """Ask for a run of an account and wake a worker; gives the run's id. Raises runs.AlreadyRunning.

    `trigger` says who asked: "page", "api", "shell", "connect" or "schedule"; "confirm" is of `confirm_deletions`.
    `sweep` asks for everything to be read, not only what changed. `by` is whom the audit log names, here as in what
    follows; nothing is written into it without.
    """
    with writing(services.engine) as session:
        run_id = runs.request(session, connection_id, trigger, sweep=sweep)
        _note(session, by, "sync.started", connection_id, run_id, full=sweep)
    logs.bind(run=run_id)  # the line of the request that asked names it
    services.ring(SYNC, run_id)
    return run_id


def cancel(services: Services, connection_id: int, run_id: int, *, by: Actor | None = None) -> bool:
    """Ask a run of this account to end; gives whether there is such a run. What it has read stays."""
    with writing(services.engine) as session:
        if not _is_of(session, connection_id, run_id):
            return False
        runs.cancel(session, run_id)
        _note(session, by, "sync.cancelled", connection_id, run_id)
        return True


def resume(services: Services, connection_id: int, run_id: int, *, by: Actor | None = None) -> bool:
    """Let a paused run go on at once; gives whether there is such a run."""
    with writing(services.engine) as session:
        if not _is_of(session, connection_id, run_id):
            return False
        runs.resume(session, run_id)
        _note(session, by, "sync.resumed", connection_id, run_id)
    services.ring(SYNC, run_id)
    return True


def confirm_deletions(services: Services, connection_id: int, run_id: int, *, by: Actor | None = None) -> int | None:
    """Take a person's word that what a run found missing is gone; gives the new run that acts on it.

    That run asks for each of the records once more and buries those Kommo still does not give. `run_id` is the run
    the person was shown: None where nothing waits for a word, or a later run has found more. Raises
    runs.AlreadyRunning while a run is not over.
    """
    with writing(services.engine) as session:
        if (found := runs.active(session, connection_id)) is not None:
            raise runs.AlreadyRunning(found.id)
        found_by = missing.found_by(session, connection_id)
        if found_by is None or found_by > run_id:
            return None
        confirmed = runs.request(session, connection_id, "confirm")
        missing.confirm(session, connection_id, confirmed)
        _note(session, by, "sync.deletions_confirmed", connection_id, confirmed)
    services.ring(SYNC, confirmed)
    return confirmed


def _is_of(session: Session, connection_id: int, run_id: int) -> bool:
    run = session.get(SyncRun, run_id)
    return run is not None and run.connection_id == connection_id


def _note(session: Session, by: Actor | None, action: str, connection_id: int, run_id: int, **details: bool) -> None:
    """Write into the audit log what somebody did to a run."""
    if by is None:
        return
    connection = session.get_one(Connection, connection_id)
    of = {"owner": connection.user_id, "account_id": connection.account_id}
    audit.note(session, by, action, **of, subject=f"sincronização {run_id}", details=details)  # type: ignore[arg-type]
