"""The names of companies: the whole list in a sweep, what changed later, and any that a record needs by its id."""

from kommo.crm.client import Page
from kommo.crm.errors import NO_RIGHT
from kommo.crm.pages import MAX_IDS, Stream
from kommo.db import now, reading
from kommo.store import catalogues, marks
from kommo.sync.changes import OVERLAP, FilterIgnored, read_since
from kommo.sync.run import Run

_SENTENCE = "Sem permissão para ler as empresas: os nomes delas não aparecem."


def read_all(run: Run, since: int) -> None:
    """Read the whole list, unless this run has done so; companies it does not bring are to be asked for by id.

    `since` is when the run began, by the clock that stamps Kommo's records (Unix seconds).
    """
    with reading(run.services.engine) as session:
        mark = marks.mark_of(session, run.claim.connection_id, marks.COMPANIES)
    if mark is not None and mark.swept_at is not None and mark.swept_at >= run.started_at:
        return
    _read(run, 0, since)
    with run.transaction() as session:
        catalogues.ask_companies_again(session, run.claim.connection_id, run.claim.run_id)
        marks.set_mark(session, run.claim.connection_id, marks.COMPANIES, swept_at=now(session))


def read_changed(run: Run) -> None:
    """Read the companies that changed since they were last read."""
    with reading(run.services.engine) as session:
        last = marks.mark_of(session, run.claim.connection_id, marks.COMPANIES)
        copy = marks.mark_of(session, run.claim.connection_id, marks.RECORDS)
    begin = (last.mark if last else None) or 0
    _read(run, max(begin - OVERLAP, 0), max((copy.mark if copy else None) or 0, begin))


def ask_unknown(run: Run) -> None:
    """Ask for the name of every company that a record belongs to and nothing is known of."""
    connection_id, after = run.claim.connection_id, 0
    while True:
        run.check()
        with reading(run.services.engine) as session:
            lot = catalogues.unasked_companies(session, connection_id, after, MAX_IDS)
        if not lot:
            return
        after = lot[-1]
        try:
            page = run.kommo.page(Stream.COMPANIES, 1, ids=lot, version=run.version())
        except NO_RIGHT:
            run.warn([_SENTENCE])
            return
        names = {company.id: company.name for company in page.records if company.id in lot}
        with run.transaction() as session:
            catalogues.write_companies(session, connection_id, run.claim.run_id, names, asked=lot)


def _read(run: Run, begin: int, mark: int) -> None:
    def write(page: Page, _version: int) -> None:
        names = {company.id: company.name for company in page.records if not company.is_deleted}
        with run.transaction() as session:
            catalogues.write_companies(session, run.claim.connection_id, run.claim.run_id, names)

    try:
        read_since(run, Stream.COMPANIES, begin, write)
    except FilterIgnored:
        with run.transaction() as session:  # then each is asked for by its id
            catalogues.ask_companies_again(session, run.claim.connection_id, run.claim.run_id)
    except NO_RIGHT:
        run.warn([_SENTENCE])
        return
    with run.transaction() as session:
        marks.set_mark(session, run.claim.connection_id, marks.COMPANIES, mark=mark)
