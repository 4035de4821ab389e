"""Letting go of what is older than it may be, now and then, in every worker's tick."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kommo.privacy import keeping
from kommo.services import Services

EVERY = 60.0  # seconds between two looks
log = structlog.get_logger()


class Keeper:
    """Looks when the last look is long enough ago. Several workers may look at once: what is gone is gone."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._next = 0.0

    def turn(self, now: float) -> None:
        """Look, where it is time; `now` is a monotonic clock's. A failure is logged, the next look tries again."""
        if now < self._next:
            return
        self._next = now + EVERY
        try:
            keeping.apply(self.services)
        except (SQLAlchemyError, OSError):
            log.warning("retention_failed")
