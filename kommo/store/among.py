"""`column IN (many ids)`, and rows made of many ids, with one parameter, however many there are.

SQLAlchemy makes a parameter of each id and a new text for each number of them: for pages of 250 that was a seventh of
a first load's processor time.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, ColumnElement, Dialect, TableValuedAlias, Text, bindparam, column
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Ids(TypeDecorator[list[int]]):
    """Whole numbers as one value: JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(BigInteger) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else orjson.dumps(value).decode()


class _Among(FunctionElement[bool]):
    """The condition; its clauses are the column and the numbers."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002 - SQLAlchemy's
        """Itself: as a value compared with 1, which SQLAlchemy makes of it for SQLite, no index would be used."""
        return self


def among(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """The condition that a column of whole numbers is one of these."""
    return _Among(column, bindparam(None, list(ids), type_=_Ids(), unique=True))


class _Each(FunctionElement[Any]):
    """The table with a row for each number."""

    name = "each"
    inherit_cache = True


def each(ids: str) -> TableValuedAlias:
    """A table whose column `value` has the whole numbers that are given as the parameter `ids`, to select from."""
    return _Each(bindparam(ids, type_=_Ids())).table_valued(column("value", BigInteger))


@compiles(_Each, "sqlite")
def _each_sqlite(element: _Each, compiler: Any, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_Each, "postgresql")
def _each_postgresql(element: _Each, compiler: Any, **kw: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **kw)}) AS value)"


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: Any, **kw: Any) -> str:
    column, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({ids})))"  # noqa: S608 - both are ours, ids a parameter


@compiles(_Among, "postgresql")
def _postgresql(element: _Among, compiler: Any, **kw: Any) -> str:
    column, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"({column} = ANY ({ids}))"
