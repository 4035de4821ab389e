"""What a database error means for people: full, out of reach, held, away, damaged, or a bug of ours."""

from dataclasses import dataclass
from sqlite3 import Error as SqliteError
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

RETRY_AFTER = 5  # seconds after which a caller may try again


@dataclass(frozen=True, slots=True)
class Trouble:
    """A database that cannot be worked with: what happened, and what to do. It `passes` by itself, or does not."""

    code: str
    title: str
    advice: str
    passes: bool = True

    @property
    def sentence(self) -> str:
        """All of it, for where there is one line."""
        return f"{self.title}. {self.advice}"


_WAIT = "Espere alguns segundos e tente de novo."
FULL = Trouble("full", "O disco do servidor está cheio", "Libere espaço nele e tente de novo; ler continua possível.")
DISK = Trouble(
    "disk",
    "O disco do servidor não aceita leitura ou gravação",
    "Confira o disco e as permissões da pasta de dados, e tente de novo.",
)
HELD = Trouble("held", "Outro programa está usando o banco de dados", _WAIT)
AWAY = Trouble(
    "away",
    "O banco de dados não respondeu",
    "Espere alguns segundos e tente de novo; se repetir, confira se o servidor dele está no ar.",
)
DAMAGED = Trouble(
    "damaged",
    "O arquivo do banco de dados está danificado",
    "Pare o painel e restaure a última cópia de segurança (docs/operation.md).",
    passes=False,
)
#: SQLite's primary result codes (sqlite.org/rescode.html).
_OF_SQLITE = {5: HELD, 6: HELD, 8: DISK, 10: DISK, 11: DAMAGED, 13: FULL, 14: DISK, 22: DISK, 26: DAMAGED}
#: PostgreSQL's codes by their beginning, the longer one first (its manual, appendix A).
_OF_POSTGRESQL = (
    ("53100", FULL), ("53", AWAY), ("25006", DISK), ("25P0", AWAY), ("40", HELD), ("55P03", HELD), ("57014", HELD),
    ("57P", AWAY), ("58", DISK), ("08", AWAY), ("XX001", DAMAGED), ("XX002", DAMAGED),
)  # fmt: skip


def of(error: BaseException) -> Trouble | None:
    """What is the matter with the database; None where the error is no trouble of its but a bug of the program's."""
    if isinstance(error, NoConnectionFree):
        return AWAY
    if isinstance(error, SqliteError):
        return _of_sqlite(error)
    if not isinstance(error, DBAPIError):
        return None
    cause: Any = error.orig
    if isinstance(cause, SqliteError):
        return _of_sqlite(cause)
    code = getattr(cause, "sqlstate", None)
    if code is None:  # never reached, or gone in the middle
        return AWAY if error.connection_invalidated or type(cause).__name__ == "OperationalError" else None
    return next((found for start, found in _OF_POSTGRESQL if code.startswith(start)), None)


def explained(error: SQLAlchemyError) -> Trouble:
    """The same where there has to be an answer: what nobody knows is a database that did not respond."""
    return of(error) or AWAY


def _of_sqlite(error: SqliteError) -> Trouble | None:
    return _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
