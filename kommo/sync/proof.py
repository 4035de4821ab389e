"""The proof at the end: how many records Kommo holds, how many are held here, per stream."""

import math

from kommo.crm.client import Page
from kommo.db import reading
from kommo.store import progress, records, runs
from kommo.store.tables import SyncStream
from kommo.sync.counting import PAGE, measure
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec
from kommo.text import number, plural

CUT_AT = "cut_at"  # in a stream's notes: the last page that Kommo gives of a list that is longer


def compare(run: Run, spec: StreamSpec) -> bool:
    """Count at Kommo and here, store both, and give whether they are equal.

    Kommo's last page gives its count; when ours is right, the page it must be answers in one request.
    """
    with reading(run.services.engine) as session:
        held = records.live_count(session, run.claim.connection_id, spec.kind)

    def ask(page: int) -> Page:
        run.check()
        return run.kommo.page(spec.remote, page, order="id", version=run.version())

    length = measure(ask, guess=max(math.ceil(held / PAGE), 1))
    cut = length.cut and _newest_is_missing(run, spec)
    with run.transaction() as session:
        held = records.live_count(session, run.claim.connection_id, spec.kind)
        row = session.get_one(SyncStream, (run.claim.run_id, spec.name))
        row.remote_count, row.local_count = (None if cut else length.rows), held
        row.notes = {CUT_AT: length.pages} if cut else {}
    return row.remote_count == held


def _newest_is_missing(run: Run, spec: StreamSpec) -> bool:
    """Whether a list that seems to be cut is: its newest record, asked for from the other end, is not held."""
    newest = run.kommo.page(spec.remote, 1, limit=1, order="-id", version=run.version()).records
    with reading(run.services.engine) as session:
        return any(not records.is_live(session, run.claim.connection_id, spec.kind, record.id) for record in newest)


def sentences(run: Run, spec: StreamSpec) -> list[str]:
    """What a person must know where the copy is not proved: each a sentence that says what to do."""
    with reading(run.services.engine) as session:
        row = runs.stream_row(session, run.claim.run_id, spec.name)
        view = progress.run_view(session, run.claim.connection_id, run.claim.run_id)
    guarded = view.guarded.get(spec.name, 0) if view else 0
    found = []
    if guarded:
        found.append(
            f"{plural(guarded, spec.one, spec.many).capitalize()} não aparecem mais no Kommo. São muitos de uma vez, "
            "então nada foi retirado daqui: confirme na página Sincronização."
        )
    elif CUT_AT in row.notes:
        found.append(
            f"O Kommo não entrega mais que {number(row.notes[CUT_AT])} páginas de {spec.many}, e há mais registros do "
            "que isso: a cópia está incompleta. Avise o suporte do Kommo."
        )
    elif row.remote_count != row.local_count:
        found.append(
            f"O Kommo tem {plural(row.remote_count or 0, spec.one, spec.many)}, aqui há "
            f"{number(row.local_count or 0)}: a conta mudou enquanto era lida. Sincronize de novo."
        )
    if row.malformed:
        found.append(
            f"O Kommo entregou {plural(row.malformed, 'registro', 'registros')} sem identificação em {spec.many}: "
            "não dá para guardá-los. Avise o suporte do Kommo."
        )
    return found
