"""Calls that take long, since they ask Kommo or wait for a run: how long a caller wants to, and how many at once."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import Engine

from kommo.api.errors import busy
from kommo.db import reading
from kommo.store import progress
from kommo.store.progress import RunView

WAITERS = "kommo_api_waiters"
_SECONDS = re.compile(r'"?([0-9]{1,9})"?')
_PAUSE, _LONGEST_PAUSE = 0.1, 0.25  # seconds between two looks at the run


@dataclass(frozen=True, slots=True)
class Preference:
    """What the `Prefer` header asks for (RFC 7240): `wait` in seconds, None where it is not said."""

    respond_async: bool = False
    wait: int | None = None

    def seconds(self, most: float) -> float:
        """How long to wait, at most `most`: `wait=N` if it is said, nothing for `respond-async` alone."""
        if self.wait is not None:
            return min(self.wait, most)
        return 0.0 if self.respond_async else most

    def applied(self, limit: float, elapsed: float) -> dict[str, str]:
        """The header that tells the caller which preference was kept.

        `limit` is for how many seconds the answer was waited for at most, `elapsed` how many it took if it was more.
        """
        if self.wait is not None:
            return {"Preference-Applied": f"wait={int(max(limit, elapsed))}"}
        return {"Preference-Applied": "respond-async"} if self.respond_async else {}


def preference(headers: Sequence[str]) -> Preference:
    """The preference in all `Prefer` headers of a request; what is not understood is ignored, the first one counts."""
    found: dict[str, str] = {}
    for item in ",".join(headers).split(","):
        name, _, value = item.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    seconds = _SECONDS.fullmatch(found.get("wait", ""))
    return Preference("respond-async" in found, int(seconds[1]) if seconds else None)


def wait(engine: Engine, connection_id: int, run_id: int, seconds: float) -> RunView | None:
    """The run once it is over, or as it is after `seconds`; None when it is gone. Each look is a transaction."""
    until = time.monotonic() + seconds
    pause = _PAUSE
    while True:
        with reading(engine) as session:
            view = progress.run_view(session, connection_id, run_id)
        left = until - time.monotonic()
        if view is None or not view.active or left <= 0:
            return view
        time.sleep(min(pause, left))
        pause = min(pause * 1.25, _LONGEST_PAUSE)


@contextmanager
def place() -> Iterator[bool]:
    """One of the places for calls that take long, if there is one: the other threads serve pages meanwhile."""
    places: threading.BoundedSemaphore = current_app.extensions[WAITERS]
    taken = places.acquire(blocking=False)
    try:
        yield taken
    finally:
        if taken:
            places.release()


@contextmanager
def seat() -> Iterator[None]:
    """A place for a call that cannot do without; raises ApiError (503) where there is none."""
    with place() as taken:
        if not taken:
            raise busy()
        yield
