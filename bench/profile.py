"""Where the time of a first load goes: the worker's own processor time, by part, one row a part.

The run is done in this process, and the functions that are a part each are timed by the processor time of the thread
they run in: waiting for Kommo, for the database's turn and for the interpreter's lock counts for nothing.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from bench.ingest import CONTACTS, DEALS, open_panel
from bench.tools import kommo, row
from kommo.connect import flow
from kommo.crm import json, pages
from kommo.crm.transport import Transport
from kommo.jobs.worker import calm_the_collector
from kommo.store import catalogues, missing, records, search
from kommo.sync import bands, control, engine, rows, run, writing

# What is timed: its part, and where the name stands that its callers use.
PARTS: list[tuple[str, Any, str]] = [
    ("network (requests, urllib3, sockets)", Transport, "get"),
    ("JSON read, and its depth checked", json, "loads"),
    ("typed records", pages, "record_from"),
    ("columns, folding, JSON and hash of a row", rows, "_row"),
    ("SQL: what is held of a page", records, "_held"),
    ("SQL: comparing and writing a page's rows", writing, "write_page"),
    ("SQL: links", records, "_write_links"),
    ("SQL: what was met", records, "_mark_seen"),
    ("SQL: rows to be indexed", search, "mark"),
    ("SQL: what was missed", missing, "found_again"),
    ("SQL: how far a stream is", bands, "count_rows"),
    ("SQL: companies to be asked for", catalogues, "note_companies"),
    ("SQL: the lease and the fence, once a transaction", run.Run, "_hold"),
    ("SQL: commits", DefaultDialect, "do_commit"),
    ("search index", search, "_index"),
]


def measure() -> None:
    """Print each part's share of the processor time, without the parts within it."""
    print(f"\nProfile: a first load of {CONTACTS:,} contacts and {DEALS:,} deals, no rate limit")
    with kommo(CONTACTS, DEALS) as fake, tempfile.TemporaryDirectory() as folder:
        services = open_panel(Path(folder), fake, rate_limit=0)
        outcome = flow.connect(services, "1", fake.token, full=False)
        assert outcome.connection_id is not None, outcome.report.error
        run_id = control.start(services, outcome.connection_id, "shell")
        calm_the_collector()
        with _timed() as spent:
            begin = time.process_time()
            engine.run_one(services, run_id, "profile", threading.Event())
            total = time.process_time() - begin
        services.engine.dispose()
    for part, seconds in spent.items():
        row(part, f"{seconds / total:.0%}")
    row("the rest", f"{1 - sum(spent.values()) / total:.0%}")
    row("together, a 1,000 rows", f"{total / (CONTACTS + DEALS) * 1e6:.0f} ms")


@contextmanager
def _timed() -> Iterator[Counter[str]]:
    """The seconds of each part while this lasts, without those of the parts it calls."""
    spent: Counter[str] = Counter()
    stack = threading.local()
    kept = [(where, name, getattr(where, name)) for _, where, name in PARTS]
    for (part, where, name), (_, _, plain) in zip(PARTS, kept, strict=True):
        setattr(where, name, _timing(plain, part, spent, stack))
    try:
        yield spent
    finally:
        for where, name, plain in kept:
            setattr(where, name, plain)


def _timing(plain: Callable[..., Any], part: str, spent: Counter[str], stack: Any) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        outer, stack.within = getattr(stack, "within", 0.0), 0.0
        begin = time.thread_time()
        try:
            return plain(*given, **named)
        finally:
            seconds = time.thread_time() - begin
            spent[part] += seconds - stack.within
            stack.within = outer + seconds

    return timed
