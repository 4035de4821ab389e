"""Bringing records of Kommo into the copy, with all that has to be remembered in the same transaction."""

from collections.abc import Sequence

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from kommo.crm.records import Contact, Deal
from kommo.store import candidates, catalogues
from kommo.store.records import Written, write_page
from kommo.store.tables import SyncStream
from kommo.sync.run import Run
from kommo.sync.streams import CONTACT_LINKS, CONTACTS, StreamSpec

# The table itself: the ORM's own update costs as much again, and this is one for each page.
_STREAMS: Table = SyncStream.__table__  # type: ignore[assignment]


def write_records(run: Run, spec: StreamSpec, records: Sequence[Contact | Deal], version: int, read_pass: int) -> None:
    """Bring records that were asked for outside the bands into the copy, in a transaction of their own."""
    with run.transaction() as session:
        count_rows(session, run, spec, write_into(session, run, spec, records, version, read_pass).first_seen)


def write_into(
    session: Session, run: Run, spec: StreamSpec, records: Sequence[Contact | Deal], version: int, read_pass: int
) -> Written:
    """Bring records into the copy: names they need are noted as to be asked for, and so are links that came back."""
    written = write_page(session, run.target(spec, read_pass), [spec.to_row(one) for one in records], version)
    companies = {one.values["company_id"] for one in written.changed} - {None}
    catalogues.note_companies(session, run.claim.connection_id, sorted(companies))
    if spec is CONTACTS and (back := _came_back(run, written)):  # and is in its deals again, though no deal says so
        candidates.suspect(session, run.claim.run_id, CONTACT_LINKS, back, candidates.TOLD)
    run.names.notice(written.changed)
    return written


def _came_back(run: Run, written: Written) -> list[int]:
    """Contacts that were not here and are not new, once the deals have been read."""
    if run.read_until is None:
        return []
    old = [one for one in written.created if (one.values["created_at"] or 0) < run.read_until]
    return [one.remote_id for one in (*written.revived, *old)]


def count_rows(session: Session, run: Run, spec: StreamSpec, rows: int, *, pages: int = 0, malformed: int = 0) -> None:
    """Add to a stream's progress, in the transaction of the page that made it."""
    stream = _STREAMS.c
    session.connection().execute(
        update(_STREAMS)
        .where(stream.run_id == run.claim.run_id, stream.stream == spec.name)
        .values(rows=stream.rows + rows, pages=stream.pages + pages, malformed=stream.malformed + malformed)
    )
