"""Waiting for a run inside a request: how long the caller wants to, and for how many callers at once."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import Engine

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

    @property
    def applied(self) -> dict[str, str]:
        """The header that tells the caller which preference was kept."""
        if self.wait is not None:
            return {"Preference-Applied": f"wait={self.wait}"}
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
    """The run once it is over, or as it is after `seconds`; at once where half of the server's threads wait already.

    None when the run is gone. Each look is a transaction of its own.
    """
    with _place(wanted=seconds > 0) as waits:
        until = time.monotonic() + (seconds if waits else 0)
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
def _place(*, wanted: bool) -> Iterator[bool]:
    """One of the places to wait in, if it is wanted and there is one: the other threads serve pages meanwhile."""
    places: threading.BoundedSemaphore = current_app.extensions[WAITERS]
    taken = wanted and places.acquire(blocking=False)
    try:
        yield taken
    finally:
        if taken:
            places.release()
