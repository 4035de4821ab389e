"""A row in every table, with the widest values that its columns hold, as hostile as texts come."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Engine, Float, Integer, LargeBinary, Table, insert

from kommo.db import writing
from kommo.store.move import TABLES

HOSTILE = 'Zoë\'; DROP TABLE "Wallet"; -- %s \\ \\x00 {0}\n\t\u202e\u2028\U0001f9c1\ufffd\uffff ĳ ß'
NUMBERS = {"big": 2**64 - 1, "small": -(2**63), "wide": 1e16, "huge": 1.7e308, "tiny": 5e-324, "zero": -0.0, "one": 1.0}
VALUES = {HOSTILE: [NUMBERS, True, 1, None, [], {}, "", [[HOSTILE]]], "a": {"b": {"c": [0.1, 1e-7, 123456789.125]}}}


def fill(engine: Engine) -> None:
    """Put a row into every table that travels."""
    made: dict[str, dict[str, Any]] = {}
    with writing(engine) as session:
        for table in TABLES:
            made[table.name] = {column.name: _value(table, column, made) for column in table.columns}
            session.connection().execute(insert(table), [made[table.name]])


def _value(table: Table, column: Column[Any], made: dict[str, dict[str, Any]]) -> Any:
    for foreign in column.foreign_keys:
        return made[foreign.column.table.name][foreign.column.name]
    kind = column.type
    if isinstance(kind, Boolean):
        return column.name != "erasing"  # nothing moves meanwhile
    if isinstance(kind, Float):
        return 1_795_618_800.123456
    if column is table.autoincrement_column:
        return 2**31 - 9
    if isinstance(kind, BigInteger):
        return 2**63 - 1
    if isinstance(kind, Integer):
        return 2**31 - 1
    if isinstance(kind, LargeBinary):
        return bytes(range(256))
    if isinstance(kind, JSON):
        return VALUES
    return HOSTILE[: getattr(kind, "length", None) or None]
