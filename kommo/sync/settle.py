"""After the pages: what changed, went or came back meanwhile; names and index; then the proof, until it holds.

A run of what changed is this and no more: it begins where the copy's watermark stands.
"""

from collections import Counter

from kommo.crm.client import Page
from kommo.db import reading
from kommo.store import candidates, doubts, runs
from kommo.store.tables import SyncStream
from kommo.sync import catalogues, changes, companies, deletions, locate, passes, proof, streams
from kommo.sync.passes import row_of
from kommo.sync.proof import Comparison
from kommo.sync.run import Indexer, Run
from kommo.sync.streams import StreamSpec
from kommo.sync.sweep import read_stream
from kommo.sync.told import DAY, Told, follow_links
from kommo.sync.told import OVERLAP as EVENTS_OVERLAP
from kommo.sync.watermark import Watermark
from kommo.sync.writing import write_records

RECOUNTS = 3  # on an account that people work in, counts differ for a moment


class Settling:
    """One run's way from what was read to a copy that is proved."""

    def __init__(self, run: Run, mark: Watermark, indexer: Indexer) -> None:
        self.run = run
        self.mark = mark
        self.indexer = indexer
        self.told = Told(run)
        self._tries: Counter[str] = Counter()
        run.read_until = mark.start - changes.OVERLAP

    def settle(self) -> None:
        """Settle and compare until every stream is proved, or what can be tried is used up."""
        compared = 0
        while True:
            for spec in self._ordered():
                read_stream(self.run, spec)
            self._catch_up()
            if self._ordered():  # as often as passes.MOST allows: what one stream needs costs the other no comparison
                continue
            self.run.note(phase="proof")
            found = {spec: proof.compare(self.run, spec, self._pass(spec)) for spec in streams.ALL}
            wrong = {spec: one for spec, one in found.items() if not one.right}
            if not wrong:
                break
            if compared == RECOUNTS or not (self._mend(wrong) or compared == 0):
                break
            compared += 1
        self.mark.keep(self.told.events)

    def _mend(self, wrong: dict[StreamSpec, Comparison]) -> bool:
        """Bring about that the next comparison comes out better, at more cost each time: first by just catching up.

        Gives whether there is anything left to hope for.
        """
        hope = False
        for spec, found in wrong.items():
            if found.cut or (found.is_a_count and self._was_so(spec, found)):
                continue  # reading it once more would bring nothing
            hope = True
            if found.equal:
                continue  # what was wrong has been put right, and what that means is judged with the next catching up
            self._tries[spec.name] += 1
            tries = self._tries[spec.name]
            if tries > 1 and not (tries == 2 and locate.differences(self.run, spec, self._pass(spec), found)):
                self._order(spec)
        return hope

    def _was_so(self, spec: StreamSpec, found: Comparison) -> bool:
        """Whether a run before this one ended with just this difference, having tried all: a sweep will try again."""
        if row_of(self.run, spec).state == "read":
            return False
        with reading(self.run.services.engine) as session:
            before = runs.last_difference(session, self.run.claim.connection_id, spec.name)
        return before == found.difference

    def _catch_up(self) -> None:
        """Bring in what happened since the watermark, and bury what is gone."""
        self.run.note(phase="settling")
        self.mark.look_at_the_clock()
        self.told.take(self.mark.since - EVENTS_OVERLAP, self.mark.clock + DAY)
        self.mark.saw(self.told.newest)  # before the changes: all that was stamped by then is among them
        for spec in streams.ALL:
            self._read_changes(spec)
            row = row_of(self.run, spec)
            if row.state == "read":
                deletions.suspect_absent(self.run, spec, row.read_pass)
                if not row.ordered or (spec.name in self.told.restored and row.read_pass == 1):
                    self._order(spec)
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
            self._order(spec)
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
            with self.run.transaction() as session:
                target = self.run.target(spec)
                if doubts.any_untold(session, target, before=self.mark.since - changes.OVERLAP):
                    passes.order(session, self.run, spec)
                doubts.settle(session, target)

    def _ordered(self) -> list[StreamSpec]:
        """The streams of which a full pass is ordered, or was begun and not ended: it moves rows no more than once."""
        return [spec for spec in streams.ALL if passes.is_due(row_of(self.run, spec))]

    def _order(self, spec: StreamSpec) -> None:
        with self.run.transaction() as session:
            passes.order(session, self.run, spec)

    def _pass(self, spec: StreamSpec) -> int:
        return row_of(self.run, spec).read_pass


def close(run: Run) -> None:
    """Nothing is left to do in this run's streams."""
    with run.transaction() as session:
        for name in runs.STREAMS:
            session.get_one(SyncStream, (run.claim.run_id, name)).state = "done"
