"""What a person must know where a copy is not proved: each a sentence that says what to do."""

from kommo.db import reading
from kommo.store import missing, runs
from kommo.sync.proof import CUT_AT
from kommo.sync.run import Run
from kommo.sync.streams import StreamSpec
from kommo.text import number, plural


def unproved(run: Run, spec: StreamSpec) -> list[str]:
    """Why a stream is not proved at the end of a run; nothing where it is."""
    with reading(run.services.engine) as session:
        row = runs.stream_row(session, run.claim.run_id, spec.name)
        asked = missing.counts(session, run.claim.connection_id).get(spec.name, 0)
    found = []
    if asked:
        found.append(
            f"{plural(asked, spec.one, spec.many).capitalize()} não aparecem mais no Kommo. São muitos de uma vez, "
            "então nada foi retirado daqui: confirme na página Sincronização."
        )
    if CUT_AT in row.notes:
        found.append(
            f"O Kommo não entrega mais que {number(row.notes[CUT_AT])} páginas de {spec.many}, e há mais registros do "
            "que isso: a cópia está incompleta. Avise o suporte do Kommo."
        )
    elif row.remote_count != (row.local_count or 0) + row.erased - asked:
        found.append(
            f"O Kommo tem {plural(row.remote_count or 0, spec.one, spec.many)}, aqui há "
            f"{number(row.local_count or 0)}{_erased(row.erased)}: a conta mudou enquanto era lida. Sincronize de novo."
        )
    elif row.differed:
        found.append(
            f"De {number(row.sampled)} {spec.many} com todos os campos comparados, {number(row.differed)} não eram "
            "como no Kommo. Isso foi corrigido, mas pode haver mais: leia tudo de novo."
        )
    if row.malformed:
        found.append(
            f"O Kommo entregou {plural(row.malformed, 'registro', 'registros')} sem identificação em {spec.many}: "
            "não dá para guardá-los. Avise o suporte do Kommo."
        )
    return found


def _erased(count: int) -> str:
    return f" e {plural(count, 'apagado a pedido', 'apagados a pedido')}" if count else ""
