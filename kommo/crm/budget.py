"""The request budget as the client sees it. The one that all processes share is a row in the database (`store`)."""

import time
from collections.abc import Callable
from typing import Protocol

from kommo.crm.errors import Blocked


class Budget(Protocol):
    """Who may send a request, and when. Safe to share between threads."""

    def slot(self, purpose: str, *, max_wait: float | None = None) -> float:
        """Reserve one request; gives the seconds to sleep before it is sent, outside of any transaction.

        Below 0 the slot has gone by already.

        `purpose` is "sync", "page" or "api". Raises Blocked (with `retry_after`) while nobody may send, and
        RateLimited (with `retry_after`) where the wait would be longer than `max_wait`; nothing is reserved then.
        """

    def held(self) -> bool:
        """Whether a slot that was waited for may not be used: a 429 or a block came meanwhile."""

    def slow_down(self, seconds: float) -> None:
        """Push everybody's next request back by so many seconds: Kommo said 429."""

    def block(self, seconds: float) -> None:
        """Stop everybody for so many seconds: Kommo blocked this address."""


class Unlimited:
    """A budget that never waits: for tests, and for a rate limit of 0. A block it honours."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._blocked_until = -float("inf")

    def slot(self, purpose: str, *, max_wait: float | None = None) -> float:  # noqa: ARG002 - the protocol's
        """0.0, always; raises Blocked while a block lasts."""
        left = self._blocked_until - self._clock()
        if left > 0:
            raise Blocked(403, retry_after=left)
        return 0.0

    def held(self) -> bool:
        """False: nothing is waited for."""
        return False

    def slow_down(self, seconds: float) -> None:
        """Nothing: whoever met the 429 waits by itself."""

    def block(self, seconds: float) -> None:
        """Refuse every slot for so many seconds."""
        self._blocked_until = self._clock() + seconds
