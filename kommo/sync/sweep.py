"""Reading a stream whole: its length, then its pages in bands, each page taken up where a killed worker left it."""

import math

from kommo.crm.client import Page
from kommo.crm.errors import Nonsense, Rejected
from kommo.db import now
from kommo.store import records
from kommo.store.tables import SyncStream
from kommo.sync import bands
from kommo.sync.counting import PAGE, Ids, Length, measure
from kommo.sync.passes import row_of
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec


def read_stream(run: Run, spec: StreamSpec) -> None:
    """Read a stream's current pass to its end: find its length, plan its bands, read them."""
    row = row_of(run, spec)
    if row.state in ("read", "done"):
        return
    run.note(phase=spec.name)
    counted = _count(run, spec, row) if row.state != "reading" else {}
    try:
        bands.read(run, spec, row.read_pass, ordered=row.ordered, counted=counted)
    except bands.OrderIgnored:
        _restart_unordered(run, spec, row.read_pass)
        bands.read(run, spec, row.read_pass, ordered=False)
    with run.transaction() as session:
        done = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        done.state = "read"
        done.finished_at = now(session)


def _count(run: Run, spec: StreamSpec, row: SyncStream) -> dict[int, Page]:
    """Find a stream's length and plan its bands; gives the pages this took, by number."""
    with run.transaction() as session:
        held = records.alive_count(session, run.claim.connection_id, spec.kind)
        counting = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        counting.state = "counting"
        counting.started_at = counting.started_at or now(session)
    length, counted = _measure(run, spec, held)
    with run.transaction() as session:
        stream = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        stream.state, stream.total, stream.pages_total = "reading", length.rows, length.pages
        most = _bands(run) if row.ordered else 1
        bands.plan(
            session, run.claim.run_id, spec.name, row.read_pass, length.pages, most=most, known=sorted(counted)
        )  # fmt: skip
    return counted


def _measure(run: Run, spec: StreamSpec, held: int) -> tuple[Length, dict[int, Page]]:
    counted: dict[int, Page] = {}

    def ask(number: int) -> Page:
        run.check()
        counted[number] = run.kommo.page(spec.remote, number, order="id", version=run.version())
        return counted[number]

    def newest() -> int | None:
        try:
            records = run.kommo.page(spec.remote, 1, limit=1, order="-id", version=run.version()).records
        except (Rejected, Nonsense):
            return None
        return records[0].id if records else None

    return measure(ask, max(math.ceil(held / PAGE), 1), Ids(newest)), counted


def _bands(run: Run) -> int:
    """As many bands as keep the allowed rate busy, given how long Kommo took for its last answer."""
    last = run.kommo.last
    return bands.needed(run.services.settings.rate_limit, last.elapsed if last else 0.0)


def _restart_unordered(run: Run, spec: StreamSpec, read_pass: int) -> None:
    """Kommo did not sort: read all pages one after the other, and once more after that."""
    with run.transaction() as session:
        stream = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        stream.ordered = False
        bands.plan(session, run.claim.run_id, spec.name, read_pass, stream.pages_total or 0, most=1)
