"""The queue: what it carries and takes; on PostgreSQL opened by several at once, and away."""

import pickle
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


class Bomb:
    """What a pickle does that somebody else put into the queue: it runs what its writer wants."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return pytest.fail, ("code of the queue's writer ran",)


@pytest.mark.only_on("sqlite", reason="what a message is made of does not ask where it lies")
@pytest.mark.parametrize(
    "foreign",
    [
        pickle.dumps(Bomb()),
        b"",
        b"{}",
        b"[1,2]",
        b'["a","b","sync",true]',
        b'["a","b",["sync"],1]',
        b'["a","b","sync","1"]',
    ],
    ids=["pickle", "empty", "object", "numbers", "flag", "list", "text"],
)
def test_what_others_put_into_it_is_no_message_and_runs_nothing(tmp_path: Path, foreign: bytes) -> None:
    opened = queue.open_queue(f"sqlite:///{tmp_path / 'queue.sqlite3'}")
    opened.storage.enqueue(foreign)
    with pytest.raises(ValueError, match=r"no message of ours|JSON|char"):
        opened.dequeue()
    assert opened.storage.queue_size() == 0  # it is not met again and again
    opened.storage.close()


@pytest.mark.only_on("sqlite", reason="what a message is made of does not ask where it lies")
def test_it_carries_a_kind_and_a_number_and_no_code(tmp_path: Path) -> None:
    path, done = tmp_path / "queue.sqlite3", []
    opened = queue.open_queue(f"sqlite:///{path}")
    queue.bell(opened, lambda kind, number: done.append((kind, number)))("sync", 7)
    with sqlite3.connect(path) as looking:
        (stored,) = looking.execute("SELECT data FROM task").fetchone()
    assert bytes(stored).endswith(b'"sync",7]')
    opened.execute(opened.dequeue())
    assert done == [("sync", 7)]
    opened.storage.close()
