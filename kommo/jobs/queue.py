"""The doorbell: a huey queue on SQLite, PostgreSQL or Redis, by one address.

It carries what kind of work and the number of its row, nothing else: no token, no data. huey forgets a message whose
worker is killed; the rows do not, and the worker's tick rings again.

Messages are JSON. huey's own are pickles, and whoever may write into the queue (a Redis without a password, a shared
database) would run code in the worker, which holds the key of the tokens.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

import orjson
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy.engine import make_url

from kommo.db import require_queue_driver
from kommo.settings import SettingError
from kommo.store import trouble

NAME = "kommo"
_REMAKE = "Pare o painel e apague o arquivo: ele é refeito sem perda."
Bell = Callable[[str, int], None]


class Plain(Serializer):  # type: ignore[misc]  # huey has no types
    """A message as JSON: its id, the task's name, the kind of work, the number; what else huey keeps is the usual."""

    def _serialize(self, data: Any) -> bytes:
        return orjson.dumps([data.id, data.name, *data.args])

    def _deserialize(self, data: bytes) -> Any:
        """The message. Raises ValueError for anything else, which huey logs and leaves."""
        match orjson.loads(data):
            case [str(key), str(name), str(kind), int(number)] if not isinstance(number, bool):
                return Message(key, name, retries=0, retry_delay=0, args=(kind, number), kwargs={})
        raise ValueError("no message of ours")


def open_queue(address: str) -> Huey:
    """The queue at an address of the setting KOMMO_QUEUE_URL. Raises SettingError where its driver is missing."""
    options: dict[str, Any] = {"results": False, "utc": True, "serializer": Plain()}
    scheme = make_url(address).get_backend_name() if address.startswith("sqlite") else address.partition(":")[0]
    if scheme == "sqlite":
        return _on_sqlite(str(make_url(address).database), options)
    require_queue_driver(address)
    if scheme == "postgresql":
        return _on_postgres(address, options)
    return RedisHuey(NAME, url=address, **options)


def _on_sqlite(file: str, options: dict[str, Any]) -> Huey:
    """Raises SettingError where the file cannot be made or read."""
    try:
        return SqliteHuey(NAME, filename=file, cache_mb=1, timeout=10, **options)
    except sqlite3.Error as error:
        found = trouble.of(error)
        said = found.sentence if found and found.passes else _REMAKE
        raise SettingError(f"A fila em {file} não pôde ser aberta. {said}") from None


def _on_postgres(address: str, options: dict[str, Any]) -> Huey:
    """Opening makes the tables, where "if not exists" does not keep two processes from trying: the second tries again.

    Raises SettingError where the server does not answer.
    """
    import psycopg

    try:
        try:
            return PostgresHuey(NAME, dsn=address, **options)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            return PostgresHuey(NAME, dsn=address, **options)
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise SettingError(f"A fila não pôde ser aberta ({reason}): confira KOMMO_QUEUE_URL.") from None


def bell(queue: Huey, work: Callable[[str, int], None] | None = None) -> Bell:
    """A function that puts work into the queue; `work` is what a worker does with it (the web server has none)."""

    def job(kind: str, number: int) -> None:
        if work is not None:
            work(kind, number)

    task = queue.task(name="job")(job)

    def ring(kind: str, number: int) -> None:
        task(kind, number)

    return ring
