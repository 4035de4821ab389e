"""What is watched while promises are tried: the database itself refuses a row that goes back to an earlier reading."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, text

from kommo.db import writing
from kommo.services import Services, open_services
from kommo.settings import Settings
from kommo.store import schema
from tests.conftest import make_settings

_GUARD = """
CREATE TRIGGER IF NOT EXISTS readings_only_go_on BEFORE UPDATE ON "Wallet" WHEN new.version < old.version
BEGIN SELECT raise(ABORT, 'an earlier reading over a later one'); END
"""


@cache
def _template() -> Path:
    """An empty SQLite database with the newest schema, made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="kommo-template-"))
    services = open_services(make_settings(folder))
    schema.upgrade(services.engine, folder / "backups")
    services.engine.dispose()
    return folder / "instance"


def prepared(settings: Settings) -> Services:
    """The tools of a process on a SQLite database with the newest schema, quicker than by migrations."""
    if not settings.instance.exists():
        shutil.copytree(_template(), settings.instance)
    return open_services(settings)


def watched(engine: Engine) -> None:
    """Let the database (SQLite) refuse what P4 forbids, whoever tries."""
    with writing(engine) as session:
        session.execute(text(_GUARD))
