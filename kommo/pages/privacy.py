"""/privacidade: find a person, hand over what is kept of them, erase them; how long things are kept."""

from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kommo.access.actor import actor
from kommo.db import sqlite_file, writing
from kommo.ids import MAX_ID
from kommo.pages.context import connection, forget, owner, services, session
from kommo.privacy import erase, export, files, find, keeping, ledger
from kommo.privacy.erase import Reach
from kommo.store import audit
from kommo.store.suppression import erased_contacts
from kommo.store.tables import Connection

bp = Blueprint("privacy", __name__, url_prefix="/privacidade")
_PAGE = "privacy/page.html"
_SHORT = "Escreva pelo menos 3 letras ou algarismos do nome, telefone, e-mail, documento ou número no Kommo."
_TERM = f"Escreva um número inteiro de dias, de 1 a {keeping.LONGEST}, ou deixe vazio para guardar sem prazo."
_UNKNOWN = "Esta pessoa não existe nesta conta."
_TYPES = {"json": "application/json", "csv": "text/csv"}


@bp.get("")
def page() -> Response:
    """The search, who was erased, how long things are kept."""
    return _page()


@bp.post("")
def search() -> Response:
    """Who has this name, phone, e-mail, document or number. By POST: what is typed stands in no address and no log."""
    query = request.form.get("busca", "").strip()
    try:
        found, more = find.find(session(), owner(), query)
    except ValueError:
        return _page(422, query=query, error=_SHORT)
    with writing(services().engine) as opened:
        find.note(opened, actor(), owner(), len(found))
    return _page(query=query, found=found, more=more)


@bp.get("/pessoas/<int:contact_id>")
def person(contact_id: int) -> str:
    """What is kept of one person, and what can be done about it."""
    account = _account()
    return render_template("privacy/person.html", account=account, reach=_reach(account, contact_id), **_files(account))


@bp.post("/pessoas/<int:contact_id>/exportar")
def download(contact_id: int) -> Response:
    """All that is kept of a person, as a file to hand over."""
    account, kind = _account(), request.form.get("formato", "json")
    if kind not in _TYPES:
        abort(400, description="Escolha JSON ou CSV.")
    found = export.collect(session(), account, _number(contact_id))
    if found is None:
        abort(404, description=_UNKNOWN)
    with writing(services().engine) as opened:
        of: dict[str, Any] = {"owner": account.user_id, "account_id": account.account_id}
        subject = erase.subject_of(contact_id)
        audit.note(opened, actor(), "person.exported", **of, subject=subject, details={"format": kind})
    body = export.as_json(found) if kind == "json" else export.as_csv(found)
    answer = Response(body, mimetype=_TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="pessoa-{contact_id}.{kind}"'
    return answer


@bp.get("/pessoas/<int:contact_id>/apagar")
def ask(contact_id: int) -> AnyResponse:
    """Name what goes before it goes."""
    account = _account()
    found = _reach(account, contact_id)
    if found.person.erased_at is not None:
        return redirect(url_for("privacy.person", contact_id=contact_id), 303)
    return make_response(_asking(account, found))


@bp.post("/pessoas/<int:contact_id>/apagar")
def remove(contact_id: int) -> AnyResponse:
    """Erase the person, once it was said that it is meant."""
    account = _account()
    if request.form.get("certeza") != "1":
        return make_response(_asking(account, _reach(account, contact_id), missing=True), 422)
    found = ledger.erase_for_good(services(), account, _number(contact_id), actor())
    if found is None:
        abort(404, description=_UNKNOWN)
    forget()
    flash("Os dados desta pessoa foram apagados daqui, e as próximas sincronizações não os trazem de volta.")
    return redirect(url_for("privacy.person", contact_id=contact_id), 303)


@bp.post("/prazos")
def keep() -> AnyResponse:
    """How long things are kept; what was typed wrong is given back."""
    typed = {name: request.form.get(name, "").strip() for name in keeping.NAMES}
    days = {name: _days(text) for name, text in typed.items()}
    wrong = {name: _TERM for name, found in days.items() if found == 0}
    if wrong:
        return _page(422, terms=typed, wrong=wrong)
    with writing(services().engine) as opened:
        keeping.save(opened, days, actor(), owner())
    flash("Os prazos estão salvos. O que já passou deles sai em instantes.")
    return redirect(url_for("privacy.page"), 303)


def _page(status: int = 200, **values: Any) -> Response:
    account = connection()
    terms = {name: "" if days is None else str(days) for name, days in keeping.terms(session()).items()}
    usual: dict[str, Any] = {
        "query": "", "found": None, "more": False, "error": None, "terms": terms, "wrong": {}, "kinds": keeping.KINDS,
        "account": account, "erased": _erased(account) if account else [],
    }  # fmt: skip
    return make_response(render_template(_PAGE, **usual | _files(account) | values), status)


def _asking(account: Connection, found: Reach, missing: bool = False) -> str:
    return render_template("privacy/erase.html", account=account, reach=found, missing=missing, **_files(account))


def _files(account: Connection | None) -> dict[str, Any]:
    """What the pages say of the files: which engine, how the last cleaning stands, how many backups there are."""
    return {
        "on_sqlite": sqlite_file(services().settings.database) is not None,
        "cleaning": files.state(session()),
        "backups": len(files.backups(services().settings.instance)),
        "is_demo": account is not None and account.is_demo,
    }


def _erased(account: Connection) -> list[Any]:
    return erased_contacts(session(), account.user_id, account.account_id)


def _reach(account: Connection, contact_id: int) -> Reach:
    found = erase.reach(session(), account, _number(contact_id))
    if found is None:
        abort(404, description=_UNKNOWN)
    return found


def _account() -> Connection:
    found = connection()
    if found is None:
        abort(404)
    return found


def _number(contact_id: int) -> int:
    if not 0 < contact_id <= MAX_ID:
        abort(404, description=_UNKNOWN)
    return contact_id


def _days(text: str) -> int | None:
    """The days that were typed; None for nothing, 0 for what is none."""
    if not text:
        return None
    found = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    return found if found <= keeping.LONGEST else 0
