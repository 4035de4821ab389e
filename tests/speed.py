"""What makes thousands of small tests quick, and changes nothing of what they see."""

import gc
import os
from collections import defaultdict
from random import Random
from typing import Any

import flask
import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

QUICK = ("crm", "ground", "sandbox", "store", "access", "contract")


class _Memory(BytecodeCache):
    """Templates compiled once for a test process, and not once for each application."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


def remember_templates() -> None:
    """Let every application of this process share its compiled templates."""
    flask.Flask.jinja_options = {"bytecode_cache": _Memory()}


def remember_statements() -> None:
    """Let every engine of one kind share its compiled statements: each test has an engine of its own."""
    compiled: defaultdict[str, LRUCache[Any, Any]] = defaultdict(lambda: LRUCache(1000))

    def share(connection: Connection) -> None:
        connection.engine._compiled_cache = compiled[connection.dialect.name]

    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        kind.__hash__ = lambda dialect: hash(type(dialect))
        kind.__eq__ = lambda one, other: type(one) is type(other)
    event.listen(Engine, "engine_connect", share)


def spare_the_collector() -> None:
    """Keep the collector off the test runner's own objects, which stay; what a test leaves behind it still collects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def workers() -> int:
    """How many test processes: twice the processors, since every third second of a test is waiting."""
    return 2 * (os.cpu_count() or 1)


def spread(items: list[pytest.Item]) -> None:
    """Mix the modules, always alike, each engine's half for itself: some wait and some work, and both cores are used.

    The rooms of quick tests come last, so that no process is left alone with a long one.
    """
    chance = Random(1)
    places: dict[tuple[str, str], tuple[bool, float]] = {}

    def place(item: pytest.Item) -> tuple[bool, float]:
        params = getattr(getattr(item, "callspec", None), "params", {})
        group = (str(item.path), str(params.get("engine_name")))
        if group not in places:
            places[group] = (item.path.parent.name in QUICK, chance.random())
        return places[group]

    items.sort(key=place)
