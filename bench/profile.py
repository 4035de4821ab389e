"""Where the time of a first load goes: the worker's own work, cumulated by part, one row a part.

The run is done in this process, with a profiler in each of its threads. It counts processor time of that thread, so
that waiting for Kommo, for the database's turn and for the interpreter's lock counts for nothing. The profiler itself
makes everything slower, calls above all: shares are of use, seconds are not.
"""

import cProfile
import pstats
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.ingest import CONTACTS, DEALS, open_panel
from bench.tools import kommo, row
from kommo.connect import flow
from kommo.sync import control, engine

# The functions whose cumulated time is a part, by module and name; none of them calls another one of these.
PARTS = {
    "network (requests, urllib3, sockets)": [("transport.py", "get")],
    "JSON (read, and the check of its depth)": [("crm/json.py", "loads")],
    "typed records": [("records.py", "contact_from"), ("records.py", "deal_from")],
    "columns, folding, JSON and hash of a row": [("rows.py", "contact_row"), ("rows.py", "deal_row")],
    "rows into SQL (compare, upsert, links)": [("store/records.py", "write_page")],
    "search index": [("search.py", "catch_up")],
    "second look": [("looks.py", "differing"), ("looks.py", "between")],
}


def measure() -> None:
    """Print each part's share of the worker's processor time."""
    print(
        f"\nProfile: a first load of {CONTACTS:,} contacts and {DEALS:,} deals, processor time of the worker's threads"
    )
    with kommo(CONTACTS, DEALS) as fake, tempfile.TemporaryDirectory() as folder:
        services = open_panel(Path(folder), fake, rate_limit=0)
        outcome = flow.connect(services, "1", fake.token, full=False)
        assert outcome.connection_id is not None, outcome.report.error
        run_id = control.start(services, outcome.connection_id, "shell")
        with _Profiled() as profiled:
            engine.run_one(services, run_id, "profile", threading.Event())
        services.engine.dispose()
    total = sum(profiled.seconds(lambda _file, _name: True, own=True))
    for part, names in PARTS.items():
        spent = sum(profiled.seconds(lambda file, name, names=names: _is_one(file, name, names)))
        row(part, f"{spent / total:.0%}")
    spent = sum(sum(profiled.seconds(lambda f, n, names=names: _is_one(f, n, names))) for names in PARTS.values())
    row("transactions, progress, lease, the rest", f"{1 - spent / total:.0%}")


def _is_one(file: str, name: str, names: list[tuple[str, str]]) -> bool:
    return any(file.endswith(f"/{end}") and name == function for end, function in names)


class _Profiled:
    """A profiler in every thread that begins within, and in this one."""

    def __enter__(self) -> "_Profiled":
        self._found: list[cProfile.Profile] = []
        self._run = threading.Thread.run
        found, run = self._found, self._run

        def profiled(thread: threading.Thread) -> None:
            profile = cProfile.Profile(time.thread_time)
            found.append(profile)
            profile.runcall(run, thread)

        threading.Thread.run = profiled  # type: ignore[method-assign]
        self._own = cProfile.Profile(time.thread_time)
        self._own.enable()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._own.disable()
        threading.Thread.run = self._run  # type: ignore[method-assign]

    def seconds(self, wanted: Callable[[str, str], bool], *, own: bool = False) -> list[float]:
        """The cumulated seconds (or their own ones alone) of all functions that are wanted, by file and name."""
        stats: dict[tuple[str, int, str], Any] = pstats.Stats(self._own, *self._found).stats  # type: ignore[attr-defined]
        return [values[2 if own else 3] for (file, _line, name), values in stats.items() if wanted(file, name)]
