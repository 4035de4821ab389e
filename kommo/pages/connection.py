"""/conexao: paste a token, see what it says, test it, keep it; test again, disconnect; the demonstration account."""

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import TextAreaField

from kommo.access.actor import actor
from kommo.connect import demo, flow
from kommo.crm.errors import BadToken, Blocked
from kommo.pages.context import copy, forget, moment, note_block, owner, services, session
from kommo.pages.htmx import fragment
from kommo.store import connections, runs
from kommo.store.tables import Connection
from kommo.sync import control

bp = Blueprint("connection", __name__)
_PAGE = "connection/page.html"


class TokenForm(FlaskForm):  # type: ignore[misc]
    """The one form: a pasted token. It is read once and never sent back."""

    jwt_token = TextAreaField()


@bp.get("/conexao")
def page() -> Response:
    """The form and the connected accounts."""
    return _page()


@bp.post("/conexao/token")
def claims() -> Response:
    """What a pasted text says, as a fragment, while nothing is sent to Kommo. The text itself is never given back."""
    text = request.form.get("jwt_token", "")
    view = flow.inspect(text, services().settings) if text.strip() else None
    return fragment(_PAGE, "claims", view=view, now=moment())


@bp.post("/conexao")
def connect() -> Response:
    """Test the pasted token and, when Kommo takes it, keep it."""
    form = TokenForm(request.form)  # without the files: a file under this name is no text
    text = form.jwt_token.data or ""
    return _result(flow.connect(services(), owner(), text, by=actor()), pasted=True, emptied=bool(text.strip()))


@bp.post("/conexao/<int:connection_id>/testar")
def retest(connection_id: int) -> Response:
    """Test a connected account's token again."""
    return _result(flow.retest(services(), _found(connection_id)), again=True)


@bp.get("/conexao/<int:connection_id>/desconectar")
def leave(connection_id: int) -> str:
    """Ask what to do with the copy before disconnecting."""
    return render_template("connection/leave.html", account=_found(connection_id))


@bp.post("/conexao/<int:connection_id>/desconectar")
def disconnect(connection_id: int) -> AnyResponse:
    """Forget the token and, if wanted, erase the copy."""
    name, erase = _found(connection_id).name, request.form.get("copia") == "apagar"
    if not flow.disconnect(services(), owner(), connection_id, with_copy=erase, by=actor()):
        abort(404)
    rest = "A cópia dos dados está sendo apagada." if erase else "A cópia dos dados continua aqui."
    flash(f"A conta {name} foi desconectada e o token, apagado. {rest}")
    return redirect(url_for("connection.page", conta=None), 303)


@bp.post("/conexao/demonstracao")
def connect_demo() -> AnyResponse:
    """Connect the demonstration account and begin its first copy."""
    try:
        outcome = flow.connect_demo(services(), owner(), by=actor())
    except demo.DemoError as error:
        return _at_home(_page(503, trouble=str(error)))
    if outcome.connection_id is None:
        return _at_home(_result(outcome))
    with suppress(runs.AlreadyRunning):
        control.start(services(), outcome.connection_id, "connect", by=actor())
    return redirect(url_for("sync.page", conta=_found(outcome.connection_id).account_id), 303)


def _page(status: int = 200, **values: Any) -> Response:
    """The whole page, always: what changes is also in the frame around it."""
    known = connections.all_of(session(), owner())
    usual = {
        "accounts": known, "now": moment(), "outcome": None, "view": None, "again": False, "pasted": False,
        "emptied": False, "no_token": False, "has_copy": False, "trouble": None,
    }  # fmt: skip
    values = usual | values
    answer = make_response(render_template(_PAGE, **values), status)
    if status >= 400:
        answer.headers["X-Fragment"] = "1"
    return answer


def _at_home(answer: Response) -> Response:
    """The page under its own address, where a script sent the form from another one."""
    answer.headers["HX-Push-Url"] = url_for("connection.page")
    return answer


def _result(outcome: flow.Outcome, *, again: bool = False, pasted: bool = False, emptied: bool = False) -> Response:
    """The page with the report of a test: 200 when Kommo takes the token, 422 otherwise.

    `emptied` tells that something was pasted, which the page does not give back.
    """
    forget()  # the test wrote in a transaction of its own
    if isinstance(outcome.report.error, Blocked):
        note_block(outcome.report.claims.account_id if outcome.report.claims else None)
    values: dict[str, Any] = {"outcome": outcome, "again": again, "pasted": pasted, "emptied": emptied}
    values["no_token"] = pasted and isinstance(outcome.report.error, BadToken)  # nothing was tested: the field says why
    if outcome.report.ok and outcome.connection_id is not None and not again:
        g.account_id = _found(outcome.connection_id).account_id
        values["has_copy"] = bool((state := copy()) and (state.contacts or state.deals or state.verified_at))
    return _page(200 if outcome.report.ok else 422, **values)


def _found(connection_id: int) -> Connection:
    """This owner's connection; 404 for an unknown one, a foreign one and one that is being erased."""
    found = connections.by_id(session(), owner(), connection_id) if connection_id < 2**31 else None
    if found is None or found.erasing:
        abort(404)
    return found
