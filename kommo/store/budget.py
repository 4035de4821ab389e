"""The request budget as rows: one reserved slot a request, for all threads, processes and machines.

A slot is taken with one statement by the database's own clock, and slept for outside the transaction. The slots are a
little wider than 1/limit, so that jitter on the way never makes 8 of 7 in any one second at Kommo.
"""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, or_, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, reading, writing
from kommo.store.tables import RateSlot
from kommo.store.upsert import insert_missing

MARGIN = 1.035  # slots are this much wider than 1/limit
FAR = 1800.0  # seconds; nothing is reserved, slowed or blocked for as long: such a time is of another clock
EARLY = 0.01  # seconds a sleep may end before the moment it was for
INSTALLATION = "installation"


class BudgetBlocked(Exception):
    """Nobody may send for another `seconds`: Kommo blocked this address."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"blocked for {seconds:.0f} s")
        self.seconds = seconds


class BudgetFull(Exception):
    """The next free slot is `seconds` away: longer than the caller would wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"full for {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SqlBudget:
    """The budget of one scope (the installation, or one account) at `limit` requests a second; 0 means no limit."""

    engine: Engine
    scope: str
    limit: float

    def reserve(self, longest: float | None = None) -> float:
        """Take the next slot; gives the seconds to sleep before sending, below 0 where it has gone by already.

        Raises BudgetBlocked while nobody may send, BudgetFull where the wait would be longer than `longest` seconds.
        """
        if not self.limit:
            self._require_free()
            return 0.0
        interval = MARGIN / self.limit
        begin = case((_ahead(RateSlot.next_at, FAR + 60 * interval), RateSlot.next_at), else_=clock())
        within = [] if longest is None else [begin - clock() <= longest]
        statement = (
            update(RateSlot)
            .where(RateSlot.scope == self.scope, ~_ahead(RateSlot.blocked_until, FAR), *within)
            .values(next_at=begin + interval, requests=RateSlot.requests + 1)
            .returning(RateSlot.next_at - interval - clock())
            .execution_options(synchronize_session=False)
        )
        with writing(self.engine) as session:
            wait, taken = session.execute(statement).scalar_one_or_none(), time.monotonic()
            if wait is None:
                self._make(session)
                wait, taken = session.execute(statement).scalar_one_or_none(), time.monotonic()
        if wait is None:
            self._require_free()
            raise BudgetFull(self._busy_for())
        return float(wait) - (time.monotonic() - taken)  # the commit has taken its time

    def blocked_for(self) -> float:
        """Seconds for which nobody may send, after Kommo blocked this address; 0 when free."""
        with reading(self.engine) as session:
            statement = select(RateSlot.blocked_until - clock()).where(
                RateSlot.scope == self.scope, _ahead(RateSlot.blocked_until, FAR)
            )
            return max(float(session.execute(statement).scalar_one_or_none() or 0.0), 0.0)

    def held(self) -> bool:
        """Whether a slot reserved a moment ago may not be used: Kommo said 429 or blocked this address since."""
        with reading(self.engine) as session:
            statement = select(RateSlot.scope).where(
                RateSlot.scope == self.scope,
                or_(_ahead(RateSlot.blocked_until, FAR), _ahead(RateSlot.slow_until - EARLY, FAR)),
            )
            return session.execute(statement).first() is not None

    def slow_down(self, seconds: float) -> None:
        """Push everyone's next request back: Kommo said 429."""
        later = clock() + seconds
        self._set(next_at=case((RateSlot.next_at > later, RateSlot.next_at), else_=later), slow_until=later)

    def block(self, seconds: float) -> None:
        """Stop everyone for a while: Kommo answered with its blanket 403."""
        self._set(blocked_until=clock() + seconds)

    def unblock(self) -> None:
        """Let everyone go on: a person's test came through."""
        if self.blocked_for():
            self._set(blocked_until=0.0)

    def _set(self, **values: object) -> None:
        with writing(self.engine) as session:
            self._make(session)
            session.execute(
                update(RateSlot)
                .where(RateSlot.scope == self.scope)
                .values(values)
                .execution_options(synchronize_session=False)
            )

    def _busy_for(self) -> float:
        with reading(self.engine) as session:
            statement = select(RateSlot.next_at - clock()).where(RateSlot.scope == self.scope)
            return max(float(session.execute(statement).scalar_one_or_none() or 0.0), 0.0)

    def _require_free(self) -> None:
        if seconds := self.blocked_for():
            raise BudgetBlocked(seconds)

    def _make(self, session: Session) -> None:
        times = dict.fromkeys(("next_at", "slow_until", "blocked_until", "slowed_at"), 0.0)
        row = {"scope": self.scope, "pace": 1.0, "requests": 0} | times
        insert_missing(session, RateSlot.__table__, [row])  # type: ignore[arg-type]


def _ahead(moment: Any, far: float) -> ColumnElement[bool]:
    """The condition for a time that is still to come, but not so far that the clock must have been set back."""
    return and_(moment > clock(), moment <= clock() + far)
