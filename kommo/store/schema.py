"""The database's schema: brought up to date at start, once, after a backup; a newer one is refused.

Revisions are numbered files in migrations/versions ("0001_…"). Alembic is imported only when there is work to do:
it costs a quarter of a second at every start otherwise.
"""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from kommo.db import reading, sqlite_file, writing
from kommo.refusals import reason
from kommo.store import trouble

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
KEPT_BACKUPS = 5
_LOCK = 7_362_401  # our advisory lock on PostgreSQL


class SchemaError(Exception):
    """The database cannot be used by this program as it is; the text is one Portuguese line for the person."""


def head() -> str:
    """The newest revision this program knows."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_current(engine: Engine) -> None:
    """Raise SchemaError unless the database is exactly at this program's revision."""
    found = _found(engine)
    if found != head():
        _refuse_newer(found)
        raise SchemaError("O banco de dados ainda não foi preparado por esta versão; inicie primeiro `python app.py`.")


def upgrade(engine: Engine, backups: Path) -> None:
    """Bring the schema up to date; raises SchemaError for one that a newer program made.

    One process does it, in one transaction, after a copy of the SQLite file was put into `backups`.
    """
    found = _found(engine)
    if found == head():
        return
    _refuse_newer(found)
    try:
        _bring_up(engine, backups, found)
    except (SQLAlchemyError, sqlite3.Error) as error:
        if (known := trouble.of(error)) is None:
            raise
        raise SchemaError(f"O banco de dados não foi preparado, e ficou como estava. {known.sentence}") from None
    except OSError as error:
        raise SchemaError(
            f"A cópia de segurança antes da atualização não pôde ser gravada em {backups} ({reason(error)}): "
            "o banco ficou como estava."
        ) from None


def _bring_up(engine: Engine, backups: Path, found: str | None) -> None:
    file = sqlite_file(str(engine.url))
    if found is not None and file is not None:
        backup(file, backups, found)
    with writing(engine) as session:
        connection = session.connection()
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if current(connection) != head():  # another process may have been first
            _run(connection)


def backup(file: Path, folder: Path, label: str) -> Path:
    """A copy of a SQLite file as `folder/kommo-<time>-<label>.sqlite3`, of which the newest few are kept."""
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"kommo-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{label}.sqlite3"
    copy_file(file, target)
    for old in sorted(folder.glob("kommo-*.sqlite3"))[:-KEPT_BACKUPS]:
        old.unlink()
    return target


def copy_file(file: Path, target: Path) -> None:
    """A consistent copy of a SQLite file that may be in use, as a new file (0600).

    Raises FileExistsError where there is one already, OSError and sqlite3.Error where it cannot be written; then none
    is left.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except BaseException:
        target.unlink()
        raise


def _found(engine: Engine) -> str | None:
    """The revision the database is at; raises SchemaError where it cannot be read at all."""
    try:
        with reading(engine) as session:
            return current(session.connection())
    except DatabaseError as error:
        file = sqlite_file(str(engine.url))
        where = f"O arquivo {file}" if file else f"O servidor de banco de dados {engine.url.host}"
        if (known := trouble.of(error)) in (trouble.FULL, trouble.DISK, trouble.HELD):
            raise SchemaError(f"{where} não pôde ser lido. {known.sentence}") from None
        cause = str(error.orig).splitlines()[0]
        raise SchemaError(
            f"{where} não pôde ser lido ({cause}): confira DATABASE_URL, ou restaure uma cópia de instance/backups."
        ) from None


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > head():
        raise SchemaError(
            f"O banco de dados foi feito por uma versão mais nova do Painel Kommo (esquema {found}, esta conhece até "
            f"{head()}); atualize o programa ou restaure uma cópia de instance/backups."
        )


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
