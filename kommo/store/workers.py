"""Signs of life of the workers' processes, for whoever watches from outside; runs have leases of their own."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kommo.db import clock, now
from kommo.store.runs import FAR
from kommo.store.tables import WorkerSeen
from kommo.store.upsert import insert_for

EVERY = 5.0  # seconds between two signs
LATELY = 60.0  # seconds for which a sign counts
KEPT = 86_400.0  # seconds after which a worker that left without a word is forgotten


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker that gave a sign lately: `age` seconds ago; its memory (bytes) and open files where they are known."""

    name: str
    age: float
    memory: int | None
    files: int | None


def note(session: Session, name: str) -> None:
    """The worker `name` lives; those that have been silent for a day are forgotten."""
    table = WorkerSeen.__table__
    row = {"name": name, "started_at": clock(), "seen_at": clock(), "memory": memory(), "files": files()}
    statement = insert_for(session.get_bind().dialect.name, table).values(row)  # type: ignore[arg-type]
    kept = {column: statement.excluded[column] for column in ("seen_at", "memory", "files")}
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=kept))
    old = delete(WorkerSeen).where((WorkerSeen.seen_at < clock() - KEPT) | (WorkerSeen.seen_at > clock() + FAR))
    session.execute(old.execution_options(synchronize_session=False))


def leave(session: Session, name: str) -> None:
    """The worker `name` ends in order."""
    gone = delete(WorkerSeen).where(WorkerSeen.name == name)
    session.execute(gone.execution_options(synchronize_session=False))


def seen_lately(session: Session) -> list[Seen]:
    """The workers that count as alive, by name."""
    moment = now(session)
    recent = WorkerSeen.seen_at.between(moment - LATELY, moment + LATELY)
    found = session.scalars(select(WorkerSeen).where(recent).order_by(WorkerSeen.name))
    return [Seen(row.name, max(moment - row.seen_at, 0.0), row.memory, row.files) for row in found]


def memory() -> int | None:
    """Bytes of memory this process holds (resident); None where the system does not tell."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    except (ImportError, OSError):
        return None


def files() -> int | None:
    """How many files and sockets this process has open; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return None
