"""Rows from one database to another as they are, and the comparison of both, table by table, on any two engines.

JSON travels as text, so that no number is read and written again on the way. Rows come in the order of their key, a
lot at a time: memory stays as it is, however many there are.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Row,
    String,
    Table,
    Text,
    cast,
    collate,
    func,
    insert,
    select,
)

from kommo.db import Serialized

LOT = 1000  # rows in memory at once


class Difference(Exception):
    """A table is not the same on both sides; the text is a Portuguese sentence with the table and the row's key."""


def copy(source: Connection, target: Connection, table: Table) -> None:
    """Write all rows of a table into the target's."""
    texts = _json_columns(table)
    with closing(_rows(source, table)) as rows:
        for lot in rows.partitions(LOT):
            target.execute(insert(table), [_writable(row._asdict(), texts) for row in lot])


def compare(source: Connection, target: Connection, table: Table) -> int:
    """Hold every column of every row against the target's; gives the number of rows, raises Difference."""
    texts, count = _json_columns(table), 0
    with closing(_rows(source, table)) as here, closing(_rows(target, table)) as there:
        for ours, theirs in zip_longest(here, there):
            if ours is None or theirs is None or not _same(ours, theirs, texts):
                row = ours if theirs is None else theirs
                key = ", ".join(str(row._mapping[column.name]) for column in table.primary_key)
                raise Difference(f"A linha {key} de {table.name} não chegou igual")
            count += 1
    return count


def go_on_counting(target: Connection, table: Table) -> None:
    """Let PostgreSQL give a table's next row a number above the highest one; SQLite does so by itself."""
    key = table.autoincrement_column
    if key is None or target.dialect.name != "postgresql":
        return
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', key.name)
    target.execute(select(func.setval(sequence, select(func.max(key)).scalar_subquery())))


def same_json(one: str, other: str) -> bool:
    """Whether two JSON texts are the same value, however PostgreSQL spells it: 1e16 is 10000000000000000, not true."""
    return _sorted(one) == _sorted(other) or _exact(one) == _exact(other)


def _rows(connection: Connection, table: Table) -> CursorResult[Any]:
    """All rows in the order of the key, which is the same on both engines: texts by their bytes."""
    columns = [cast(column, Text).label(column.name) if _is_json(column) else column for column in table.columns]
    order = [_by_bytes(connection, column) for column in table.primary_key]
    return connection.execute(select(*columns).order_by(*order).execution_options(yield_per=LOT))


def _by_bytes(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    text = isinstance(column.type, String) and connection.dialect.name == "postgresql"
    return collate(column, "C") if text else column


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)


def _json_columns(table: Table) -> set[str]:
    return {column.name for column in table.columns if _is_json(column)}


def _writable(row: Mapping[str, Any], texts: set[str]) -> dict[str, Any]:
    return {name: Serialized(value) if name in texts else value for name, value in row.items()}


def _same(ours: Row[Any], theirs: Row[Any], texts: set[str]) -> bool:
    for name, one, other in zip(ours._fields, ours, theirs, strict=True):
        if one != other and not (name in texts and same_json(one, other)):
            return False
    return True


def _sorted(text: str) -> bytes:
    return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)


def _exact(text: str) -> Any:
    """The value with every number as a tuple of its own: exact, and never equal to true or false."""
    return json.loads(text, parse_int=_number, parse_float=_number)


def _number(digits: str) -> tuple[Decimal]:
    return (Decimal(digits),)
