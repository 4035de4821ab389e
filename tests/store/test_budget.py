"""The request budget: one slot a request, evenly apart, for everybody; and the two ways of being told to wait."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import update

from kommo.db import clock, writing
from kommo.services import Services
from kommo.store.budget import MARGIN, BudgetBlocked, BudgetFull, SqlBudget
from kommo.store.tables import RateSlot


def test_slots_are_evenly_apart_whoever_takes_them(services: Services) -> None:
    """Twenty at once, from eight threads: no two closer than the limit says. Nobody waits for them here.

    Seven in a hundred seconds, so that what a busy machine takes between two lines is nothing beside them.
    """
    budget = SqlBudget(services.engine, "installation", 0.07)

    def reserve(_: int) -> float:
        wait = budget.reserve()
        return time.monotonic() + wait

    with ThreadPoolExecutor(8) as pool:
        moments = sorted(pool.map(reserve, range(20)))
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    interval = MARGIN / 0.07
    assert gaps == pytest.approx([interval] * 19, abs=4)
    assert sum(gaps) == pytest.approx(19 * interval, abs=4)
    assert min(moments[n + 7] - moments[n] for n in range(13)) > 99


def test_scopes_do_not_wait_for_each_other(services: Services) -> None:
    one, other = (SqlBudget(services.engine, scope, 0.01) for scope in ("account:1", "account:2"))
    one.reserve()
    assert one.reserve() > 60
    assert other.reserve() < 0.1


def test_without_a_limit_nothing_is_waited_for(services: Services) -> None:
    budget = SqlBudget(services.engine, "installation", 0.0)
    assert [budget.reserve() for _ in range(5)] == [0.0] * 5


@pytest.mark.parametrize("limit", [0.0, 6.0])
def test_a_block_stops_everybody_until_it_is_over(services: Services, limit: float) -> None:
    budget = SqlBudget(services.engine, "installation", limit)
    budget.block(300)
    with pytest.raises(BudgetBlocked) as blocked:
        budget.reserve()
    assert 240 < blocked.value.seconds <= 300
    assert 240 < budget.blocked_for() <= 300
    budget.unblock()
    assert budget.reserve() < 1
    assert budget.blocked_for() == 0


def test_a_429_pushes_the_next_one_back_once(services: Services) -> None:
    """Four threads that met it at the same time do not add up."""
    budget = SqlBudget(services.engine, "installation", 6.0)
    for _ in range(4):
        budget.slow_down(100)
    assert 60 < budget.reserve() <= 100.1


def test_who_would_wait_too_long_is_told_so_and_takes_nothing(services: Services) -> None:
    budget = SqlBudget(services.engine, "installation", 6.0)
    budget.slow_down(100)
    with pytest.raises(BudgetFull) as full:
        budget.reserve(2.0)
    assert 60 < full.value.seconds <= 100
    assert 60 < budget.reserve(600.0) <= 100.1


def test_a_slot_waited_for_is_void_after_a_429_or_a_block(services: Services) -> None:
    """Whoever had reserved before Kommo said so does not send after it."""
    budget = SqlBudget(services.engine, "installation", 6.0)
    budget.reserve()
    assert not budget.held()
    budget.slow_down(100)
    assert budget.held()
    other = SqlBudget(services.engine, "account:2", 6.0)
    other.block(300)
    assert other.held()


def test_a_clock_that_is_set_back_keeps_nobody_waiting(services: Services) -> None:
    """An hour back: slots, pauses and blocks of the hour that is to come again are of no account."""
    budget = SqlBudget(services.engine, "installation", 6.0)
    budget.reserve()
    with writing(services.engine) as session:
        session.execute(update(RateSlot).values(next_at=RateSlot.next_at + 3600, blocked_until=clock() + 3600))
    assert budget.reserve(15.0) < 1
    assert not budget.held()
    assert budget.blocked_for() == 0
