"""In every worker's tick: letting go of what is older than it may be; once, erasing again after a restored backup."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kommo.privacy import keeping, ledger
from kommo.services import Services

EVERY = 60.0  # seconds between two looks
log = structlog.get_logger()


class Keeper:
    """Looks when the last look is long enough ago. Several workers may look at once: what is gone is gone."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._next = 0.0
        self._repeated = False

    def turn(self, now: float) -> None:
        """Look, where it is time; `now` is a monotonic clock's. A failure is logged, the next look tries again."""
        if now < self._next:
            return
        self._next = now + EVERY
        try:
            if not self._repeated:  # once: a backup is put back while nothing runs
                ledger.repeat(self.services)
                self._repeated = True
            keeping.apply(self.services)
        except (SQLAlchemyError, OSError):
            log.warning("retention_failed")
