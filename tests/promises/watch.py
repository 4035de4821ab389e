"""What is watched while promises are tried: the database itself refuses a row that goes back to an earlier reading."""

from sqlalchemy import Engine, text

from kommo.db import writing
from kommo.services import Services, open_services
from kommo.settings import Settings
from tests import databases

_GUARD = """
CREATE TRIGGER IF NOT EXISTS readings_only_go_on BEFORE UPDATE ON "Wallet" WHEN new.version < old.version
BEGIN SELECT raise(ABORT, 'an earlier reading over a later one'); END
"""


def prepared(settings: Settings) -> Services:
    """The tools of a process on a SQLite database with the newest schema."""
    databases.prepare(settings)
    return open_services(settings)


def watched(engine: Engine) -> None:
    """Let the database (SQLite) refuse what P4 forbids, whoever tries."""
    with writing(engine) as session:
        session.execute(text(_GUARD))
