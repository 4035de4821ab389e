"""An installation as the browser tests see it."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kommo.sandbox import Server
from kommo.settings import Settings

_CONTACTS = "/api/v4/contacts"


@dataclass(frozen=True, slots=True)
class Panel:
    """Where it answers, the Kommo behind it, and its settings (for reading its database beside it)."""

    address: str
    kommo: Server
    settings: Settings

    @contextmanager
    def held(self) -> Iterator[None]:
        """Kommo gives no contacts meanwhile: no run is over before a slow browser has looked at it."""
        go_on = threading.Event()
        self.kommo.world.before_request = lambda _method, path, _query: path == _CONTACTS and go_on.wait(60) and None
        try:
            yield
        finally:
            self.kommo.world.before_request = None
            go_on.set()


class Steps:
    """Kommo's pages of contacts as a slow browser can follow them: a third, then two, each once the last was seen.

    `seen(number)` tells how many of the steps the browser has shown. Made for a list of 24 pages; eight requests come
    before them, for its newest row and its length.
    """

    def __init__(self) -> None:
        self._asked = itertools.count(1)
        self._steps = {15: threading.Event(), 23: threading.Event()}

    def __call__(self, _method: str, path: str, _query: str) -> None:
        number = next(self._asked) if path == _CONTACTS else 0
        for last, seen in self._steps.items():
            if number > last:
                seen.wait(60)

    def seen(self, number: int) -> None:
        """So many steps were seen: let the next one begin."""
        for step in list(self._steps.values())[:number]:
            step.set()
