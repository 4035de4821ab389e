"""Who used how many requests: counted exactly, by the minute and by who asked; read cheaply, and forgotten in time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from kommo.db import now, reading, writing
from kommo.services import Services
from kommo.store import use
from kommo.store.budget import BudgetBlocked, BudgetFull, SqlBudget
from kommo.store.tables import RateUse
from kommo.store.use import KEPT, LOT, Use, Used
from tests.clocks import clock_moved
from tests.factories import StatementCounter

ONE = "installation"


@pytest.fixture(autouse=True)
def _a_minute_begins(services: Services) -> Iterator[None]:
    """The database's clock stands at a minute's first second as a test begins: none ends in the middle of it."""
    with reading(services.engine) as session:
        ahead = 61 - now(session) % 60
    with clock_moved(services.engine, ahead):
        yield


def used(services: Services, scope: str = ONE) -> Use:
    with reading(services.engine) as session:
        return use.used(session, scope, now(session))


def rows(services: Services) -> int:
    with reading(services.engine) as session:
        return session.execute(select(func.count()).select_from(RateUse)).scalar_one()


def note(services: Services, *minutes_ago: int, purpose: str = "sync", scope: str = ONE, **counts: Any) -> None:
    """Requests of some minutes ago."""
    with writing(services.engine) as session:
        moment = now(session)
        for ago in minutes_ago:
            use.note(session, scope, moment - 60.0 * ago, purpose, **counts)


def test_before_anything_all_is_zero(services: Services) -> None:
    found = used(services)
    assert (found.minute, found.hour, found.day) == (Used(), Used(), Used())
    assert [minute.used.total for minute in found.minutes] == [0] * 60
    assert {later.at - sooner.at for sooner, later in zip(found.minutes, found.minutes[1:], strict=False)} == {60}


def test_counters_are_exact_under_threads(services: Services) -> None:
    """Eight threads, three purposes, two scopes; some are told to wait and count for nothing."""
    budgets = [SqlBudget(services.engine, scope, 1000.0) for scope in (ONE, "account:7")]

    def work(number: int) -> None:
        budget = budgets[number % 2]
        budget.reserve(("page", "api", "page")[number % 3])
        if number % 4 == 0:
            budget.slow_down(0, "api", 0.1)
        if number % 5 == 0:
            budget.reserve("page", again=True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(60)))
    for budget, refused in zip(budgets, (15, 0), strict=True):
        assert used(services, budget.scope).hour == Used(page=20, api=10, refused=refused)


def test_what_was_not_reserved_is_not_counted(services: Services) -> None:
    budget = SqlBudget(services.engine, ONE, 6.0)
    budget.slow_down(100, "page", 0.1)
    with pytest.raises(BudgetFull):
        budget.reserve("page", 1.0)
    budget.block(100)
    with pytest.raises(BudgetBlocked):
        budget.reserve("sync")
    assert used(services).hour == Used(refused=1)


def test_this_minute_the_last_hour_and_a_day(services: Services) -> None:
    for ago, purpose in (
        (0, "sync"),
        (0, "page"),
        (1, "sync"),
        (59, "api"),
        (60, "sync"),
        (1439, "page"),
        (1440, "api"),
    ):
        note(services, ago, purpose=purpose, requests=1)
    note(services, 59, purpose="api", refused=2)
    found = used(services)
    assert found.minute == Used(sync=1, page=1)
    assert found.hour == Used(sync=2, page=1, api=1, refused=2)
    assert found.day == Used(sync=3, page=2, api=1, refused=2)
    assert [minute.used.total for minute in found.minutes] == [1, *[0] * 57, 1, 2]


def test_minutes_go_by(services: Services) -> None:
    SqlBudget(services.engine, ONE, 6.0).reserve("page")
    totals = []
    for minutes in (0.0, 2.0, 61.0, 1442.0):
        with clock_moved(services.engine, 60 * minutes):
            found = used(services)
            totals.append((found.hour.total, found.day.total))
    assert totals == [(1, 1), (1, 1), (0, 1), (0, 0)]


def test_a_clock_that_was_set_back_shows_nothing_of_times_to_come(services: Services) -> None:
    with clock_moved(services.engine, 7200):
        SqlBudget(services.engine, ONE, 6.0).reserve("page")
    assert used(services).day == Used()


def test_scopes_are_told_apart(services: Services) -> None:
    note(services, 0, scope="account:1", requests=3)
    assert used(services, "account:1").hour.total == 3
    assert used(services, "account:2").hour.total == used(services).hour.total == 0


def test_what_is_over_two_days_old_is_forgotten_in_lots(services: Services) -> None:
    """A minute's first request lets a lot of it go, however much lies there; other scopes keep theirs."""
    note(services, 0, requests=1)
    note(services, *range(KEPT + 1, KEPT + 1 + LOT + 5), KEPT, requests=1)
    note(services, KEPT + 9, scope="account:1", requests=1)
    budget = SqlBudget(services.engine, ONE, 6.0)
    counts = []
    for minutes in (1, 1, 2, 3):
        with clock_moved(services.engine, 60.0 * minutes):
            budget.reserve("page")
        counts.append(rows(services))
    before = 1 + LOT + 5 + 1 + 1
    # The first of a minute forgets LOT of the oldest, the second one nothing; three more become too old meanwhile.
    assert counts == [before + 1 - LOT, before + 1 - LOT, 4, 5]
    assert used(services, "account:1").minutes[-1].used == Used()


def test_reading_it_is_two_short_statements_by_the_key(services: Services) -> None:
    note(services, *range(50), requests=1)
    with StatementCounter(services.engine) as counter:
        used(services)
    assert len([statement for statement in counter.seen if statement.startswith("SELECT")]) == 3  # and the time
    assert all(statement.startswith(("SELECT", "BEGIN")) for statement in counter.seen)
