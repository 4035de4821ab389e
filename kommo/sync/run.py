"""A run in a worker's hands: its claim, its client, its transactions, its heartbeat, and when it has to stop."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kommo import logs
from kommo.crm.client import Kommo
from kommo.db import writing
from kommo.services import Services
from kommo.store import runs, search
from kommo.store.records import Target
from kommo.store.runs import Claim, LostLease
from kommo.sync.names import Names
from kommo.sync.streams import StreamSpec

_BESIDE = 1.0  # seconds between two looks at what is to be indexed
_SEQUENCE_BITS = 24  # requests of one claim: 27 days at 7 a second


class Cancelled(Exception):
    """A person asked for the run to end."""


class Stopping(Exception):
    """This worker is about to end; the run goes back, to be taken up where it is."""


class Run:
    """One claimed run. Threads of the run share it: everything here may be called from any of them.

    `read_until`: records older than that (Kommo's Unix seconds) have been read, None while they are being read.
    `sent` counts the requests since it was claimed; `started_at` is when that was for the first time (our clock).
    """

    def __init__(self, services: Services, claim: Claim, user_id: str, stopping: threading.Event) -> None:
        self.services = services
        self.claim = claim
        self.user_id = user_id
        self.lease = services.settings.lease
        self.kommo: Kommo
        self.names = Names()
        self.read_until: int | None = None
        self.sent = 0
        self.started_at = 0.0
        self._stopping = stopping
        self._cancelled = threading.Event()
        self._lost = threading.Event()
        self._requests = 0
        self._lock = threading.Lock()
        self._sequence = itertools.count(1)

    def version(self) -> int:
        """The next number in the order of readings: taken before a request is sent, it dates what the answer says.

        It counts, it is no time: clocks of machines differ and jump. Every later claim of a run of the account starts
        higher.
        """
        return (self.claim.number << _SEQUENCE_BITS) + next(self._sequence)

    def target(self, spec: StreamSpec, read_pass: int = 1) -> Target:
        """Where rows of a stream go."""
        return Target(self.user_id, self.claim.connection_id, spec.kind, self.claim.run_id, spec.name, read_pass)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A write transaction that exists only while the run is ours: fence first, then the caller's rows."""
        with self._lock:
            requests, self._requests = self._requests, 0
        try:
            with writing(self.services.engine) as session:
                self._hold(session, requests=requests)
                yield session
        except BaseException:  # rolled back, and the number with it: the next transaction brings it
            with self._lock:
                self._requests += requests
            raise

    def beat(self) -> None:
        """Say that the run lives, whatever it waits for.

        It takes no number of requests along: one that comes when the run has just ended would lose it.
        """
        with writing(self.services.engine) as session:
            self._hold(session, going_on=False)

    def _hold(self, session: Session, *, requests: int = 0, going_on: bool = True) -> None:
        """Renew the lease and note a wish to cancel; raises LostLease when another worker took over."""
        try:
            if runs.hold(session, self.claim, self.lease, requests=requests, going_on=going_on):
                self._cancelled.set()
        except LostLease:
            self._lost.set()
            raise

    def note(self, **values: object) -> None:
        """Set columns of the run's row, in a transaction of its own."""
        with self.transaction() as session:
            runs.note(session, self.claim, **values)

    def warn(self, sentences: Sequence[str]) -> None:
        """Add sentences about what is missing, though the run goes on."""
        if sentences:
            with self.transaction() as session:
                runs.add_sentences(session, self.claim, "warnings", sentences)

    def count_request(self, _status: int | None, _elapsed: float) -> None:
        """Called by the client after each request; the number reaches the row with the next transaction."""
        with self._lock:
            self._requests += 1
            self.sent += 1

    def should_stop(self) -> bool:
        """Whether to send no further request: cancelled, taken over, or the worker is ending."""
        return self._stopping.is_set() or self._cancelled.is_set() or self._lost.is_set()

    def check(self) -> None:
        """Raise what ends the run here, if anything does: LostLease, Cancelled or Stopping."""
        if self._lost.is_set():
            raise LostLease(f"run {self.claim.run_id} is not ours any more")
        if self._cancelled.is_set():
            raise Cancelled
        if self._stopping.is_set():
            raise Stopping


class Indexer:
    """Brings the search index up to date beside the reading: SQLite works while Python waits for Kommo.

    Every second where Kommo's limit leaves the time for it, as a search goes row by row through what is not indexed;
    without a limit after each stream, as lots that follow each other closely cost less.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix=f"index-{run.claim.run_id}", initializer=logs.carrier())
        self._one = threading.Lock()  # two at the same lot would do it twice

    def __enter__(self) -> Self:
        if self._run.services.settings.rate_limit:
            self._pool.submit(self._keep_up)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._pool.shutdown()

    def start(self) -> None:
        """Begin with what is noted so far."""
        self._pool.submit(self._catch_up)

    def finish(self) -> None:
        """Index everything noted so far; raises what stands in the way."""
        self._catch_up()

    def _keep_up(self) -> None:
        while not self._over.wait(_BESIDE):
            with suppress(SQLAlchemyError):  # a lock or a full disk: `finish` says so
                self._catch_up()

    def _catch_up(self) -> None:
        with self._one:
            search.catch_up(self._run.services.engine, self._run.should_stop)


class Heartbeat:
    """Renews a run's lease while its pages take long; a context manager around the work."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{run.claim.run_id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._run.lease / 3):
            try:
                self._run.beat()
            except LostLease:
                return
            except SQLAlchemyError:
                continue  # a locked or full database: the pages will say so; the lease may still be saved
