"""Up to where the copy holds everything, by the clock that stamps Kommo's records.

That clock shows itself only in records; the `Date` of answers may be another, ours is a third. From a newest record
on, the clock goes on at least as fast as both others agree it did: so a quiet account's watermark moves on too.
"""

import math
import time
from collections.abc import Mapping

from kommo.db import now, reading
from kommo.store import marks
from kommo.sync import changes
from kommo.sync.changes import OVERLAP
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec
from kommo.sync.told import DAY
from kommo.sync.told import OVERLAP as EVENTS_OVERLAP


class Watermark:
    """Where a run begins to look for changes, and where the next one will. Moments are Kommo's Unix seconds.

    `since`: all that changed before it is in the copy. `clock`: Kommo's `Date` at the last look. `floor`: what the
    stamping clock had reached, for certain, when the run began.
    """

    def __init__(self, run: Run, since: int, floor: int | None = None) -> None:
        self.run = run
        self.since = since
        self.start = since
        self.clock = _clock(run)
        self._newest = since
        self._floor = since if floor is None else floor
        self._cursors: dict[str, int] = {}

    def look_at_the_clock(self) -> None:
        """Take Kommo's clock before the changes are read: what is stamped later may not be among them."""
        self.clock = _clock(self.run)

    def begin(self, spec: StreamSpec) -> int:
        """From when on changes of a stream are read: an overlap before the watermark, or where a worker was killed."""
        cursor = self._cursors.pop(spec.name, None)
        return max(self.since - OVERLAP, min(cursor, self.clock) if cursor else 0)

    def resume(self, cursors: dict[str, int]) -> None:
        """Go on where a killed worker's reading of changes stood, by stream."""
        self._cursors = cursors

    def reached(self, spec: StreamSpec, moment: int) -> None:
        """Note how far the reading of a stream's changes has come, while there is more of it."""
        with self.run.transaction() as session:
            marks.set_cursor(session, self.run.claim.run_id, spec.name, moment)

    def saw(self, moment: int) -> None:
        """Take note of the newest change read of a stream."""
        self._newest = max(self._newest, moment)

    def advance(self) -> None:
        """All that was stamped until the newest change is in the copy; a time yet to come is a writer's fancy."""
        self.since = max(self.since, self._floor, min(self._newest, self.clock))

    def keep(self, events: Mapping[str, int]) -> None:
        """Store the watermark for the next run, with the events that its overlap will bring again."""
        connection_id = self.run.claim.connection_id
        with self.run.transaction() as session:
            marks.set_mark(
                session, connection_id, marks.RECORDS, mark=self.since, kommo_time=float(self.clock),
                marked_at=now(session),
            )  # fmt: skip
            marks.keep_events(session, connection_id, events, before=self.since - EVENTS_OVERLAP)


def of_sweep(run: Run, stored: int | None) -> Watermark:
    """The watermark of a run that reads everything: the newest change as it begins."""
    since = stored
    if since is None:
        clock = _clock(run)
        since = changes.newest(run, before=clock) or clock - DAY
        run.note(server_started_at=since)
    return Watermark(run, since)


def of_delta(run: Run) -> Watermark:
    """The watermark of a run that reads what changed: the stored one; where Kommo's clock was set back, as far back."""
    clock = _clock(run)
    with reading(run.services.engine) as session:
        stored = marks.mark_of(session, run.claim.connection_id, marks.RECORDS)
        assert stored is not None
        assert stored.mark is not None
        theirs = clock - (stored.kommo_time or clock)
        ours = now(session) - (stored.marked_at or 0.0)
    passed = min(theirs, ours)
    return Watermark(run, stored.mark + math.floor(min(theirs, 0)), stored.mark + math.floor(max(passed, 0)))


def _clock(run: Run) -> int:
    return math.floor(run.kommo.server_time or time.time())
