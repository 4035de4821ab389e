"""The server's clock, which a test can hold and move."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]


class MovableClock:
    """A clock in Unix seconds that runs with the real one until it is held or moved.

    `MovableClock(1_760_000_000)` stands still at that time; `MovableClock()` runs. `advance` and `set` move both.
    """

    def __init__(self, held_at: float | None = None) -> None:
        self._held_at = held_at
        self._offset = 0.0

    def __call__(self) -> float:
        return (time.time() if self._held_at is None else self._held_at) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds` (negative: back)."""
        self._offset += seconds

    def set(self, at: float) -> None:
        """Put the clock at `at`; a running clock runs on from there, a held one stays there."""
        self._offset += at - self()
