"""How long things are kept, and letting go of what is older: a few rows a transaction, from the worker's tick."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, reading, writing
from kommo.privacy import files
from kommo.services import ERASE, Services
from kommo.store import audit, copy_state
from kommo.store.among import among
from kommo.store.audit import Actor
from kommo.store.tables import Audit, Connection, Keeping, SyncRun
from kommo.store.upsert import upsert

LONGEST = 36_500  # days
LOT = 200  # rows in one transaction
LOTS = 25  # transactions in one tick: the rest waits for the next one
_DAY = 86_400.0
_OVER = ("done", "failed", "cancelled")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is kept: its word, what people read, and the days unless they say otherwise."""

    name: str
    label: str
    hint: str
    usual: int | None


KINDS = (
    Kind(
        "runs", "Sincronizações terminadas", "O histórico de /sincronizacao. A última e a última conferida ficam.", 365
    ),
    Kind("audit", "Registros de auditoria", "Quem fez o quê. Cinco anos é o que se costuma guardar.", 1825),
    Kind("copies", "Cópias de contas desconectadas", "Contatos e negociações, depois que o token foi apagado.", None),
    Kind("backups", "Cópias de segurança", "Os arquivos de instance/backups. A mais nova fica.", 180),
)
NAMES = tuple(kind.name for kind in KINDS)


def terms(session: Session) -> dict[str, int | None]:
    """How many days each kind is kept, None without limit, in the order of KINDS."""
    known = {row.name: row.days for row in session.scalars(select(Keeping))}
    return {kind.name: known.get(kind.name, kind.usual) for kind in KINDS}


def save(session: Session, given: dict[str, int | None], by: Actor, owner: str | None = None) -> None:
    """Set how long these kinds are kept. Raises ValueError for another kind, or days that are not 1 to LONGEST."""
    if any(name not in NAMES or (days is not None and not 1 <= days <= LONGEST) for name, days in given.items()):
        raise ValueError("no such term")
    before = terms(session)
    changed = {name: days for name, days in given.items() if before[name] != days}
    upsert(session, Keeping.__table__, [{"name": name, "days": days} for name, days in given.items()])  # type: ignore[arg-type]
    if changed:
        audit.note(session, by, "retention.changed", owner=owner, details=changed)


def apply(services: Services) -> dict[str, int]:
    """Let go of what is older than it may be; gives how much of each kind went. What is left waits for the next time.

    Raises SQLAlchemyError and OSError, as where a disk is full.
    """
    with reading(services.engine) as session:
        days = terms(session)
    gone = {
        "audit": _in_lots(services, days["audit"], _drop_audit),
        "runs": _in_lots(services, days["runs"], _drop_runs),
        "copies": _copies(services, days["copies"]),
        "backups": _backups(services.settings.instance, days["backups"]),
    }
    found = {name: number for name, number in gone.items() if number}
    if found:
        with writing(services.engine) as session:
            audit.note(session, audit.SYSTEM, "retention.applied", details=found)
        log.info("retention_applied", **found)
    return found


def _in_lots(services: Services, days: int | None, drop: Callable[[Session, ColumnElement[float]], int]) -> int:
    total = 0
    for _ in range(LOTS if days is not None else 0):
        with writing(services.engine) as session:
            number = drop(session, _before(days or 0))
        total += number
        if number < LOT:
            break
    return total


def _before(days: int) -> ColumnElement[float]:
    """The moment before which things are too old."""
    return clock() - days * _DAY


def _drop_audit(session: Session, before: ColumnElement[float]) -> int:
    old = list(session.scalars(select(Audit.id).where(Audit.at < before).limit(LOT)))
    session.execute(delete(Audit).where(among(Audit.id, old)).execution_options(synchronize_session=False))
    return len(old)


def _drop_runs(session: Session, before: ColumnElement[float]) -> int:
    """Finished runs, but each account's newest, and the one that its proof speaks of."""
    newest = select(func.max(SyncRun.id)).group_by(SyncRun.connection_id)
    statement = select(SyncRun.id, SyncRun.connection_id).where(
        SyncRun.state.in_(_OVER), SyncRun.finished_at < before, SyncRun.id.not_in(newest)
    )
    rows = session.execute(statement.limit(LOT)).all()
    proofs = {copy_state.proved_by(session, key) for key in {row.connection_id for row in rows}}
    old = [row.id for row in rows if row.id not in proofs]
    session.execute(delete(SyncRun).where(among(SyncRun.id, old)).execution_options(synchronize_session=False))
    return len(old)


def _copies(services: Services, days: int | None) -> int:
    """Have the copies erased of accounts that have been disconnected for so long."""
    if days is None:
        return 0
    with writing(services.engine) as session:
        statement = (
            update(Connection)
            .where(
                Connection.token.is_(None),
                Connection.erasing.is_(False),
                Connection.disconnected_at < _before(days),
            )
            .values(erasing=True)
            .returning(Connection.id, Connection.user_id, Connection.account_id)
            .execution_options(synchronize_session=False)
        )
        rows = session.execute(statement).all()
        for row in rows:
            audit.note(session, audit.SYSTEM, "account.copy_erased", owner=row.user_id, account_id=row.account_id)
    for row in rows:
        services.ring(ERASE, row.id)
    return len(rows)


def _backups(instance: Path, days: int | None) -> int:
    if days is None:
        return 0
    until = time.time() - days * _DAY  # files carry the machine's own time
    old = [path for path in files.backups(instance)[:-1] if path.stat().st_mtime < until]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
