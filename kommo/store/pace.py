"""The arithmetic of the request budget: how fast it goes, when the next slot begins, how far ahead a sync reserves.

Pure functions of one row, read together with the database's clock. Times are Unix seconds of that clock.
"""

from dataclasses import dataclass

MARGIN = 1.035  # slots are this much wider than 1/limit, so that jitter on the way never makes 8 of 7 at Kommo
FAR = 1800.0  # seconds; nothing is reserved, slowed or blocked for as long: such a time is of another clock
SLOWEST = 1 / 8  # of the limit: further down no 429 takes the pace
STEP, STEP_SECONDS = 0.5, 10.0  # requests a second that come back after each so many seconds without a 429
# Of a slot's width: a sync reserves a slot that begins at most so far ahead, `YOUNG` at first, `OLD` once it has
# waited for `PATIENCE` slots. The one that has waited longest is thus the first that may: they take turns, whatever
# process or machine they are in, and nobody has to know of the others.
YOUNG, OLD, PATIENCE = 1.0, 1.25, 24
STARVING = 8  # slots without one for a sync, after which the next one may be reserved behind however many people


@dataclass(frozen=True, slots=True)
class Slots:
    """The budget of a scope as its row says it at `now`; `limit` in requests a second, 0 where there is none."""

    limit: float
    now: float
    next_at: float = 0.0
    slow_until: float = 0.0
    blocked_until: float = 0.0
    pace: float = 1.0
    slowed_at: float = 0.0
    sync_at: float = 0.0

    @property
    def share(self) -> float:
        """The share of the limit that is in force: what the last slow-down left, and the steps that came back since.

        A slow-down that is to come was noted by a clock that was set back since: it is over.
        """
        since = self.now - self.slowed_at
        if since < -STEP_SECONDS or not self.limit:
            return 1.0
        steps = max(since, 0.0) // STEP_SECONDS
        share = self.pace + steps * STEP / self.limit
        return share if share < 1 - 1e-9 else 1.0

    @property
    def speed(self) -> float:
        """Requests a second at this moment; 0 where there is no limit."""
        return self.limit * self.share

    @property
    def full_at(self) -> float | None:
        """When the full speed is back; None where it is."""
        if self.share >= 1:
            return None
        steps = -(-(1 - self.pace) * self.limit // STEP)
        return self.slowed_at + steps * STEP_SECONDS

    @property
    def width(self) -> float:
        """Seconds from one slot to the next; 0 where there is no limit."""
        return MARGIN / self.speed if self.limit else 0.0

    @property
    def begin(self) -> float:
        """When the next free slot begins."""
        if not self.limit:
            return max(self.paused_until, self.now)
        return self.next_at if _ahead(self.next_at, self.now, FAR + 60 * self.width) else self.now

    @property
    def paused_until(self) -> float:
        """Until when nobody sends after a 429; 0 where nothing is waited for."""
        return self.slow_until if _ahead(self.slow_until, self.now, FAR) else 0.0

    @property
    def stopped_until(self) -> float:
        """Until when nobody sends since Kommo blocked this address; 0 where it is free."""
        return self.blocked_until if _ahead(self.blocked_until, self.now, FAR) else 0.0

    def too_early(self, waited: float) -> float:
        """Seconds until a sync that has waited so long may reserve the next slot; 0 where it may now."""
        if not self.limit:
            return 0.0
        fed = self.sync_at + STARVING * self.width
        if not _ahead(fed, self.now, FAR + 68 * self.width):
            return 0.0
        age = min(waited / (PATIENCE * self.width), 1.0)
        return max(self.begin - self.now - (YOUNG + (OLD - YOUNG) * age) * self.width, 0.0)

    def halved(self, sent: float) -> float | None:
        """The pace after a 429 to a request sent `sent` seconds ago; None where it was under way at the slow-down."""
        noted = self.slowed_at if self.slowed_at <= self.now + STEP_SECONDS else 0.0
        return None if self.now - sent <= noted else max(self.share / 2, SLOWEST)


def _ahead(moment: float, now: float, far: float) -> bool:
    """Whether a time is still to come, but not so far that the clock must have been set back."""
    return now < moment <= now + far
