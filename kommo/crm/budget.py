"""The request budget as the client sees it. The one that all processes share is a row in the database (`store`)."""

from typing import Protocol


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
