"""A budget without a limit."""

import time
from collections.abc import Callable

from kommo.crm.errors import Blocked


class Unlimited:
    """A budget that never waits: a block it honours."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._blocked_until = -float("inf")

    def slot(self, purpose: str, *, max_wait: float | None = None, waited: float = 0.0, again: bool = False) -> float:
        """0.0, always; raises Blocked while a block lasts."""
        left = self._blocked_until - self._clock()
        if left > 0:
            raise Blocked(403, retry_after=left)
        return 0.0

    def held(self) -> bool:
        """False: nothing is waited for."""
        return False

    def slow_down(self, seconds: float, purpose: str, sent: float) -> None:
        """Nothing: whoever met the 429 waits by itself."""

    def block(self, seconds: float) -> None:
        """Refuse every slot for so many seconds."""
        self._blocked_until = self._clock() + seconds
