"""What is known of a copy: whether its counts were proved equal to Kommo's, when, and what happened since.

An old proof never stays green by itself: a later run that failed, was cancelled or came out with other counts is said
first, with the date of the last proof behind it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from kommo.db import now
from kommo.store.progress import RunView, run_view
from kommo.store.records import live_count
from kommo.store.tables import Connection, SyncRun, SyncStream
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.store.zones import zone_of
from kommo.text import date, local, number, plural

_REASON = 300  # characters of an error that a badge carries; the run's page has all of it
_PROOFS_READ = 10  # newest runs with equal counts among which one without errors is looked for


@dataclass(frozen=True, slots=True)
class CopyState:
    """The state of one account's copy.

    `kind`: none, running, verified, partial or stopped. `label` is a few words, `sentence` says it whole (both
    Portuguese). `at` is when what it says came about (Unix seconds), `verified_at` the last proof; `run_id` the run it
    speaks of. `contacts` and `deals` are held now, the remote ones what Kommo held at the last count.
    """

    kind: str
    label: str
    sentence: str
    at: float | None = None
    verified_at: float | None = None
    run_id: int | None = None
    contacts: int = 0
    deals: int = 0
    remote_contacts: int | None = None
    remote_deals: int | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the words are made from."""

    run: RunView
    contacts: int
    deals: int
    proof: Any | None
    when: str

    @property
    def holds(self) -> bool:
        """Whether the newest run proved the copy and the copy is still as large as it was then."""
        held = {"contacts": self.contacts, "deals": self.deals}
        return self.run.proved and all(view.local_count == held[view.stream] for view in self.run.streams[1:])


def copy_state(session: Session, connection: Connection) -> CopyState:
    """The state of this account's copy, in a handful of short reads."""
    contacts = live_count(session, connection.id, CONTACT)
    deals = live_count(session, connection.id, DEAL)
    run = run_view(session, connection.id)
    if run is None:
        sentence = "Ainda não há cópia desta conta: sincronize."
        return CopyState("none", "Sem cópia", sentence, contacts=contacts, deals=deals)
    proof = _last_proof(session, connection.id)
    facts = _Facts(run, contacts, deals, proof, _when(session, connection, proof))
    kind, label, sentence = _words(facts)
    streams = {view.stream: view.remote_count for view in run.streams}
    return CopyState(
        kind=kind,
        label=label,
        sentence=sentence,
        at=run.finished_at or run.started_at or run.requested_at,
        verified_at=proof.finished_at if proof else None,
        run_id=run.id,
        contacts=contacts,
        deals=deals,
        remote_contacts=streams.get("contacts"),
        remote_deals=streams.get("deals"),
    )


def proved_by(session: Session, connection_id: int) -> int | None:
    """The run that proved the copy last; None where none did."""
    found = _last_proof(session, connection_id)
    return found.id if found else None


def _words(facts: _Facts) -> tuple[str, str, str]:
    """Kind, label and sentence."""
    run = facts.run
    if run.active:
        return _active(facts)
    if run.state == "failed":
        return "stopped", "Parou", f"Parou: {_reason(run, 'a última sincronização não terminou.')} {_since(facts)}"
    if run.state == "cancelled":
        return "partial", "Parcial", f"Parcial: a última sincronização foi cancelada. {_since(facts)}"
    if facts.holds:
        return "verified", f"Conferido {facts.when}", f"Conferido por contagem: {_counts(facts)}{_sample(facts)}."
    if run.proved:
        return "partial", "Parcial", f"Parcial: a cópia mudou depois da contagem. {_since(facts)}"
    reason = _reason(run, f"{_counts(facts)}.")
    return "partial", "Parcial", f"Parcial: {reason} {_since(facts)}"


def _active(facts: _Facts) -> tuple[str, str, str]:
    if facts.run.state == "paused":
        waiting = facts.run.waiting or "a sincronização espera para continuar."
        return "running", "Em pausa", f"Em pausa: {waiting} {_since(facts)}"
    if facts.run.standing == "cancelling":
        return "running", "Cancelando", f"Cancelando: a sincronização para no fim da página que lê. {_since(facts)}"
    if facts.run.state == "queued":
        return "running", "Na fila", f"Na fila: a sincronização começa em instantes. {_since(facts)}"
    return "running", "Em andamento", f"Sincronização em andamento: os números ainda mudam. {_since(facts)}"


def _reason(run: RunView, otherwise: str) -> str:
    return (run.errors or [otherwise])[0][:_REASON]


def _since(facts: _Facts) -> str:
    return f"Conferido pela última vez {facts.when}." if facts.proof else "Ainda não foi conferido por contagem."


def _counts(facts: _Facts) -> str:
    """What Kommo holds and what is here, per stream: "12.431 contatos no Kommo, 12.431 aqui; …"."""
    nouns = {"contacts": ("contato", "contatos", facts.contacts), "deals": ("negociação", "negociações", facts.deals)}
    found = []
    for view in facts.run.streams[1:]:
        one, many, held = nouns[view.stream]
        if view.remote_count is None:
            found.append(f"{plural(held, one, many)} aqui, sem contagem no Kommo")
        else:
            erased = f" e {plural(view.erased, 'apagado a pedido', 'apagados a pedido')}" if view.erased else ""
            found.append(f"{plural(view.remote_count, one, many)} no Kommo, {number(held)} aqui{erased}")
    return "; ".join(found)


def _sample(facts: _Facts) -> str:
    """How many records were compared field by field; nothing for a run from before that was done."""
    sampled = sum(view.sampled for view in facts.run.streams)
    return f"; {plural(sampled, 'registro comparado', 'registros comparados')} campo a campo" if sampled else ""


def _last_proof(session: Session, connection_id: int) -> Any | None:
    """The newest run that ended without errors and with equal counts for both streams."""
    contacts, deals = aliased(SyncStream), aliased(SyncStream)
    statement = (
        select(SyncRun.id, SyncRun.finished_at, SyncRun.errors)
        .join(contacts, (contacts.run_id == SyncRun.id) & (contacts.stream == "contacts"))
        .join(deals, (deals.run_id == SyncRun.id) & (deals.stream == "deals"))
        .where(
            SyncRun.connection_id == connection_id,
            SyncRun.state == "done",
            contacts.remote_count == contacts.local_count + contacts.erased,
            deals.remote_count == deals.local_count + deals.erased,
            contacts.differed + deals.differed == 0,
        )
        .order_by(SyncRun.id.desc())
        .limit(_PROOFS_READ)
    )
    return next((row for row in session.execute(statement) if not row.errors), None)


def _when(session: Session, connection: Connection, proof: Any | None) -> str:
    """The time of the proof in words that stay true: "às 10:42" today, else "em 21/11/2026"."""
    if proof is None or proof.finished_at is None:
        return ""
    zone = zone_of(connection)
    then, today = local(proof.finished_at, zone), local(now(session), zone)
    if then and today and then.date() == today.date():
        return then.strftime("às %H:%M")
    return f"em {date(proof.finished_at, zone)}"
