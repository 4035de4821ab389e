"""The request budget as the client sees it. The one that all processes share is a row in the database (`store`)."""

from typing import Protocol


class NotYet(Exception):
    """Nothing was reserved, since people go first: ask again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"ask again in {seconds:.2f} s")
        self.seconds = seconds


class Budget(Protocol):
    """Who may send a request, and when. Safe to share between threads."""

    def slot(self, purpose: str, *, max_wait: float | None = None, waited: float = 0.0, again: bool = False) -> float:
        """Reserve one request; gives the seconds to sleep before it is sent, outside of any transaction.

        Below 0 the slot has gone by already.

        `purpose` is "sync", "page" or "api". Raises Blocked (with `retry_after`) while nobody may send, RateLimited
        (with `retry_after`) where the wait would be longer than `max_wait`, and NotYet for a sync that would take more
        than its turn; nothing is reserved then. `waited` are the seconds it has been told so already, `again` says that
        the slot replaces one that was reserved and could not be used.
        """

    def held(self) -> bool:
        """Whether a slot that was waited for may not be used: a 429 or a block came meanwhile."""

    def slow_down(self, seconds: float, purpose: str, sent: float) -> None:
        """Push everybody's next request back by so many seconds and halve the pace: Kommo said 429.

        `sent` is how many seconds ago the refused request was sent, `purpose` what for.
        """

    def block(self, seconds: float) -> None:
        """Stop everybody for so many seconds: Kommo blocked this address."""
