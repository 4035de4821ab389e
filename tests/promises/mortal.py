"""A worker that dies within this process: at a commit of its own, which is lost, and with it all that follows.

What outlives a killed process is what it committed; so dying at each commit in turn is dying at every moment.
"""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from kommo.db import writing
from kommo.services import Services
from kommo.store.tables import SyncRun
from kommo.sync import engine


class Died(BaseException):
    """The worker is dead. No handler of the product catches it, as none is run in a process that is killed."""


class Mortal:
    """Counts what a worker commits, and lets it die at the commit it is told to."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.commits = 0
        self.deaths = 0
        self._dies_at: int | None = None
        self._lock = threading.Lock()
        self._commit: Callable[[Any], None] = services.engine.dialect.do_commit
        services.engine.dialect.do_commit = self._count  # type: ignore[method-assign]

    def _count(self, connection: Any) -> None:
        with self._lock:
            self.commits += 1
            if self._dies_at is not None and self.commits >= self._dies_at:  # and whatever its other threads do
                raise Died
        self._commit(connection)

    def kill(self) -> None:
        """Let it die now: nothing it does from here on is kept."""
        with self._lock:
            self._dies_at = 0

    def work(self, run_id: int, *, dies_at: int | None = None) -> bool:
        """Take up a run; gives whether it lived. `dies_at` is the number of the commit that it does not live to see."""
        self.commits, self._dies_at = 0, dies_at
        try:
            engine.run_one(self.services, run_id, "mortal", threading.Event())
        except Died:
            self.deaths += 1
            return False
        finally:
            self._dies_at = None
        return True


def lapse(services: Services, run_id: int) -> None:
    """Let a dead worker's lease run out, and a pause be over."""
    with writing(services.engine) as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(lease_until=1.0))
        session.execute(update(SyncRun).where(SyncRun.id == run_id, SyncRun.state == "paused").values(resume_at=1.0))
