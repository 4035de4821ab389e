"""/acesso: who may use the panel, in which role; the keys of everybody's programs. For administrators.

While nobody has access, and only this machine is served, the first person is made here.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from kommo.access import gate, identity, passwords
from kommo.access.actor import note
from kommo.access.rules import PERMISSION_WORDS, ROLE_WORDS, Role
from kommo.db import writing
from kommo.pages.context import moment, owner, services, session
from kommo.pages.login import begin_first, checked_password
from kommo.store import api_keys, people
from kommo.store.people import PeopleError
from kommo.store.tables import User

bp = Blueprint("access", __name__, url_prefix="/acesso")
ROLE_MEANINGS = {
    Role.VIEWER: "vê os dados e as sincronizações",
    Role.OPERATOR: "também sincroniza, agenda, edita e exporta",
    Role.ADMINISTRATOR: "também conecta contas e dá acesso a outras pessoas",
}
_ROLE = "Escolha um dos papéis."


@bp.get("")
def page() -> Response:
    """Everybody and every key; how to make the first person where there is nobody."""
    return _page()


@bp.post("/primeira-pessoa")
def first() -> AnyResponse:
    """The person at the machine makes the first person: from here on everybody has to log in."""
    if not gate.is_open(services()):
        abort(404)
    return begin_first(_page)


@bp.post("")
def add() -> AnyResponse:
    """Give somebody access."""
    _require_people()
    name, role = request.form.get("nome", ""), _role()
    if role is None:
        return _page(422, error=_ROLE)
    try:
        hashed = checked_password(request.form.get("senha", ""), request.form.get("senha_de_novo", ""), name)
        with writing(services().engine) as opened:
            made = people.add(opened, name, role, hashed, owner())
            note(opened, "user.added", made.name, role=role)
    except (PeopleError, passwords.WeakPassword) as error:
        return _page(422, error=str(error))
    flash(f"{made.name} tem acesso. Diga-lhe a senha por um caminho seguro; em Minha conta ela pode ser trocada.")
    return _back()


@bp.get("/<int:user_id>")
def person(user_id: int) -> Response:
    """One person: role, password, whether they may log in, to take their access away."""
    return _person(_found(session(), user_id))


@bp.post("/<int:user_id>/papel")
def role(user_id: int) -> AnyResponse:
    """Give a person another role."""
    wanted = _role()
    if wanted is None:
        return _person(_found(session(), user_id), 422, error=_ROLE)
    return _change(
        user_id, lambda opened, user: people.change(opened, user, role=wanted), "O papel está mudado.", role=wanted
    )


@bp.post("/<int:user_id>/suspender")
def disable(user_id: int) -> AnyResponse:
    """Let a person in no more, for now: their sessions end, their keys do not count."""
    return _change(
        user_id,
        lambda opened, user: people.change(opened, user, disabled=True),
        "O acesso está suspenso.",
        disabled=True,
    )


@bp.post("/<int:user_id>/reativar")
def enable(user_id: int) -> AnyResponse:
    """Let a person in again."""
    return _change(
        user_id, lambda opened, user: people.change(opened, user, disabled=False), "O acesso voltou.", disabled=False
    )


@bp.post("/<int:user_id>/senha")
def password(user_id: int) -> AnyResponse:
    """Give another person a new password; their sessions end."""
    found = _found(session(), user_id)
    if found.id == identity.require().user_id:
        return redirect(url_for("me.page"), 303)  # one's own asks for the present one
    try:
        hashed = checked_password(request.form.get("senha", ""), request.form.get("senha_de_novo", ""), found.name)
    except passwords.WeakPassword as error:
        return _person(found, 422, error=str(error))
    said = "A senha está trocada, e as sessões desta pessoa terminaram."
    return _change(user_id, lambda opened, user: people.set_password(opened, user, hashed), said, "password.changed")


@bp.post("/<int:user_id>/remover")
def remove(user_id: int) -> AnyResponse:
    """Take a person's access away, with their sessions and keys."""
    return _change(user_id, people.remove, "O acesso foi retirado, com as chaves desta pessoa.", "user.removed")


@bp.post("/chaves/<int:key_id>/revogar")
def revoke(key_id: int) -> AnyResponse:
    """Revoke anybody's key."""
    with writing(services().engine) as opened:
        found = api_keys.revoke(opened, key_id) if key_id < 2**31 else None
        if found is not None:
            note(opened, "key.revoked", found.name)
    if found is None:
        abort(404)
    flash(f"A chave {found.name} está revogada: o programa que a usava não entra mais.")
    return _back()


def _change(
    user_id: int, act: Callable[[Session, User], None], said: str, action: str = "user.changed", **details: Any
) -> AnyResponse:
    """Do something to a person; what would leave nobody to administer is refused. `action` is the audit log's code."""
    try:
        with writing(services().engine) as opened:
            found = _found(opened, user_id)
            note(opened, action, found.name, **details)
            act(opened, found)
    except PeopleError as error:
        return _person(_found(session(), user_id), 422, error=str(error))
    if user_id == identity.require().user_id and action == "user.removed":
        gate.forget()
    flash(said)
    return _back() if action == "user.removed" else redirect(url_for("access.person", user_id=user_id), 303)


def _page(status: int = 200, *, error: str = "") -> Response:
    everybody, keys = people.everybody(session()), api_keys.everyones(session())
    values: dict[str, Any] = {
        "people": everybody, "keys": keys, "now": moment(), "error": error, "roles": ROLE_WORDS,
        "meanings": ROLE_MEANINGS, "permissions": PERMISSION_WORDS, "name": request.form.get("nome", "")[:64],
        "wanted": request.form.get("papel", ""), "me": identity.require().user_id,
    }  # fmt: skip
    return make_response(render_template("access/page.html", **values), status)


def _person(found: User, status: int = 200, *, error: str = "") -> Response:
    values: dict[str, Any] = {
        "person": found, "error": error, "roles": ROLE_WORDS, "meanings": ROLE_MEANINGS,
        "me": identity.require().user_id, "keys": len(api_keys.of_user(session(), found.id)),
    }  # fmt: skip
    return make_response(render_template("access/person.html", **values), status)


def _require_people() -> None:
    """404 while nobody has access: the first person is made in a way of its own."""
    if not gate.has_users(services()):
        abort(404)


def _role() -> Role | None:
    given = request.form.get("papel", "")
    return Role(given) if given in set(Role) else None


def _found(opened: Session, user_id: int) -> User:
    found = people.by_id(opened, user_id) if user_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _back() -> AnyResponse:
    return redirect(url_for("access.page"), 303)
