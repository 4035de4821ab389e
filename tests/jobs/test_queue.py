"""The queue on PostgreSQL: opened by several at once, and away."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from kommo.jobs import queue
from kommo.settings import SettingError
from tests import databases


@pytest.fixture
def address() -> Iterator[str]:
    """A PostgreSQL database with nothing in it, as the setting KOMMO_QUEUE_URL names it."""
    with databases.postgres_database(empty=True) as found:
        yield found.replace("+psycopg", "")


@pytest.mark.postgres
def test_two_that_open_it_for_the_first_time_both_may(address: str) -> None:
    """The other one's tables are there, but not committed yet: "if not exists" does not see them."""
    opened: list[object] = []
    with psycopg.connect(address) as other:
        other.execute("CREATE TABLE huey_kv (queue text not null, key text not null, value bytea not null, "
                      "primary key(queue, key))")  # fmt: skip
        opener = threading.Thread(target=lambda: opened.append(queue.open_queue(address)))
        opener.start()
        while not _waits(address):
            assert opener.is_alive()
        other.commit()
    opener.join(60)
    assert len(opened) == 1
    opened[0].storage.close()  # type: ignore[attr-defined]


def _waits(address: str) -> bool:
    """Whether somebody waits for another's transaction."""
    with psycopg.connect(address) as looking:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return looking.execute(waiting).fetchone() != (0,)


def test_one_that_is_away_is_one_sentence() -> None:
    with databases.closed_port() as port, pytest.raises(SettingError) as refused:
        queue.open_queue(f"postgresql://ninguem:segredo@127.0.0.1:{port}/fila")
    assert str(refused.value).startswith("A fila não pôde ser aberta (")
    assert "KOMMO_QUEUE_URL" in str(refused.value)
    assert "segredo" not in str(refused.value)
