"""What is watched while promises are tried: the database itself refuses a row that goes back to an earlier reading."""

import threading
from collections.abc import Collection

from sqlalchemy import Engine, select, text

from kommo.db import Base, reading, writing
from kommo.sandbox import World
from kommo.services import Services, open_services
from kommo.settings import Settings
from tests import databases
from tests.sync.accounts import difference, run_view

#: A request that was under way is counted when its answer comes; a worker says that it lives whenever it likes.
BESIDES = ("rate_slot", "rate_use", "worker_seen")
_GUARD = """
CREATE TRIGGER IF NOT EXISTS readings_only_go_on BEFORE UPDATE ON "Wallet" WHEN new.version < old.version
BEGIN SELECT raise(ABORT, 'an earlier reading over a later one'); END
"""


def prepared(settings: Settings) -> Services:
    """The tools of a process on a SQLite database with the newest schema."""
    databases.prepare(settings)
    return open_services(settings)


class BeforeProof:
    """What a run has to show before its proof, which would find and mend what is wrong: hooked into an account at rest.

    `found` is how copy and account differ when the proof of a run asks for the first time; None until then.
    """

    def __init__(self, services: Services, account: int, world: World) -> None:
        self.found: list[str] | None = None
        self.services, self.account, self.world = services, account, world
        self._lock = threading.Lock()

    def __call__(self, _method: str, _path: str, _query: str) -> None:
        with self._lock:
            if self.found is None and run_view(self.services, self.account).phase == "proof":
                self.found = difference(self.services, self.account, self.world)


def everything(services: Services, without: Collection[str] = BESIDES) -> dict[str, list[str]]:
    """All rows of all tables, but those of some: unless told otherwise the budget of requests."""
    with reading(services.engine) as session:
        return {
            name: sorted(map(repr, session.execute(select(table))))
            for name, table in Base.metadata.tables.items()
            if name not in without
        }


def watched(engine: Engine) -> None:
    """Let the database (SQLite) refuse what P4 forbids, whoever tries."""
    with writing(engine) as session:
        session.execute(text(_GUARD))
