"""After an erasing: the bytes go from SQLite's files, and old backups, which hold the person too, go with them.

SQLite leaves what was erased in free pages, in its log and in the search index until these are written anew.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from kommo.db import BUSY_TIMEOUT, clock, now, reading, sqlite_file, writing
from kommo.services import Services
from kommo.store import audit, runs, schema, search
from kommo.store.tables import Scrub, SyncRun

PATIENCE = 10.0  # seconds to wait for readers until the log can be emptied
_MERGE = 500  # pages of the search index merged in one transaction
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cleaning:
    """How the last cleaning stands: asked for when, done when (None: not yet)."""

    asked_at: float
    done_at: float | None


def ask(session: Session) -> int:
    """Note that the files have to be cleaned after this transaction; gives the note's number."""
    asked = Scrub(asked_at=now(session))
    session.add(asked)
    session.flush()
    return asked.id


def waiting(session: Session) -> list[int]:
    """The newest cleaning that is not done: one cleaning does for all that were asked for before."""
    statement = select(Scrub.id).where(Scrub.done_at.is_(None)).order_by(Scrub.id.desc()).limit(1)
    return list(session.scalars(statement))


def state(session: Session) -> Cleaning | None:
    """The last cleaning; None where nothing was ever erased."""
    found = session.scalars(select(Scrub).order_by(Scrub.id.desc()).limit(1)).first()
    return Cleaning(found.asked_at, found.done_at) if found else None


def backups(folder: Path) -> list[Path]:
    """The copies of the database in `instance/backups`, the oldest first."""
    return sorted((folder / "backups").glob("*.sqlite3"), key=lambda path: path.stat().st_mtime)


def clean(services: Services) -> bool:
    """Clean the files; gives whether nothing is left to clean. While a synchronisation runs it is put off.

    Raises sqlite3.Error and OSError where a disk is full: the worker's tick tries again.
    """
    with reading(services.engine) as session:
        asked = waiting(session)
        working = session.scalars(select(SyncRun.id).where(SyncRun.state == "running", ~runs.due())).first()
    if not asked:
        return True
    if working is not None:
        return False
    file = sqlite_file(str(services.engine.url))
    if file is not None:
        search.catch_up(services.engine)
        _merge_index(services.engine)
        if not _write_anew(services.engine):
            return False
    gone = _replace_backups(services.settings.instance, file)
    with writing(services.engine) as session:
        undone = update(Scrub).where(Scrub.id <= asked[0], Scrub.done_at.is_(None)).values(done_at=clock())
        session.execute(undone.execution_options(synchronize_session=False))
        audit.note(session, audit.SYSTEM, "privacy.file_cleaned", details={"backups": gone})
    log.info("files_cleaned", backups=gone)
    return True


def _merge_index(engine: Engine) -> None:
    """Let the search index write its parts into one, which leaves out what was erased; a few pages a transaction."""
    number, before = -_MERGE, -1
    while True:
        with writing(engine) as session:
            connection = session.connection()
            start = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            connection.exec_driver_sql("INSERT INTO wallet_search(wallet_search, rank) VALUES ('merge', ?)", (number,))
            before = connection.exec_driver_sql("SELECT total_changes()").scalar_one() - start
        if before < 2:  # as SQLite's documentation says: less than two changes, nothing was left to merge
            return
        number = _MERGE


def _write_anew(engine: Engine) -> bool:
    """Write the whole file anew and empty its log; False where a reader keeps the log from being emptied."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("VACUUM")
        cursor.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = bool((cursor.fetchone() or (1,))[0])
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
        cursor.execute("PRAGMA secure_delete=OFF")
        cursor.close()
    finally:
        raw.close()
    return not busy


def _replace_backups(instance: Path, file: Path | None) -> int:
    """Put one clean backup in the place of all; on PostgreSQL, where they are of an older database, none."""
    old = backups(instance)
    if old and file is not None:
        try:
            schema.backup(file, instance / "backups", "limpo")
        except sqlite3.Error:
            log.warning("backup_failed")
            raise
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
