"""Full passes ordered in a run beyond what it set out to read: a row says so, whoever goes on with the run."""

from sqlalchemy.orm import Session

from kommo.db import reading
from kommo.store import runs
from kommo.store.tables import SyncStream
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec

MOST = 2  # full passes of a stream in one run


def row_of(run: Run, spec: StreamSpec) -> SyncStream:
    """The stream's row of this run, as it is now."""
    with reading(run.services.engine) as session:
        return runs.stream_row(session, run.claim.run_id, spec.name)


def order(session: Session, run: Run, spec: StreamSpec) -> None:
    """Have a stream read whole, once more or at last, as often as that may be done in one run.

    Nothing is ordered of a stream that is still to be read anyway.
    """
    row = session.get_one(SyncStream, (run.claim.run_id, spec.name), populate_existing=True)
    if not is_due(row) and row.read_pass < MOST:
        row.state, row.read_pass = "waiting", row.read_pass + 1


def is_due(row: SyncStream) -> bool:
    """Whether a full pass of a stream is ordered, or was begun and not ended."""
    return row.state in ("counting", "reading") or (row.state == "waiting" and row.read_pass > 0)
