"""A synchronisation as the JSON API tells it: what is held, what changed, how far it is, whether it is proved."""

from typing import Any

from sqlalchemy.orm import Session

from kommo.api.answers import iso
from kommo.store import progress, records
from kommo.store.progress import RunView, StreamView
from kommo.store.runs import STREAMS
from kommo.store.tables import Connection
from kommo.store.tables.wallet import CONTACT, DEAL
from kommo.text import plural

_ENDED = {
    "done": ("Sincronização concluída com erros", "sync_incomplete"),
    "failed": ("Sincronização interrompida", "sync_failed"),
    "cancelled": ("Sincronização cancelada", "sync_cancelled"),
}


def is_good(view: RunView) -> bool:
    """Whether a run is over and nothing went wrong."""
    return view.state == "done" and not view.errors


def data(session: Session, connection: Connection, view: RunView) -> dict[str, Any]:
    """The `data` of an answer on one run; the counts are the live records held for the account at this moment.

    While the run goes on, `lastSync` and `syncSuccess` are those of the account's last one that is over.
    """
    over = _over(session, connection) if view.active else view
    return {
        "contactsCount": records.live_count(session, connection.id, CONTACT),
        "dealsCount": records.live_count(session, connection.id, DEAL),
        "lastSync": iso(over.finished_at) if over else None,
        "syncSuccess": is_good(over) if over else False,
        "errors": view.errors,
        "warnings": view.warnings,
        "runId": view.id,
        "accountId": connection.account_id,
        "mode": view.mode,
        "state": view.state,
        "phase": view.phase,
        "waiting": view.waiting,
        "progress": {name: _progress(view.stream(name)) for name in STREAMS},
        "changes": {name: _changes(view.stream(name)) for name in STREAMS},
        "proof": {name: _proof(view.stream(name)) for name in STREAMS},
    }


def latest(session: Session, connection: Connection) -> dict[str, Any] | None:
    """The `data` on the account's newest run; None where there is none."""
    view = progress.run_view(session, connection.id)
    return data(session, connection, view) if view else None


def last_sync(session: Session, connection: Connection) -> str | None:
    """When the account's last run ended, as the contract writes times; None where none has."""
    over = _over(session, connection)
    return iso(over.finished_at) if over else None


def _over(session: Session, connection: Connection) -> RunView | None:
    """The newest run that is over; two are enough to find it, since one at a time is active."""
    views = progress.history(session, connection.id, limit=2)
    return next((view for view in views if not view.active), None)


def ended(view: RunView, found: dict[str, Any]) -> dict[str, Any]:
    """The whole answer on a run that is over: with errors it keeps what it stored and says what went wrong."""
    amounts = ", ".join(
        (
            plural(found["contactsCount"], "contato", "contatos", dots=False),
            plural(found["dealsCount"], "negociação", "negociações", dots=False),
        )
    )
    if is_good(view):
        return {"success": True, "message": f"Sincronização concluída: {amounts}", "data": found}
    title, code = _ENDED[view.state]
    error = view.errors[0] if view.errors else f"{title}."
    return {"success": False, "message": f"{title}: {amounts}", "error": error, "code": code, "data": found}


def _progress(stream: StreamView) -> dict[str, Any]:
    return {
        "state": stream.state,
        "rows": stream.rows,
        "pages": stream.pages,
        "total": stream.total,
        "pagesTotal": stream.pages_total,
        "percent": round(stream.percent, 1),
    }


def _changes(stream: StreamView) -> dict[str, int]:
    return {
        "created": stream.created,
        "updated": stream.updated,
        "unchanged": stream.unchanged,
        "deleted": stream.deleted,
    }


def _proof(stream: StreamView) -> dict[str, Any]:
    """Both counts, the second look at some records (how many, how many were held otherwise), when, and its cost."""
    return {
        "kommo": stream.remote_count,
        "local": stream.local_count,
        "erased": stream.erased,
        "equal": stream.proved,
        "sampled": stream.sampled,
        "differing": stream.differed,
        "at": iso(stream.proved_at),
        "requests": stream.proof_requests,
    }
