"""Many who share one budget: synchronisations in a time of their own, which the database's clock is set to, and
processes of their own in real time, with slots so wide that what the machine itself takes is nothing beside them.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import create_engine

from kommo.db import engine_options, prepare_engine
from kommo.store.budget import BudgetEarly, SqlBudget
from tests.clocks import clock_stopped

BEGINNING = 1_800_000_000.0  # when a crowd meets, Unix seconds
WIDE = 0.07  # requests a second: a slot is about 15 s wide


@dataclass
class Crowd:
    """Synchronisations that always want the next request: each asks, waits as it is told, sends and asks again.

    `answer` is how many slots an answer of Kommo takes. `given` are the moments of all slots by who got them; `asks`
    counts how often anybody asked.
    """

    budget: SqlBudget
    answer: float = 1.0
    now: float = 0.0
    given: list[tuple[float, int]] = field(default_factory=list)
    asks: int = 0
    _due: list[tuple[float, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.width = self.budget.slots().width

    def join(self, count: int) -> None:
        """So many more of them, that all begin at this moment."""
        first = len(self._due)
        for number in range(first, first + count):
            heapq.heappush(self._due, (self.now, number, self.now))

    def run(self, slots: float, then: Callable[[], object] | None = None) -> None:
        """Let so many slots go by; `then` is done at the end of them, in the time of the crowd."""
        until = self.now + slots * self.width
        while self._due and self._due[0][0] <= until:
            self.now, number, began = heapq.heappop(self._due)
            heapq.heappush(self._due, self._ask(number, began))
        self.now = until
        if then is not None:
            with clock_stopped(self.budget.engine, BEGINNING + self.now):
                then()

    def shares(self, since: int = 0) -> list[int]:
        """How many slots each of them got, from the `since`-th given one on; the smallest first."""
        counts = Counter(number for _, number in self.given[since:])
        return sorted(counts[number] for _, number, _ in self._due)

    def _ask(self, number: int, began: float) -> tuple[float, int, float]:
        self.asks += 1
        try:
            with clock_stopped(self.budget.engine, BEGINNING + self.now):
                wait = self.budget.reserve("sync", waited=self.now - began)
        except BudgetEarly as early:
            return self.now + early.seconds, number, began
        self.given.append((self.now + wait, number))
        again = self.now + max(wait, 0.0) + self.answer * self.width
        return again, number, again


def reserve_beside_others(address: str, threads: int, each: int) -> None:
    """What a process of its own does: so many threads that take so many slots each."""
    engine = create_engine(address, **engine_options(address))
    prepare_engine(engine)
    budget = SqlBudget(engine, "installation", WIDE)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda place: budget.reserve(("page", "api")[place % 2]), range(threads * each)))
    engine.dispose()
