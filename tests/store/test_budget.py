"""The request budget: one slot a request, for everybody; people before syncs; half the pace after a 429."""

import multiprocessing
import random
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import select

from kommo.db import reading
from kommo.services import Services
from kommo.store.budget import BudgetBlocked, BudgetEarly, BudgetFull, SqlBudget
from kommo.store.pace import MARGIN, OLD, STARVING
from kommo.store.tables import RateSlot
from tests.clocks import clock_moved
from tests.store.sharing import WIDE, Crowd, reserve_beside_others


def make(services: Services, limit: float = 6.0, scope: str = "installation") -> SqlBudget:
    return SqlBudget(services.engine, scope, limit, random.Random(7).random)


def counted(services: Services) -> int:
    with reading(services.engine) as session:
        return session.execute(select(RateSlot.requests)).scalar_one()


def test_slots_are_evenly_apart_whoever_takes_them(services: Services) -> None:
    """Twenty at once, from eight threads: no two closer than the limit says. Nobody waits for them here.

    Seven in a hundred seconds, so that what a busy machine takes between two lines is nothing beside them.
    """
    budget = make(services, WIDE)

    def reserve(_: int) -> float:
        wait = budget.reserve("page")
        return time.monotonic() + wait

    with ThreadPoolExecutor(8) as pool:
        moments = sorted(pool.map(reserve, range(20)))
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    interval = MARGIN / WIDE
    assert gaps == pytest.approx([interval] * 19, abs=4)
    assert sum(gaps) == pytest.approx(19 * interval, abs=4)
    assert min(moments[n + 7] - moments[n] for n in range(13)) > 99


def test_several_processes_share_one_budget(services: Services) -> None:
    """Three processes of four threads: every slot is given once, and every request counted."""
    budget = make(services, WIDE)
    budget.reserve("page")
    before = budget.slots().next_at
    context = multiprocessing.get_context("spawn")
    address = services.engine.url.render_as_string(hide_password=False)
    children = [context.Process(target=reserve_beside_others, args=(address, 4, 5)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0, 0]
    after = budget.slots()
    assert after.next_at - before == pytest.approx(60 * after.width)
    assert counted(services) == 61


def test_scopes_do_not_wait_for_each_other(services: Services) -> None:
    one, other = make(services, 0.01, "account:1"), make(services, 0.01, "account:2")
    one.reserve("page")
    assert one.reserve("page") > 60
    assert other.reserve("sync") < 0.1
    one.slow_down(100, "page", 0.0)
    one.block(300)
    assert other.slots().speed == 0.01
    assert other.blocked_for() == 0


def test_without_a_limit_nothing_is_waited_for(services: Services) -> None:
    budget = make(services, 0.0)
    assert [budget.reserve(purpose) for purpose in ("page", "sync", "api", "sync", "sync")] == [0.0] * 5


@pytest.mark.parametrize("limit", [0.0, 6.0])
@pytest.mark.parametrize("purpose", ["page", "sync"])
def test_a_block_stops_everybody_until_it_is_over(services: Services, limit: float, purpose: str) -> None:
    budget = make(services, limit)
    budget.block(300)
    with pytest.raises(BudgetBlocked) as blocked:
        budget.reserve(purpose)
    assert 240 < blocked.value.seconds <= 300
    assert 240 < budget.blocked_for() <= 300
    with clock_moved(services.engine, 301):
        assert budget.blocked_for() == 0
    budget.unblock()
    assert budget.blocked_for() == 0
    assert budget.reserve(purpose) < 1
    budget.block(300)
    with clock_moved(services.engine, 301):
        assert budget.reserve(purpose) < 1


def test_who_would_wait_too_long_is_told_so_and_takes_nothing(services: Services) -> None:
    budget = make(services)
    budget.slow_down(100, "page", 0.0)
    with pytest.raises(BudgetFull) as full:
        budget.reserve("page", 2.0)
    assert 60 < full.value.seconds <= 100
    assert counted(services) == 0
    assert 60 < budget.reserve("page", 600.0) <= 100.1


def test_a_slot_waited_for_is_void_after_a_429_or_a_block(services: Services) -> None:
    """Whoever had reserved before Kommo said so does not send after it."""
    budget = make(services)
    budget.reserve("page")
    assert not budget.held()
    budget.slow_down(100, "page", 0.0)
    assert budget.held()
    with clock_moved(services.engine, 101):
        assert not budget.held()
    other = make(services, scope="account:2")
    other.block(300)
    assert other.held()


def test_a_clock_that_is_set_back_keeps_nobody_waiting(services: Services) -> None:
    """An hour back: slots, pauses and blocks of the hour that is to come again are of no account."""
    budget = make(services)
    with clock_moved(services.engine, 3600):
        budget.reserve("sync")
        budget.slow_down(60, "sync", 0.0)
        budget.block(900)
        assert (budget.slots().speed, budget.held()) == (3.0, True)
    assert not budget.held()
    assert budget.blocked_for() == 0
    assert budget.slots().speed == 6.0
    assert budget.reserve("sync", 15.0) < 1


class TestPeopleFirst:
    """However many synchronise, a person gets one of the next slots."""

    def test_a_sync_takes_nothing_far_ahead(self, services: Services) -> None:
        budget = make(services, WIDE)
        assert budget.reserve("sync") < 1  # this moment's slot
        assert budget.reserve("sync") < 1.1 * MARGIN / WIDE  # the next one
        with pytest.raises(BudgetEarly) as early:
            budget.reserve("sync")
        assert 0 < early.value.seconds < 1.3 * MARGIN / WIDE
        assert counted(services) == 2
        assert budget.reserve("page") < 2.1 * MARGIN / WIDE

    @pytest.mark.parametrize("syncs", [1, 3, 12, 36])
    def test_a_person_waits_for_two_slots_and_a_quarter_at_most(self, services: Services, syncs: int) -> None:
        """The number in docs/performance.md: what a sync may be ahead, and the slot it then takes."""
        budget, waits = make(services, WIDE), []
        crowd = Crowd(budget)
        crowd.join(syncs)
        for part in range(12):
            crowd.run(1 + part * 0.083, lambda: waits.append(budget.reserve("page") / crowd.width))
        assert max(waits) <= OLD + 1 <= 2.25
        if syncs > 3:
            assert max(waits) > 1  # the syncs were at the limit all the time

    def test_people_stand_behind_each_other_and_not_behind_syncs(self, services: Services) -> None:
        budget = make(services, WIDE)
        crowd = Crowd(budget)
        crowd.join(12)
        waits: list[float] = []
        crowd.run(20, lambda: waits.extend(budget.reserve("page") / crowd.width for _ in range(5)))
        assert waits[-1] <= OLD + 5
        assert waits == pytest.approx([waits[0] + place for place in range(5)], abs=0.1)

    def test_programs_that_never_stop_leave_the_sync_a_share(self, services: Services) -> None:
        """Four calls wait at all times; a sync still gets one slot in nine or ten."""
        budget = make(services, WIDE)
        crowd = Crowd(budget)
        crowd.join(3)

        def call() -> None:
            while budget.slots().begin - budget.slots().now < 4 * crowd.width:
                budget.reserve("api")

        for _ in range(60):
            crowd.run(1, call)
        assert 60 / (STARVING + 2) - 1 <= len(crowd.given) <= 60 / STARVING + 3


class TestSyncsAmongThemselves:
    """They use all there is, and take turns."""

    @pytest.mark.parametrize("syncs", [3, 12])
    def test_no_slot_is_left_unused(self, services: Services, syncs: int) -> None:
        """An answer takes a slot, as 150 ms at 7 a second: three bands are enough for the full speed."""
        crowd = Crowd(make(services, WIDE), answer=1.02)
        crowd.join(syncs)
        crowd.run(40)
        moments = [moment for moment, _ in crowd.given]
        assert len(moments) >= 40
        assert [later - sooner for sooner, later in pairwise(moments)] == pytest.approx(
            [crowd.width] * (len(moments) - 1), abs=0.05 * crowd.width
        )

    def test_everybody_gets_as_many(self, services: Services) -> None:
        """Twelve, as four accounts read in three bands each."""
        crowd = Crowd(make(services, WIDE))
        crowd.join(12)
        crowd.run(12 * 6)
        shares = crowd.shares()
        assert sum(shares) >= 12 * 6
        assert shares[-1] - shares[0] <= 2

    def test_who_comes_later_gets_as_many_from_then_on(self, services: Services) -> None:
        crowd = Crowd(make(services, WIDE))
        crowd.join(9)
        crowd.run(20)
        before = len(crowd.given)
        crowd.join(3)
        crowd.run(12 * 6)
        shares = crowd.shares(before)
        assert shares[-1] - shares[0] <= 3

    def test_nobody_asks_more_often_than_slots_go_by(self, services: Services) -> None:
        """One plain read a slot for each that waits, and no write but the one that takes the slot."""
        crowd = Crowd(make(services, WIDE))
        crowd.join(12)
        crowd.run(30)
        assert crowd.asks <= 1.2 * 12 * 30

    def test_in_threads_and_real_time_all_is_counted(self, services: Services) -> None:
        """Twelve threads that wait as they are told, at a hundred a second; a person in between."""
        budget = make(services, 100.0)

        def work(_: int) -> None:
            began = time.monotonic()
            while True:
                try:
                    time.sleep(max(budget.reserve("sync", waited=time.monotonic() - began), 0.0))
                except BudgetEarly as early:
                    time.sleep(early.seconds)
                else:
                    return

        with ThreadPoolExecutor(13) as pool:
            working = [pool.submit(work, number) for number in range(60)]
            assert budget.reserve("page") <= 60
            for done in working:
                done.result()
        assert counted(services) == 61


class TestAfterA429:
    """Everybody goes on at half the pace, and faster again in steps."""

    def test_the_next_one_is_pushed_back_once(self, services: Services) -> None:
        """Four threads that met it at the same time do not add up, neither the wait nor the pace."""
        budget = make(services)
        budget.reserve("sync")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: budget.slow_down(100, "sync", 5.0), range(4)))
        assert budget.slots().speed == 3.0
        assert 60 < budget.reserve("page") <= 100.1

    def test_a_shorter_wait_takes_nothing_from_a_longer_one(self, services: Services) -> None:
        budget = make(services)
        budget.slow_down(100, "sync", 0.1)
        budget.slow_down(1, "page", 0.1)
        assert budget.slots().paused_until > budget.slots().now + 60

    def test_one_that_was_sent_since_halves_it_again_down_to_an_eighth(self, services: Services) -> None:
        budget, speeds = make(services), []
        for place in range(5):
            with clock_moved(services.engine, 4.0 * place):
                budget.slow_down(1, "sync", 2.0)
                budget.slow_down(1, "sync", 3.0)
                speeds.append(budget.slots().speed)
        assert speeds == pytest.approx([3.0, 1.5, 0.75, 0.75, 0.75])

    def test_the_speed_comes_back_step_by_step(self, services: Services) -> None:
        budget = make(services)
        budget.slow_down(1, "sync", 0.1)
        speeds = []
        for seconds in (5, 15, 25, 35, 45, 55, 65, 3600):
            with clock_moved(services.engine, seconds):
                speeds.append(budget.slots().speed)
        assert speeds == pytest.approx([3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.0])

    def test_the_slots_are_as_wide_as_the_pace_says(self, services: Services) -> None:
        """At 0.07 a second every step is more than the whole: full speed is back after ten seconds."""
        budget = make(services, WIDE)
        budget.slow_down(0, "sync", 0.1)
        waits = [budget.reserve("page") for _ in range(3)]
        assert waits == pytest.approx([0, 2 * MARGIN / WIDE, 4 * MARGIN / WIDE], abs=4)
        with clock_moved(services.engine, 10 * MARGIN / WIDE):
            waits = [budget.reserve("page") for _ in range(3)]
        assert waits == pytest.approx([0, MARGIN / WIDE, 2 * MARGIN / WIDE], abs=4)

    def test_without_a_limit_everybody_still_waits_as_kommo_says(self, services: Services) -> None:
        budget = make(services, 0.0)
        budget.slow_down(100, "sync", 0.1)
        assert 60 < budget.reserve("sync") <= 100
        assert budget.held()
        with pytest.raises(BudgetFull):
            budget.reserve("page", 15.0)
        with clock_moved(services.engine, 101):
            assert budget.reserve("page", 15.0) == 0
