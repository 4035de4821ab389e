"""After the pages: what changed, went or came back meanwhile; names and index; then the proof, until it holds.

A run of what changed is this and no more: it begins where the copy's watermark stands.
"""

from kommo.crm.client import Page
from kommo.db import reading
from kommo.store import candidates, runs
from kommo.store.tables import SyncStream
from kommo.sync import catalogues, changes, companies, deletions, locate, proof, streams
from kommo.sync.proof import Comparison
from kommo.sync.run import Indexer, Run
from kommo.sync.streams import StreamSpec
from kommo.sync.sweep import read_stream, row_of
from kommo.sync.told import DAY, Told, follow_links
from kommo.sync.told import OVERLAP as EVENTS_OVERLAP
from kommo.sync.watermark import Watermark
from kommo.sync.writing import write_records

RECOUNTS = 3  # on an account that people work in, counts differ for a moment
MOST_PASSES = 2


class Settling:
    """One run's way from what was read to a copy that is proved."""

    def __init__(self, run: Run, mark: Watermark, indexer: Indexer) -> None:
        self.run = run
        self.mark = mark
        self.indexer = indexer
        self.told = Told(run)
        self.again: set[str] = set()
        self.doubts: dict[str, dict[int, int]] = {spec.name: {} for spec in streams.ALL}

    def settle(self) -> None:
        """Settle and compare until every stream is proved, or what can be tried is used up."""
        for spec in streams.ALL:
            row = row_of(self.run, spec)
            if row.state in ("counting", "reading") or (row.state == "waiting" and row.read_pass):
                read_stream(self.run, spec)  # a full pass in which the last worker was killed
        for attempt in range(RECOUNTS + 1):
            self._catch_up()
            self.run.note(phase="proof")
            found = {spec: proof.compare(self.run, spec, self._pass(spec)) for spec in streams.ALL}
            wrong = {spec: one for spec, one in found.items() if not one.equal or one.stale or one.absent}
            if not wrong and not self._to_read_again({}):
                break
            if attempt < RECOUNTS:
                self._mend(wrong, attempt)
        self.mark.keep(self.told.events)

    def _mend(self, wrong: dict[StreamSpec, Comparison], attempt: int) -> None:
        """Bring about that the next comparison comes out better: cheaply first, then by reading a stream whole."""
        for spec, found in wrong.items():
            self.doubts[spec.name] |= found.stale
        again = self._to_read_again(wrong if attempt >= 2 else {})
        if attempt == 1:
            tried = {spec: locate.differences(self.run, spec, self._pass(spec), found) for spec, found in wrong.items()}
            again |= self._to_read_again({spec: wrong[spec] for spec, worth in tried.items() if not worth})
        for spec in streams.ALL:
            if spec in again:
                self._read_again(spec)
        self.again.clear()

    def _to_read_again(self, wrong: dict[StreamSpec, Comparison]) -> set[StreamSpec]:
        """The streams to be read whole, once more or at last, as far as that may be done in one run."""
        return {spec for spec in streams.ALL if (spec.name in self.again or spec in wrong) and self._passes_left(spec)}

    def _catch_up(self) -> None:
        """Bring in what happened since the watermark, and bury what is gone."""
        self.run.note(phase="settling")
        self.mark.look_at_the_clock()
        for spec in streams.ALL:
            self._read_changes(spec)
        self.told.take(self.mark.since - EVENTS_OVERLAP, self.mark.clock + DAY)
        for spec in streams.ALL:
            row = row_of(self.run, spec)
            if row.state == "read":
                restored = spec.name in self.told.restored and row.read_pass == 1
                self.again |= {spec.name} if restored or not row.ordered else set()
                deletions.suspect_absent(self.run, spec, row.read_pass)
        self._settle_candidates()
        self._judge_doubts()
        companies.ask_unknown(self.run)
        catalogues.read_unknown(self.run)
        self.indexer.finish()
        self.mark.advance()

    def _read_changes(self, spec: StreamSpec) -> None:
        read_pass = self._pass(spec)

        def write(page: Page, version: int) -> None:
            write_records(self.run, spec, page.records, version, read_pass)

        begin = self.mark.begin(spec)
        try:
            newest = changes.read_since(self.run, spec.remote, begin, write, lambda at: self.mark.reached(spec, at))
        except changes.FilterIgnored:
            self.again.add(spec.name)
        else:
            self.mark.saw(newest)

    def _settle_candidates(self) -> None:
        """Ask for all that is suspected; what comes back or goes may bring more to be asked for."""
        while self._any_open():
            follow_links(self.run)
            for spec in streams.ALL:
                deletions.settle_candidates(self.run, spec, self._pass(spec))

    def _any_open(self) -> bool:
        with reading(self.run.services.engine) as session:
            return candidates.any_open(session, self.run.claim.run_id)

    def _judge_doubts(self) -> None:
        """A record that was held otherwise: either its change has been told by now, or nothing told it.

        Then the stream holds more that is stale, and has to be read whole.
        """
        for spec in streams.ALL:
            doubts, since = self.doubts[spec.name], self.mark.since - changes.OVERLAP
            old = [key for key, changed_at in doubts.items() if changed_at < since]
            with reading(self.run.services.engine) as session:
                told = candidates.told(session, self.run.claim.run_id, spec.name, old)
            if set(old) - told:
                self.again.add(spec.name)
            doubts.clear()

    def _read_again(self, spec: StreamSpec) -> None:
        """A full pass: a restoration moves rows out of pages still to come, and an odd count may hide one."""
        with self.run.transaction() as session:
            row = session.get_one(SyncStream, (self.run.claim.run_id, spec.name))
            row.state, row.read_pass = "waiting", row.read_pass + 1
        read_stream(self.run, spec)

    def _pass(self, spec: StreamSpec) -> int:
        return row_of(self.run, spec).read_pass

    def _passes_left(self, spec: StreamSpec) -> bool:
        return self._pass(spec) < MOST_PASSES


def close(run: Run) -> None:
    """Nothing is left to do in this run's streams."""
    with run.transaction() as session:
        for name in runs.STREAMS:
            session.get_one(SyncStream, (run.claim.run_id, name)).state = "done"
