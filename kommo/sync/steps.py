"""The steps of a run, in order: catalogues, then the records or what changed of them, then settling until proved.

Each step can be taken up where a killed worker left it: what is done is in the rows of the run, its streams and bands.
"""

from sqlalchemy.orm import Session

from kommo.db import now, reading
from kommo.store import marks, runs
from kommo.store.tables import SyncRun, SyncStream
from kommo.store.tables.runs import DELTA, SWEEP
from kommo.sync import catalogues, companies, sentences, streams, watermark
from kommo.sync.run import Indexer, Run
from kommo.sync.settle import Settling, close
from kommo.sync.sweep import read_stream

SWEEP_AFTER = 7 * 86_400.0  # seconds since the last sweep; what Kommo tells of no change stays unseen as long
_CATALOGUES = 3  # of seven read in a run of what changed; with the rest of it, at most 10 requests
_WITHOUT_EVENTS = 2  # the trash of each stream is asked for then


def carry_out(run: Run) -> list[str]:
    """Do what is left of a run; gives sentences about what could not be proved (none: the copy is exact)."""
    with reading(run.services.engine) as session:
        row = session.get_one(SyncRun, run.claim.run_id)
        run.started_at = row.started_at or row.requested_at
        run.names.load(session, run.claim.connection_id)
        mode = SWEEP if row.mode == SWEEP else _mode(session, run.claim.connection_id)
    with Indexer(run) as indexer:
        if mode == DELTA:
            _what_changed(run, row, indexer)
        else:
            _everything(run, row, indexer)
    close(run)
    return [text for spec in streams.ALL for text in sentences.unproved(run, spec)]


def _mode(session: Session, connection_id: int) -> str:
    """What a run has to read that nobody asked to read everything."""
    mark = marks.mark_of(session, connection_id, marks.RECORDS)
    if mark is None or mark.mark is None or mark.swept_at is None:
        return SWEEP
    return SWEEP if now(session) - mark.swept_at > SWEEP_AFTER else DELTA


def _everything(run: Run, row: SyncRun, indexer: Indexer) -> None:
    if row.phase in ("queued", "catalogues"):
        run.note(phase="catalogues", mode=SWEEP)
        catalogues.read_all(run)
    mark = watermark.of_sweep(run, row.server_started_at)
    for spec in streams.ALL:
        read_stream(run, spec)
        indexer.start()
    run.note(phase="companies")
    companies.read_all(run, mark.start)
    Settling(run, mark, indexer).settle()
    with run.transaction() as session:
        marks.set_mark(session, run.claim.connection_id, marks.RECORDS, swept_at=run.started_at)


def _what_changed(run: Run, row: SyncRun, indexer: Indexer) -> None:
    if row.mode != DELTA:
        with run.transaction() as session:
            runs.note(session, run.claim, phase="catalogues", mode=DELTA)
            for spec in streams.ALL:  # nothing is read whole yet
                session.get_one(SyncStream, (run.claim.run_id, spec.name)).read_pass = 0
    with reading(run.services.engine) as session:
        told = not marks.is_refused(session, run.claim.connection_id, marks.EVENTS)
        cursors = {spec.name: runs.stream_row(session, run.claim.run_id, spec.name).cursor for spec in streams.ALL}
    catalogues.read_stalest(run, _CATALOGUES if told else _WITHOUT_EVENTS)
    mark = watermark.of_delta(run)
    mark.resume({name: cursor for name, cursor in cursors.items() if cursor is not None})
    Settling(run, mark, indexer).settle()
