"""/minha-conta: one's own password, sessions, second factor and keys."""

from typing import Any

import segno
from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kommo.access import gate, identity, login, passwords, second_factor
from kommo.access.actor import note
from kommo.access.identity import Identity
from kommo.access.rules import PERMISSION_WORDS, ROLE_WORDS
from kommo.db import now, writing
from kommo.pages.context import forget, moment, services, session
from kommo.pages.login import checked_password, refusal
from kommo.store import api_keys, login_sessions, people
from kommo.store.people import PeopleError
from kommo.store.tables import User
from kommo.vault import VaultError

bp = Blueprint("me", __name__, url_prefix="/minha-conta")
VALIDITIES = {"30": "30 dias", "90": "90 dias", "365": "1 ano", "": "sem prazo"}  # days in the form
_WRONG = "A senha atual não confere."
_WRONG_BOTH = "A senha atual ou o código não confere."
_OLD_DRAFT = "O código secreto desta página não vale mais: comece de novo com o que aparece agora."
_VALIDITY = "Escolha uma das validades."
_DAY = 86_400.0
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)  # fmt: skip


@bp.get("")
def page() -> AnyResponse:
    """All of it; at the machine without a login there is nobody whose it could be."""
    if identity.require().user_id is None:
        return redirect(url_for("access.page"), 303)
    return _page()


@bp.post("/senha")
def password() -> AnyResponse:
    """Change one's password: the present one is asked for, and all other sessions end."""
    caller, me = _me()
    try:
        given = request.form.get("senha_atual", "")
        outcome = login.is_password_of(services(), me.id, given, request.remote_addr or "")
        if outcome.user_id is None:
            return _refused("password", *refusal(outcome, _WRONG))
        hashed = checked_password(request.form.get("senha", ""), request.form.get("senha_de_novo", ""), me.name)
    except passwords.WeakPassword as error:
        return _refused("password", 422, str(error))
    with writing(services().engine) as opened:
        people.set_password(opened, _again(opened, me), hashed, caller.session_id)
        note(opened, "password.changed", me.name)
    flash("A senha está trocada. As outras sessões terminaram; esta continua.")
    return _back()


@bp.post("/sessoes/<int:session_id>/encerrar")
def end(session_id: int) -> AnyResponse:
    """End one of one's sessions; the one in hand is a logout."""
    caller, me = _me()
    with writing(services().engine) as opened:
        found = session_id < 2**31 and login_sessions.end(opened, me.id, session_id)
        if found:
            note(opened, "session.ended", str(session_id))
    if not found:
        abort(404)
    if session_id == caller.session_id:
        gate.forget()
        return redirect(url_for("login.page"), 303)
    flash("A sessão terminou.")
    return _back()


@bp.post("/sessoes/encerrar-outras")
def end_others() -> AnyResponse:
    """End all of one's sessions but the one in hand."""
    caller, me = _me()
    with writing(services().engine) as opened:
        login_sessions.end_others(opened, me.id, caller.session_id)
        note(opened, "session.ended", "as outras")
    flash("As outras sessões terminaram.")
    return _back()


@bp.post("/chaves")
def make_key() -> AnyResponse:
    """Make a key for a program; it is shown on this one page, and never again."""
    caller, me = _me()
    days = request.form.get("validade", "")
    if days not in VALIDITIES:
        return _refused("key", 422, _VALIDITY)
    # What is not one's own to give is left out, as if it had not been sent.
    scopes = [each for each in request.form.getlist("permissoes") if caller.may(each)]
    try:
        with writing(services().engine) as opened:
            until = now(opened) + int(days) * _DAY if days else None
            row, key = api_keys.make(opened, me.id, request.form.get("nome", ""), scopes, until)
            note(opened, "key.added", row.name, scopes=row.scopes)
    except PeopleError as error:
        return _refused("key", 422, str(error))
    forget()
    return _page(made=key, made_name=row.name)


@bp.post("/chaves/<int:key_id>/revogar")
def revoke(key_id: int) -> AnyResponse:
    """Revoke one of one's keys."""
    _, me = _me()
    with writing(services().engine) as opened:
        found = api_keys.revoke(opened, key_id, me.id) if key_id < 2**31 else None
        if found is not None:
            note(opened, "key.revoked", found.name)
    if found is None:
        abort(404)
    flash(f"A chave {found.name} está revogada: o programa que a usava não entra mais.")
    return _back()


@bp.get("/segundo-fator")
def totp() -> AnyResponse:
    """The secret of a second factor, to be scanned or typed; nothing is kept before a code has confirmed it."""
    _, me = _me()
    if me.totp:
        return _back()
    return _totp(me, second_factor.new_secret())


@bp.post("/segundo-fator")
def totp_on() -> AnyResponse:
    """Turn the second factor on: the password, and a code that shows that the telephone has the secret."""
    caller, me = _me()
    if me.totp:
        return _back()
    try:
        secret = second_factor.open_draft(services().vault, me, request.form.get("segredo", ""))
    except VaultError:
        return _totp(me, second_factor.new_secret(), 422, _OLD_DRAFT)
    given = request.form.get("senha_atual", "")
    outcome = login.is_password_of(services(), me.id, given, request.remote_addr or "")
    step = login.step_of(secret, request.form.get("codigo", ""), now(session()))
    if outcome.user_id is None or step is None:
        return _totp(me, secret, *refusal(outcome, _WRONG_BOTH))
    with writing(services().engine) as opened:
        found = _again(opened, me)
        people.set_totp(opened, found, services().vault.seal(secret, found.place), step, caller.session_id)
        note(opened, "totp.on", me.name)
    flash("O segundo fator está ligado: daqui em diante a entrada pede também o código do telefone.")
    return _back()


@bp.post("/segundo-fator/desligar")
def totp_off() -> AnyResponse:
    """Turn the second factor off: the password is asked for."""
    _, me = _me()
    given = request.form.get("senha_atual", "")
    outcome = login.is_password_of(services(), me.id, given, request.remote_addr or "")
    if outcome.user_id is None:
        return _refused("totp", *refusal(outcome, _WRONG))
    with writing(services().engine) as opened:
        people.set_totp(opened, _again(opened, me), None)
        note(opened, "totp.off", me.name)
    flash("O segundo fator está desligado: a entrada pede só nome e senha.")
    return _back()


def browser_of(agent: str) -> str:
    """What a browser says it is, in two words ("Firefox, Windows"); a program's own name as it is."""
    found = [next((word for mark, word in table if mark in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(word for word in found if word) or agent[:60] or "navegador desconhecido"


def _page(status: int = 200, **values: Any) -> Response:
    caller, me = _me()
    usual: dict[str, Any] = {
        "person": me, "role": ROLE_WORDS[caller.role], "sessions": login_sessions.of_user(session(), me.id),
        "here": caller.session_id, "keys": api_keys.of_user(session(), me.id), "most": api_keys.MOST,
        "may_give": {each: word for each, word in PERMISSION_WORDS.items() if caller.may(each)},
        "permissions": PERMISSION_WORDS, "validities": VALIDITIES, "now": moment(), "errors": {}, "made": None,
        "browser_of": browser_of,
    }  # fmt: skip
    return make_response(render_template("me/page.html", **usual | values), status)


def _refused(part: str, status: int, sentence: str) -> Response:
    """The page with what was wrong in one of its parts."""
    return _page(status, errors={part: sentence})


def _totp(me: User, secret: str, status: int = 200, error: str = "") -> Response:
    address = second_factor.address(secret, me.name)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff")
    values = {
        "draft": second_factor.draft(services().vault, me, secret), "picture": picture, "error": error,
        "secret": second_factor.spelled(secret),
    }  # fmt: skip
    return make_response(render_template("me/totp.html", **values), status)


def _me() -> tuple[Identity, User]:
    """Who is logged in; 404 at the machine without a login."""
    caller = identity.require()
    found = people.by_id(session(), caller.user_id) if caller.user_id is not None else None
    if found is None:
        abort(404)
    return caller, found


def _again(opened: Any, me: User) -> User:
    """The same person, in a transaction that writes."""
    found = people.by_id(opened, me.id)
    if found is None:
        abort(404)
    return found


def _back() -> AnyResponse:
    return redirect(url_for("me.page"), 303)
