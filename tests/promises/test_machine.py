"""All promises at once: whatever happens to the account, to Kommo and to the workers, a quiet end is an exact copy."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import update

from kommo.db import writing
from kommo.sandbox import MovableClock, make_world, serve
from kommo.sandbox.faults import AFTER, BEFORE
from kommo.services import Services
from kommo.store import runs
from kommo.store.progress import RunView
from kommo.store.tables import RateSlot, SyncMark, SyncRun
from kommo.sync import control, engine
from tests.conftest import make_settings
from tests.promises.life import REPORTED, UNTOLD, Stir
from tests.promises.mortal import Mortal, lapse
from tests.promises.soak import COMMITS, EXAMPLES, FAULTS, FULL, RUNS, note, often
from tests.promises.watch import prepared, watched
from tests.sync.accounts import connect, difference, run, run_view
from tests.sync.turns import turns

NUMBERS = st.integers(0, 10**6)
#: Faults after which the same request gives the truth, and nothing is kept of what the fault said.
PASSING = (
    "429", "429_json", "500", "502", "504", "500_after", "502_after", "504_after", "reset", "reset_after", "no_answer",
    "empty_200", "html_200", "truncated", "cut", "long_length", "bad_gzip", "wrong_type", "empty_next", "slow",
)  # fmt: skip
#: Faults that tell a lie or refuse something: what changed meanwhile is certain only after a sweep.
LYING = tuple(sorted({*BEFORE, *AFTER} - {*PASSING}))
PLACES = ("/api/v4/contacts", "/api/v4/leads", "/api/v4/events", "/api/v4/companies", "/api/v4/", "filter", "page=")
#: Settings of Kommo under which a later run is still told of everything.
STILL_TOLD = (
    "link_bumps", "tag_bumps", "note_bumps", "task_bumps", "restore_bumps", "delete_bumps", "merge_bumps",
    "default_order", "order_ignored", "unknown_order", "stable_ties", "over_limit", "page_zero", "eager_next",
    "link_host", "from_inclusive", "to_inclusive", "unknown_with", "if_modified_since", "merged_event_on",
    "events_page_size", "events_order", "trashed_get", "rate_body",
)  # fmt: skip
DEATHS = st.lists(st.integers(1, 60), max_size=3)


class Copy(RuleBasedStateMachine):
    """An account, its copy, the worker that brings it about, and another worker that may meet it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = MovableClock()
        self.untold: set[str] = set()
        self.account = 0
        self.deaf = False
        self.faults = 0

    @initialize(size=st.sampled_from([(40, 20), (600, 300)]), deaths=DEATHS)
    def open(self, size: tuple[int, int], deaths: list[int]) -> None:
        """An account with something in its trash, and its first load."""
        self.server = serve(make_world(contacts=size[0], deals=size[1], clock=self.clock))
        self.world = self.server.world
        self.world.bulk_delete("contacts", 3)
        values = {"lease": 600.0, "retry_attempts": 2}
        self.office = prepared(make_settings(self.folder, **values))
        watched(self.office.engine)
        self.mortal = Mortal(prepared(make_settings(self.folder, **values)))
        self.account = connect(self.office, self.server)
        self._run(deaths=deaths)
        note(EXAMPLES)

    def teardown(self) -> None:
        if self.account:
            note(COMMITS, self.mortal.deaths)
            note(FAULTS, self.faults)
            self.server.stop()
            self.office.engine.dispose()
            self.mortal.services.engine.dispose()
        shutil.rmtree(self.folder)

    # -- the account -------------------------------------------------------------------------------------------------

    @rule(deed=st.sampled_from(sorted(REPORTED)), number=NUMBERS)
    def people_work(self, deed: str, number: int) -> None:
        REPORTED[deed](self.world, number)

    @rule(seed=NUMBERS, many=st.integers(2, 30))
    def people_work_much(self, seed: int, many: int) -> None:
        stir = Stir(self.world, seed, at_most=many)
        for _ in range(2 * many):
            stir("", "", "")

    @rule(deed=st.sampled_from(sorted(UNTOLD)), number=NUMBERS)
    def something_is_not_told(self, deed: str, number: int) -> None:
        UNTOLD[deed](self.world, number)
        self.untold.add(deed)

    @rule(setting=st.sampled_from(turns()))
    def kommo_is_another(self, setting: tuple[str, Any]) -> None:
        name, value = setting
        self.world.turn(**{name: value})
        if name not in STILL_TOLD:
            self.deaf = True

    # -- the clocks --------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([3600, -3600]))
    def kommo_s_clock_jumps(self, seconds: int) -> None:
        """A run sees the jump: what was stamped in an hour that came twice could not be told from what was read."""
        self.clock.advance(seconds)
        self._run()

    @rule(seconds=st.sampled_from([3600.0, -3600.0]))
    def our_clock_jumps(self, seconds: float) -> None:
        """All that is noted of our time is that much earlier or later."""
        with writing(self.office.engine) as session:
            for column in (SyncMark.marked_at, SyncMark.swept_at, SyncMark.refused_at, SyncRun.lease_until,
                           SyncRun.resume_at, RateSlot.blocked_until, RateSlot.slow_until):  # fmt: skip
                session.execute(update(column.class_).values({column: column - seconds}))

    # -- the workers -------------------------------------------------------------------------------------------------

    @rule(sweep=st.booleans(), deaths=DEATHS, seed=st.none() | NUMBERS)
    def a_run(self, sweep: bool, deaths: list[int], seed: int | None) -> None:
        """To its end, whoever has to take it up again, while people work."""
        self._run(sweep=sweep, deaths=deaths, meanwhile=None if seed is None else Stir(self.world, seed))

    @rule(sweep=st.booleans(), how=st.sampled_from(PASSING), place=st.sampled_from(PLACES), times=st.integers(1, 8),
          skip=st.integers(0, 20))  # fmt: skip
    def a_run_in_trouble(self, sweep: bool, how: str, place: str, times: int, skip: int) -> None:
        options: dict[str, float] = {"seconds": 0.0} if how in ("slow", "429_json") else {}
        fault = self.world.fail(place, times=times, how=how, skip=skip, **options)
        self._run(sweep=sweep)
        self.faults += fault.hits

    @rule(sweep=st.booleans(), how=st.sampled_from(LYING), place=st.sampled_from(PLACES), skip=st.integers(0, 20))
    def a_run_that_is_lied_to(self, sweep: bool, how: str, place: str, skip: int) -> None:
        options = {"huge": {"megabytes": 1}, "drip": {"seconds": 0.0}}.get(how, {})
        fault = self.world.fail(place, times=1, how=how, skip=skip, **options)
        self.deaf = True
        self._run(sweep=sweep)
        self.faults += fault.hits

    @rule(sweep=st.booleans(), at=st.integers(1, 30), asleep=st.booleans(), seed=st.none() | NUMBERS)
    def two_workers_meet(self, sweep: bool, at: int, asleep: bool, seed: int | None) -> None:
        """The other one gets nothing, unless the first has slept past its lease: then that one writes nothing more."""
        meeting = Meeting(self, at, asleep)
        stir = Stir(self.world, seed) if seed is not None else None
        self._run(sweep=sweep, meanwhile=meeting.after(stir))
        assert meeting.errors == []

    # -- the quiet end -----------------------------------------------------------------------------------------------

    @precondition(lambda self: not (self.untold or self.deaf))
    @rule()
    def a_quiet_end(self) -> None:
        """Two runs of what changed are enough, however the last one ended."""
        self._quiet(sweep=False)

    @rule()
    def a_quiet_end_by_a_sweep(self) -> None:
        self._quiet(sweep=True)
        self.untold.clear()

    def _quiet(self, *, sweep: bool) -> None:
        self._heal()
        view = run(self.office, self.account, sweep=sweep)
        if view.guarded:  # a person looks, and says that they are gone
            number = control.confirm_deletions(self.office, self.account, view.id)
            assert number is not None
            assert engine.run_one(self.office, number, "office", threading.Event())
            view = run_view(self.office, self.account, number)
        note(RUNS)
        assert difference(self.office, self.account, self.world) == []
        assert view.proved, (view.state, view.errors)

    def _heal(self) -> None:
        """Trouble is over, a person has tried the connection, and the run under way, if there is one, is done."""
        self.world.before_request = None
        self.world.heal()
        connect(self.office, self.server, full=True)
        self._finish()

    def _run(
        self, *, sweep: bool = False, deaths: list[int] | None = None, meanwhile: Callable[..., None] | None = None
    ) -> None:
        """A run from start to end or pause; one that is not over yet goes on instead."""
        with writing(self.office.engine) as session:
            found = runs.active(session, self.account)
        run_id = found.id if found else control.start(self.office, self.account, "shell", sweep=sweep)
        self.world.before_request = meanwhile
        for dies_at in deaths or []:
            lapse(self.office, run_id)
            self.mortal.work(run_id, dies_at=dies_at)
        lapse(self.office, run_id)
        self.mortal.work(run_id)
        self.world.before_request = None
        self.world.heal()

    def _finish(self) -> None:
        for _ in range(3):
            view = run_view(self.office, self.account)
            if not view.active:
                return
            lapse(self.office, view.id)
            engine.run_one(self.office, view.id, "office", threading.Event())
        raise AssertionError("a run does not end")


class Meeting:
    """At a request of one worker's run, another worker comes for the same run."""

    def __init__(self, copy: Copy, at: int, asleep: bool) -> None:
        self.copy = copy
        self.left = at
        self.asleep = asleep
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def after(self, other: Callable[..., None] | None) -> Callable[..., None]:
        """This, and what happens at requests besides."""

        def hook(method: str, path: str, query: str) -> None:
            if other is not None:
                other(method, path, query)
            with self._lock:
                self.left -= 1
                if self.left:
                    return
            self._meet()

        return hook

    def _meet(self) -> None:
        services: Services = self.copy.office
        view: RunView = run_view(services, self.copy.account)
        if self.asleep and view.active:
            lapse(services, view.id)
        taken = engine.run_one(services, view.id, "other", threading.Event())
        if taken != (self.asleep and view.active):
            self.errors.append(f"taken {taken}, asleep {self.asleep}, {view.state}")


TestCopy = Copy.TestCase
TestCopy.settings = settings(
    max_examples=often(12, 120),
    stateful_step_count=often(12, 20),
    deadline=None,
    derandomize=not FULL,  # `make soak` has a seed of its own, and says which
    database=None,
    suppress_health_check=list(HealthCheck),
)
