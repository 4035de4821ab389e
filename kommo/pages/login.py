"""/entrar, /sair and /primeiro-acesso: the way in. Whatever was wrong, the answer is one and the same sentence."""

import math
import time
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from kommo.access import first_user, gate, identity, login, passwords
from kommo.access.actor import note
from kommo.access.login import Outcome
from kommo.db import reading, writing
from kommo.pages.context import services
from kommo.store import attempts, login_sessions, people
from kommo.store.people import PeopleError
from kommo.text import duration
from kommo.vault import VaultError

bp = Blueprint("login", __name__)
WRONG = "Nome, senha ou código não conferem."
_WRONG_CODE = "Este não é o código que o console do servidor mostra."
_NOT_TWICE = "As duas senhas são diferentes."
_OVER = "Passou tempo demais: entre de novo."
_UNREADABLE = (
    "O segundo fator não pode ser conferido, porque a chave de cifra do servidor é outra. Peça a quem cuida do "
    "servidor que rode `flask kommo user totp-off`."
)
_HALF = "half_login"  # in the signed cookie: whose password was right, and when
_HALF_FOR = 300.0  # seconds for which the code is waited for


@bp.get("/entrar")
def page() -> AnyResponse:
    """The form; whoever is in goes on."""
    if identity.current() is not None:
        return redirect(gate.safe_next(request.args.get("next")), 303)
    if not gate.has_users(services()):
        return redirect(url_for("login.first"), 303)
    return _form(request.args.get("next"))


@bp.post("/entrar")
def enter() -> AnyResponse:
    """Name and password."""
    name, password, code = (request.form.get(field, "") for field in ("nome", "senha", "codigo"))
    try:
        outcome = login.login(services(), name, password, code, *_caller())
    except VaultError:
        return _form(_next(), 503, error=_UNREADABLE)
    if outcome.code_missing:
        session.clear()
        session[_HALF] = [outcome.user_id, outcome.password_at, time.time()]
        return _form(_next(), asks_code=True)
    return _answer(outcome, name=name)


@bp.post("/entrar/codigo")
def second() -> AnyResponse:
    """The code of the second factor, after the password."""
    user_id, password_at, began = session.get(_HALF) or (0, 0.0, 0.0)
    if not user_id or not 0 <= time.time() - began <= _HALF_FOR:
        session.pop(_HALF, None)
        return _form(_next(), 422, error=_OVER)
    try:
        outcome = login.by_code(services(), user_id, password_at, request.form.get("codigo", ""), *_caller())
    except VaultError:
        return _form(_next(), 503, error=_UNREADABLE)
    return _answer(outcome, asks_code=True)


@bp.post("/sair")
def leave() -> AnyResponse:
    """End the session, on the server too."""
    caller = identity.require()
    if caller.session_id is not None and caller.user_id is not None:
        with writing(services().engine) as opened:
            login_sessions.end(opened, caller.user_id, caller.session_id)
            note(opened, "logout")
    gate.forget()
    return redirect(url_for("login.page"), 303)


@bp.get("/primeiro-acesso")
def first() -> Response:
    """The form of the first person, with the code that the console shows; 404 once somebody has access."""
    _require_nobody()
    return _first_form()


@bp.post("/primeiro-acesso")
def make_first() -> AnyResponse:
    """Make the first person, who is in from here on."""
    _require_nobody()
    subject = attempts.address_key(request.remote_addr or "")
    with reading(services().engine) as opened:
        wait = attempts.locked_for(opened, [subject])
    if wait <= 0 and not first_user.is_code(current_app, request.form.get("codigo", "")):
        with writing(services().engine) as opened:
            attempts.fail(opened, subject, attempts.OF_NAME)
            wait = attempts.locked_for(opened, [subject])
            note(opened, "login.locked" if wait else "login.refused")
        if wait <= 0:
            return _first_form(422, error=_WRONG_CODE)
    if wait > 0:
        return _waiting(_first_form(429, error=_wait(wait)), wait)
    return begin_first(_first_form)


def begin_first(form: Any) -> AnyResponse:
    """The first person as a form describes them, logged in; the form again (`form(status, error=…)`) where it is wrong.

    404 where somebody else was quicker.
    """
    name, password = request.form.get("nome", ""), request.form.get("senha", "")
    try:
        hashed = checked_password(password, request.form.get("senha_de_novo", ""), name)
        with writing(services().engine) as opened:
            made = people.add_first(opened, name, hashed)
            token = None if made is None else login_sessions.begin(opened, made.id, *_caller())
            if made is not None:
                note(opened, "user.added", made.name, role=made.role)
    except (PeopleError, passwords.WeakPassword) as error:
        answer: AnyResponse = form(422, error=str(error))
        return answer
    if token is None:
        abort(404)
    gate.remember(token)
    return redirect(url_for("home.page"), 303)


def checked_password(password: str, again: str, *context: str) -> str:
    """The hash of a new password that was typed twice. Raises WeakPassword."""
    passwords.require_strong(password, *(word for word in context if word))
    if password != again:
        raise passwords.WeakPassword(_NOT_TWICE)
    return passwords.hash_of(password)


def refusal(outcome: Outcome, sentence: str) -> tuple[int, str]:
    """Status and sentence of a password, or a code, that was not taken."""
    return (429, _wait(outcome.wait)) if outcome.wait > 0 else (422, sentence)


def _answer(outcome: Outcome, *, name: str = "", asks_code: bool = False) -> AnyResponse:
    if outcome.token is not None:
        gate.remember(outcome.token)
        return redirect(gate.safe_next(_next()), 303)
    status, sentence = refusal(outcome, WRONG)
    return _waiting(_form(_next(), status, error=sentence, name=name[:64], asks_code=asks_code), outcome.wait)


def _form(
    target: str | None, status: int = 200, *, error: str = "", name: str = "", asks_code: bool = False
) -> Response:
    values = {"next": gate.safe_next(target), "error": error, "name": name, "asks_code": asks_code}
    return make_response(render_template("login/page.html", **values), status)


def _first_form(status: int = 200, *, error: str = "") -> Response:
    values = {"error": error, "name": request.form.get("nome", "")[:64], "code": request.form.get("codigo", "")[:40]}
    return make_response(render_template("login/first.html", **values), status)


def _require_nobody() -> None:
    """404 where somebody has access already; the person at the machine needs no code (/acesso)."""
    if services().settings.is_local or gate.has_users(services()):
        abort(404)


def _waiting(answer: Response, wait: float) -> Response:
    if wait > 0:
        answer.headers["Retry-After"] = str(max(math.ceil(wait), 1))
    return answer


def _wait(seconds: float) -> str:
    return f"Foram tentativas demais. Espere {duration(max(math.ceil(seconds), 10))} e tente de novo."


def _next() -> str | None:
    return request.form.get("next")


def _caller() -> tuple[str, str]:
    """Where a request comes from: the network's address, and what the browser says it is."""
    return request.remote_addr or "", request.headers.get("User-Agent", "")
