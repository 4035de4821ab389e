"""Closed by default: before any route, who calls is found out, and whether they may do what the route does.

The person at the machine works at once while nobody has made a user; a browser is known by its session, a program by
its key. Whoever is unknown is shown the way in, and learns nothing else: not even which addresses exist.
"""

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from kommo.access import guard
from kommo.access.identity import LOCAL, Identity, may
from kommo.access.rules import PERMISSIONS, PUBLIC, ROUTES, SELF, Permission, Role
from kommo.db import reading, writing
from kommo.services import Services
from kommo.store import api_keys, login_sessions, people

GUIDE = "/api/docs"  # under /api/, and yet a page for people
METRICS = "metrics.metrics"  # read by a program, outside of the API
COOKIE = "login"  # its name in the signed cookie
KEY_HEADER = "X-API-Key"
_LONGEST_KEY = 200  # characters
LONGEST_NEXT = 2000
LOGIN_FIRST = "Entre no painel, ou envie em X-API-Key uma chave de programa."
KEY_UNKNOWN = "A chave em X-API-Key não existe, foi revogada ou venceu: crie outra em Minha conta."
NOT_ALLOWED = "Você não tem permissão para isto: peça a quem administra o painel."


class NotAllowed(Forbidden):
    """A person who is logged in asked for what their role does not include; `description` says so."""

    def __init__(self) -> None:
        super().__init__(NOT_ALLOWED)


def register(app: Flask) -> None:
    """Put the gate before every route, behind the guard."""
    app.before_request(check)
    app.jinja_env.globals["may"] = may


def check() -> AnyResponse | None:
    """Note who calls in `g.identity`; the way in, or the refusal, for who may not go on. Raises NotAllowed."""
    services = app_services()
    key = request.headers.get(KEY_HEADER)
    if key is not None and _is_for_programs():
        found = _by_key(services, key)
        if found is None:
            return guard.refusal(401, "key_unknown", KEY_UNKNOWN)
        g.identity = found
    else:
        g.identity = _by_session(services) or (LOCAL if is_open(services) else None)
    return _refused(services)


def _refused(services: Services) -> AnyResponse | None:
    needs = ROUTES.get(request.endpoint or "", SELF)  # unknown addresses are known to those who are let in
    if needs == PUBLIC:
        return None
    caller: Identity | None = g.identity
    if caller is None:
        return _way_in(services)
    if needs == SELF or caller.may(needs):
        return None
    if _is_for_programs():
        return guard.refusal(403, "not_allowed", NOT_ALLOWED)
    raise NotAllowed


def _is_for_programs() -> bool:
    """Whether a program calls what programs may: there a key counts, and nobody is led to a page."""
    return request.endpoint == METRICS or (request.path.startswith(guard.API) and request.path != GUIDE)


def app_services() -> Services:
    """The tools of this process."""
    found = current_app.extensions["kommo"]
    assert isinstance(found, Services)
    return found


def is_open(services: Services) -> bool:
    """Whether the person at the machine needs no login: nobody has made a user, and only this machine is served."""
    return services.settings.is_local and not has_users(services)


def has_users(services: Services) -> bool:
    """Whether anybody was given access. Once true it stays so: the last administrator cannot be removed."""
    if services.engine in _with_users:
        return True
    with reading(services.engine) as opened:
        found = people.any_user(opened)
    if found:
        _with_users.add(services.engine)
    return found


_with_users: WeakSet[Any] = WeakSet()  # engines of databases in which there are users


def safe_next(target: str | None) -> str:
    """Where to go after the login: an address of ours, else the first page. `//evil`, `\\t//evil` and the like are not.

    The browser drops tabs and line breaks and takes a backslash for a slash, so none of them may be in it.
    """
    if not target or not target.startswith("/") or target.startswith("//") or not target.isascii():
        return "/"
    if len(target) > LONGEST_NEXT or any(char <= " " or char in '\\"<>\x7f' for char in target):
        return "/"
    parts = urlsplit(target)
    is_page = parts.path == GUIDE or not parts.path.startswith(guard.API)
    return target if is_page and not parts.scheme and not parts.netloc else "/"


def _by_session(services: Services) -> Identity | None:
    token = session.get(COOKIE)
    if not isinstance(token, str):
        return None
    with reading(services.engine) as opened:
        found = login_sessions.find(opened, token)
    if found is None:
        session.pop(COOKIE)
        return None
    if found.note_due:
        with suppress(OperationalError), writing(services.engine) as opened:  # a full disk still lets people read
            login_sessions.note(opened, found.id, request.remote_addr or "")
    role = Role(found.role)
    return Identity(
        "user", found.name, found.owner, role, PERMISSIONS[role], user_id=found.user_id, session_id=found.id
    )


def _by_key(services: Services, key: str) -> Identity | None:
    if not 0 < len(key) <= _LONGEST_KEY:
        return None
    with reading(services.engine) as opened:
        found = api_keys.find(opened, key)
    if found is None:
        return None
    if found.note_due:
        with suppress(OperationalError), writing(services.engine) as opened:
            api_keys.note(opened, found.id)
    role = Role(found.role)
    given = frozenset(each for each in Permission if each.value in found.scopes)
    permissions = PERMISSIONS[role] & given
    return Identity("key", found.name, found.owner, role, permissions, user_id=found.user_id, key_id=found.id)


def _way_in(services: Services) -> AnyResponse:
    if _is_for_programs():
        return guard.refusal(401, "login_required", LOGIN_FIRST)
    wanted = safe_next(_wanted())
    endpoint = "login.page" if has_users(services) else "login.first"
    back = wanted if endpoint == "login.page" and wanted != "/" else None
    if request.headers.get("HX-Request") == "true":  # the whole page goes there, not the fragment
        return Response("", 401, {"HX-Redirect": url_for(endpoint, next=back)})
    return redirect(url_for(endpoint, next=back), 303)


def _wanted() -> str | None:
    """The page to come back to after the login: what was asked for, or where a fragment of it was."""
    if request.headers.get("HX-Request") == "true":
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        return f"{shown.path}?{shown.query}".rstrip("?")
    return request.full_path.rstrip("?") if request.method == "GET" else None


def remember(token: str) -> None:
    """The browser is logged in from here on: its cookie begins anew, nothing of before is left in it."""
    session.clear()
    session[COOKIE] = token


def forget() -> None:
    """The browser is nobody's any more."""
    session.clear()
    g.identity = None
