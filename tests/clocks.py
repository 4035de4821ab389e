"""The database's clock moved for a test: hours pass, or a machine's clock is set back, without waiting for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from kommo.db import clock


@contextmanager
def clock_moved(engine: Engine, seconds: float) -> Iterator[None]:
    """Everything that asks this engine's `clock()` meanwhile is told a time so many seconds later (earlier below 0).

    The expression is replaced on its way to the database, so that statements, caches and rows are those of the
    product. Moves add up when nested. Only this process's use of this engine is moved, on both engines.
    """
    with _told(engine, lambda asked: f"({asked} + ({seconds!r}))"):
        yield


@contextmanager
def clock_stopped(engine: Engine, moment: float) -> Iterator[None]:
    """Everything that asks this engine's `clock()` meanwhile is told this Unix time, however long it takes."""
    with _told(engine, lambda _: f"(CAST({moment!r} AS DOUBLE PRECISION))"):
        yield


@contextmanager
def _told(engine: Engine, what: Callable[[str], str]) -> Iterator[None]:
    asked = str(clock().compile(dialect=engine.dialect))

    def move(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> Any:
        return statement.replace(asked, what(asked)), parameters

    event.listen(engine, "before_cursor_execute", move, retval=True)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", move)
