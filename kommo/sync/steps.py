"""The steps of a run, in order: catalogues, contacts, deals, then settling until the copy is proved.

Each step can be taken up where a killed worker left it: what is done is in the rows of the run, its streams and bands.
"""

import math
import time

from kommo.crm.client import Page
from kommo.db import now, reading
from kommo.store import candidates, records, runs
from kommo.store.tables import SyncRun, SyncStream
from kommo.sync import bands, changes, deletions, proof, streams
from kommo.sync.catalogues import read_catalogues, read_companies, refresh_pipelines_if_unknown
from kommo.sync.counting import PAGE, Length, measure
from kommo.sync.run import Indexer, Run
from kommo.sync.streams import StreamSpec

RECOUNTS = 3  # on an account that people work in, counts differ for a moment
MOST_PASSES = 2
DAY = 86_400  # seconds; events are asked for until then, whatever clock stamps them


def carry_out(run: Run) -> list[str]:
    """Do what is left of a run; gives sentences about what could not be proved (none: the copy is exact)."""
    with reading(run.services.engine) as session:
        row = session.get_one(SyncRun, run.claim.run_id)
        phase, since = row.phase, row.server_started_at
    if phase in ("queued", "catalogues"):
        run.note(phase="catalogues")
        read_catalogues(run)
    if since is None:
        clock = math.floor(run.kommo.server_time or time.time())
        since = changes.newest(run, before=clock) or clock
        run.note(server_started_at=since)
    with Indexer(run) as indexer:
        for spec in streams.ALL:
            read_stream(run, spec)
            indexer.start()
        return Settling(run, since, indexer).settle()


def read_stream(run: Run, spec: StreamSpec) -> None:
    """Read a stream's current pass to its end: find its length, plan its bands, read them."""
    row = _row(run, spec)
    if row.state in ("read", "done"):
        return
    run.note(phase=spec.name)
    if row.state != "reading":
        _count(run, spec, row)
    try:
        bands.read(run, spec, row.read_pass, ordered=row.ordered)
    except bands.OrderIgnored:
        _restart_unordered(run, spec, row.read_pass)
        bands.read(run, spec, row.read_pass, ordered=False)
    with run.transaction() as session:
        done = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        done.state = "read"
        done.finished_at = now(session)


def _count(run: Run, spec: StreamSpec, row: SyncStream) -> None:
    with run.transaction() as session:
        held = records.live_count(session, run.claim.connection_id, spec.kind)
        counting = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        counting.state = "counting"
        counting.started_at = counting.started_at or now(session)
    length = _measure(run, spec, held)
    with run.transaction() as session:
        stream = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        stream.state, stream.total, stream.pages_total = "reading", length.rows, length.pages
        most = bands.MAX_BANDS if row.ordered else 1
        bands.plan(session, run.claim.run_id, spec.name, row.read_pass, length.pages, most=most)


def _measure(run: Run, spec: StreamSpec, held: int) -> Length:
    def ask(number: int) -> Page:
        run.check()
        return run.kommo.page(spec.remote, number, order="id", version=run.version())

    return measure(ask, guess=max(math.ceil(held / PAGE), 1))


def _restart_unordered(run: Run, spec: StreamSpec, read_pass: int) -> None:
    """Kommo did not sort: read all pages one after the other, and once more after that."""
    with run.transaction() as session:
        stream = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        stream.ordered = False
        bands.plan(session, run.claim.run_id, spec.name, read_pass, stream.pages_total or 0, most=1)


def _row(run: Run, spec: StreamSpec) -> SyncStream:
    with reading(run.services.engine) as session:
        return runs.stream_row(session, run.claim.run_id, spec.name)


class Settling:
    """After the pages: what changed, went or came back meanwhile; names and index; then the proof."""

    def __init__(self, run: Run, since: int, indexer: Indexer) -> None:
        self.run = run
        self.since = since
        self.indexer = indexer
        self.again: set[str] = set()

    def settle(self) -> list[str]:
        """Settle and compare until every stream is proved, or what can be tried is used up."""
        recounts = 0
        while True:
            self.run.note(phase="settling")
            self._catch_up()
            self.run.note(phase="proof")
            wrong = {spec.name for spec in streams.ALL if not proof.compare(self.run, spec)} - self._guarded()
            again = [spec for spec in streams.ALL if spec.name in self.again | wrong and self._passes_left(spec)]
            if again and (self.again or recounts):
                self._read_again(again)
            elif not wrong or recounts >= RECOUNTS:
                break
            recounts += 1
        self._close()
        return [text for spec in streams.ALL for text in proof.sentences(self.run, spec)]

    def _catch_up(self) -> None:
        """Bring in what happened since the run began, and bury what is gone."""
        newest = self.since
        for spec in streams.ALL:
            try:
                newest = max(newest, changes.read_since(self.run, spec, self.since - changes.OVERLAP, self._pass(spec)))
            except changes.FilterIgnored:
                self.again.add(spec.name)
        clock = math.floor(self.run.kommo.server_time or time.time())
        events = deletions.suspect_by_events(self.run, self._events_since(), clock + DAY)
        for spec in streams.ALL:
            if events is None:
                deletions.suspect_by_trash(self.run, spec, self._events_since())
            elif any(kind.endswith("_restored") for kind in events[spec.name]) and self._pass(spec) == 1:
                self.again.add(spec.name)
            if not _row(self.run, spec).ordered:
                self.again.add(spec.name)
            deletions.suspect_absent(self.run, spec, self._pass(spec))
            deletions.settle_candidates(self.run, spec, self._pass(spec))
        read_companies(self.run)
        refresh_pipelines_if_unknown(self.run)
        self.indexer.finish()
        self.since = max(self.since, min(newest, clock))

    def _events_since(self) -> int:
        return self.since - changes.OVERLAP

    def _read_again(self, again: list[StreamSpec]) -> None:
        """A second full pass: a restoration moves rows out of pages still to come, and an odd count may hide one."""
        for spec in again:
            with self.run.transaction() as session:
                row = session.get_one(SyncStream, (self.run.claim.run_id, spec.name))
                row.state, row.read_pass = "waiting", row.read_pass + 1
            read_stream(self.run, spec)
        self.again.clear()

    def _pass(self, spec: StreamSpec) -> int:
        return _row(self.run, spec).read_pass

    def _passes_left(self, spec: StreamSpec) -> bool:
        return self._pass(spec) < MOST_PASSES

    def _guarded(self) -> set[str]:
        with reading(self.run.services.engine) as session:
            return {
                spec.name
                for spec in streams.ALL
                if candidates.with_verdict(session, self.run.claim.run_id, spec.name, candidates.GUARDED, 1)
            }

    def _close(self) -> None:
        with self.run.transaction() as session:
            for spec in streams.ALL:
                session.get_one(SyncStream, (self.run.claim.run_id, spec.name)).state = "done"
