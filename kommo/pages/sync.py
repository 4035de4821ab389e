"""/sincronizacao: start, watch, cancel; what came of it; the history. It goes on whether or not anybody looks."""

import math
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kommo.access.actor import actor
from kommo.crm.errors import TokenExpired, TokenRefused
from kommo.pages import run_words, schedule
from kommo.pages.context import connection, lock_of, said_here, services, session, token_is_of_use
from kommo.pages.htmx import fragment, is_htmx
from kommo.pages.requests import requests
from kommo.store import missing, progress, runs
from kommo.store.progress import RunView
from kommo.store.tables import Connection
from kommo.sync import control, streams
from kommo.sync.streams import StreamSpec
from kommo.text import plural
from kommo.vault import VaultError

bp = Blueprint("sync", __name__, url_prefix="/sincronizacao")
bp.register_blueprint(schedule.bp)
_PAGE = "sync/page.html"
_HISTORY = 20
_ASKED = "confirme na página Sincronização."  # the end of a sentence whose question this page itself asks
_OF_TOKEN = (TokenRefused.sentence, TokenExpired.sentence.removesuffix("."))  # how their errors begin
_ABSENT = {"contacts": "contatos", "deals": "negociacoes"}  # streams in addresses
_ABSENT_ROWS = 100
_SAMPLE = 8  # names shown before a person says that so many records are gone


@bp.get("")
def page() -> Response:
    """The newest run and the history; how to begin where there is none."""
    return _page(None)


@bp.get("/<int:run_id>")
def run(run_id: int) -> Response:
    """One run, for good: the address to share and to come back to."""
    return _page(_run(_connected(), run_id))


@bp.get("/progresso")
def watch() -> AnyResponse:
    """The run's state as a fragment, asked for every second; a change of it brings the rest of the page up to date."""
    found = _run(_connected(), request.args.get("execucao", type=int) or 0)
    if not is_htmx():
        return redirect(url_for("sync.run", run_id=found.id), 303)
    heard = request.args.get("dito", "")
    same = found.active and request.args.get("estado", "") == found.standing
    block = "polled" if same else "changed"
    return fragment(_PAGE, block, **context(found, heard=heard, brief=same))


@bp.post("")
def start() -> AnyResponse:
    """Ask for a run, with `sweep` one that reads everything; one that is under way is shown instead."""
    found = _connected()
    if not found.token:
        return _disconnected()
    if locked := lock_of(found):
        return _locked(locked)
    with suppress(runs.AlreadyRunning):
        control.start(services(), found.id, "page", sweep=request.form.get("sweep") == "1", by=actor())
    return redirect(url_for("sync.page"), 303)


@bp.post("/<int:run_id>/cancelar")
def cancel(run_id: int) -> AnyResponse:
    """Ask a run to end; what it has read stays."""
    if not control.cancel(services(), _connected().id, _run(_connected(), run_id).id, by=actor()):
        abort(404)
    return redirect(url_for("sync.page"), 303)


@bp.post("/<int:run_id>/continuar")
def resume(run_id: int) -> AnyResponse:
    """Let a paused run go on at once."""
    if not control.resume(services(), _connected().id, _run(_connected(), run_id).id, by=actor()):
        abort(404)
    return redirect(url_for("sync.page"), 303)


@bp.post("/<int:run_id>/confirmar-exclusoes")
def confirm(run_id: int) -> AnyResponse:
    """A person's word that so many records are gone from Kommo: a new run acts on it."""
    found = _connected()
    if not found.token:
        return _disconnected()
    if locked := lock_of(found):
        return _locked(locked)
    try:
        if control.confirm_deletions(services(), found.id, _run(found, run_id).id, by=actor()) is None:
            flash("Esta pergunta já passou: uma sincronização mais nova conferiu a conta. Veja o que ela encontrou.")
    except runs.AlreadyRunning:
        flash("Há uma sincronização em andamento; espere que termine e confirme de novo.")
    return redirect(url_for("sync.page"), 303)


@bp.get("/ausentes/<stream>")
def absent(stream: str) -> str:
    """All records that wait for a person's word, a window at a time."""
    found = _connected()
    spec = next((spec for spec in streams.ALL if _ABSENT[spec.name] == stream), None)
    if spec is None:
        abort(404)
    total = missing.counts(session(), found.id).get(spec.name, 0)
    last = max(math.ceil(total / _ABSENT_ROWS), 1)
    number = min(max(request.args.get("pagina", 1, type=int), 1), last)
    before = (number - 1) * _ABSENT_ROWS
    rows = _listed(found.id, spec, _ABSENT_ROWS, before)
    return render_template(
        "sync/absent.html", stream=stream, spec=spec, rows=rows, first=before + 1, total=total, number=number, last=last
    )


def _listed(connection_id: int, spec: StreamSpec, limit: int, offset: int = 0) -> list[missing.Listed]:
    return missing.listed(session(), connection_id, spec.name, spec.kind, limit, offset)


def context(view: RunView | None, heard: str = "", *, brief: bool = False) -> dict[str, Any]:
    """What the page and its fragments show of a run; `heard` is the key of what was last spoken.

    `brief` leaves out the history and the schedule, which stand on the page already.
    """
    found = connection()
    values: dict[str, Any] = {"account": found, "run": view, "say": run_words}
    if found is not None:
        values["requests"] = requests(found)
    if view is not None:
        key, text = run_words.spoken(view)
        values |= {"spoken_key": key, "spoken": text if key != heard else "", "guarded": _guarded(view)}
        values["errors"] = [text for text in view.errors if not (values["guarded"] and text.endswith(_ASKED))]
        if found is not None and not token_is_of_use(found) and any(text.startswith(_OF_TOKEN) for text in view.errors):
            said_here()
    if found is not None and not brief:
        values["history"] = progress.history(session(), found.id, _HISTORY)
        values |= schedule.context()
    return values


def _page(view: RunView | None) -> Response:
    found = connection()
    chosen = view
    if view is None and found is not None:
        view = progress.run_view(session(), found.id)
    return make_response(render_template(_PAGE, chosen=chosen, **context(view)))


def _guarded(view: RunView) -> list[dict[str, Any]]:
    """For each stream: how many records wait for a person's word, and some of their names.

    Nothing where a newer run has looked since.
    """
    if view.active or not view.guarded or runs.newest(session(), view.connection_id) != view.id:
        return []
    return [
        {
            "count": plural(count, streams.BY_NAME[name].one, streams.BY_NAME[name].many),
            "names": [one.title for one in _listed(view.connection_id, streams.BY_NAME[name], _SAMPLE)],
            "more": max(count - _SAMPLE, 0),
            "list": url_for("sync.absent", stream=_ABSENT[name]),
        }
        for name, count in view.guarded.items()
    ]


def _disconnected() -> AnyResponse:
    flash("Esta conta está desconectada: cole um token para sincronizar.")
    return redirect(url_for("connection.page"), 303)


def _locked(why: VaultError) -> AnyResponse:
    flash(f"Nada foi sincronizado. {why}")
    return redirect(url_for("connection.page"), 303)


def _connected() -> Connection:
    found = connection()
    if found is None:
        abort(404)
    return found


def _run(found: Connection, run_id: int) -> RunView:
    """This account's run; an unknown and a foreign one are alike."""
    view = progress.run_view(session(), found.id, run_id) if 0 < run_id < 2**31 else None
    if view is None:
        abort(404)
    return view
