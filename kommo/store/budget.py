"""The request budget as rows: one reserved slot a request, for all threads, processes and machines.

A slot is taken in one short transaction by the database's own clock, and slept for outside of it. People at a page and
programs that call take the next slot at once; a sync leaves everything but the very next slots to them.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

from sqlalchemy import Engine, Select, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, reading, writing
from kommo.store import use
from kommo.store.pace import Slots
from kommo.store.tables import RateSlot
from kommo.store.upsert import insert_missing

EARLY = 0.05  # seconds before its slot, at most, at which the one who waits for it looks whether it is still good
SCATTER = 0.02  # of a slot's width: those who ask again do not do it all at the same moment
INSTALLATION = "installation"
_COLUMNS = tuple(field.name for field in fields(Slots) if field.name not in ("limit", "now"))


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


class BudgetEarly(Exception):
    """A sync may not reserve yet: ask again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"ask again in {seconds:.2f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SqlBudget:
    """The budget of one scope (the installation, or one account) at `limit` requests a second; 0 means no limit."""

    engine: Engine
    scope: str
    limit: float
    chance: Callable[[], float] = random.random

    def reserve(self, purpose: str, longest: float | None = None, *, waited: float = 0.0, again: bool = False) -> float:
        """Take the next slot; gives the seconds to sleep before sending, below 0 where it has gone by already.

        `purpose` is "sync", "page" or "api"; `waited` the seconds a sync has asked in vain for this slot, `again` that
        it replaces one that was counted and not used. Raises BudgetBlocked while nobody may send, BudgetFull where the
        wait would be longer than `longest` seconds, and BudgetEarly; nothing is reserved then.
        """
        early = waited if purpose == "sync" else None
        if not self.limit or early is not None:  # a plain read first: most who ask again are still too early
            slots = self.slots()
            wait = self._require(slots, longest, early)
            if not self.limit:
                return wait
        with self._changing() as (session, slots):
            taken = time.monotonic()
            wait = self._require(slots, longest, early)
            values = {"next_at": slots.begin + slots.width, "requests": RateSlot.requests + (0 if again else 1)}
            self._set(session, **values | ({"sync_at": slots.begin} if early is not None else {}))
            if not again:
                use.note(session, self.scope, slots.now, purpose, requests=1)
        return wait - (time.monotonic() - taken)  # the commit has taken its time

    def slots(self) -> Slots:
        """How the budget stands at this moment, in one short read."""
        with reading(self.engine) as session:
            return self._read(session) or Slots(self.limit, time.time())

    def blocked_for(self) -> float:
        """Seconds for which nobody may send, after Kommo blocked this address; 0 when free."""
        slots = self.slots()
        return max(slots.stopped_until - slots.now, 0.0)

    def held(self) -> bool:
        """Whether a slot reserved a moment ago may not be used: Kommo said 429 or blocked this address since."""
        slots = self.slots()
        return slots.stopped_until > 0 or slots.paused_until > slots.now + EARLY

    def slow_down(self, seconds: float, purpose: str, sent: float) -> None:
        """Push everyone's next request back and go on at half the pace: Kommo said 429.

        `sent` is how many seconds ago the refused request left: what was under way already when others were told so
        does not halve the pace once more.
        """
        with self._changing() as (session, slots):
            later = slots.now + seconds
            values = {"next_at": max(slots.begin, later), "slow_until": max(slots.paused_until, later)}
            if (pace := slots.halved(sent)) is not None:
                values |= {"pace": pace, "slowed_at": slots.now}
            self._set(session, **values)
            use.note(session, self.scope, slots.now, purpose, refused=1)

    def block(self, seconds: float) -> None:
        """Stop everyone for a while: Kommo answered with its blanket 403."""
        with self._changing() as (session, slots):
            self._set(session, blocked_until=slots.now + seconds)

    def unblock(self) -> None:
        """Let everyone go on: a person's test came through."""
        if self.blocked_for():
            with self._changing() as (session, _):
                self._set(session, blocked_until=0.0)

    def _require(self, slots: Slots, longest: float | None, early: float | None) -> float:
        """Seconds until the next slot begins; raises what stands in the way of reserving it."""
        if slots.stopped_until:
            raise BudgetBlocked(slots.stopped_until - slots.now)
        wait = slots.begin - slots.now
        if longest is not None and wait > longest:
            raise BudgetFull(wait)
        if early is not None and (seconds := slots.too_early(early)):
            raise BudgetEarly(seconds + SCATTER * slots.width * self.chance())
        return wait

    @contextmanager
    def _changing(self) -> Iterator[tuple[Session, Slots]]:
        """A write transaction that holds the row, which is made where there is none, and what it says."""
        with writing(self.engine) as session:
            slots = self._read(session, lock=True)
            if slots is None:
                fresh = Slots(self.limit, 0.0)
                row = {"scope": self.scope, "requests": 0} | {name: getattr(fresh, name) for name in _COLUMNS}
                insert_missing(session, RateSlot.__table__, [row])  # type: ignore[arg-type]
                slots = self._read(session, lock=True)
            assert slots is not None
            yield session, slots

    def _read(self, session: Session, *, lock: bool = False) -> Slots | None:
        statement: Select[tuple[float, ...]] = select(
            clock().label("now"), *(getattr(RateSlot, name) for name in _COLUMNS)
        ).where(RateSlot.scope == self.scope)
        found = session.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
        return Slots(self.limit, **found) if found else None

    def _set(self, session: Session, **values: object) -> None:
        statement = update(RateSlot).where(RateSlot.scope == self.scope).values(values)
        session.execute(statement.execution_options(synchronize_session=False))
