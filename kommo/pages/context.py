"""What every page knows: whose it is, which account is in view, what stands around the content.

An owner with several accounts chooses one with `?conta=<account id>`; every address made on such a page keeps it.
"""

import re
import time
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, abort, current_app, g, request, url_for
from sqlalchemy.orm import Session

from kommo import logs
from kommo.access import identity
from kommo.access.identity import Identity
from kommo.access.rules import ROLE_WORDS, Permission
from kommo.connect import support
from kommo.connect.client import slots_for
from kommo.connect.support import Block
from kommo.db import db
from kommo.ids import MAX_ID
from kommo.pages.menu import Group, menu
from kommo.pages.notices import EXPOSED, Notice, notices
from kommo.services import Services
from kommo.store import connections, schedules
from kommo.store.copy_state import CopyState, copy_state
from kommo.store.pace import Slots
from kommo.store.schedules import ScheduleView
from kommo.store.tables import Connection
from kommo.store.zones import DEFAULT, zone_of
from kommo.text import ahead
from kommo.vault import VaultError

_ID = re.compile(r"[0-9]{1,19}")
_WITHOUT_ACCOUNT = ("static", "assets", "login.")  # endpoints that are the same for every account


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around a page's content.

    `place` is the account's address in words, `copy` its proof, `next_run` when its schedule has the next one; `who`
    looks at the page, in the role that `role` names.
    """

    who: Identity
    role: str

    connection: Connection | None
    connections: list[Connection]
    place: str | None
    copy: CopyState | None
    next_run: str | None
    menu: list[Group]
    notices: list[Notice]


def register(app: Flask) -> None:
    """Read and keep the chosen account, and give templates what they may ask for."""
    app.url_value_preprocessor(_read_choice)
    app.url_defaults(_keep_choice)
    app.jinja_env.globals.update(
        shell=shell,
        proof_url=proof_url,
        chosen_account=chosen_account,
        token_is_of_use=token_is_of_use,
        lock_of=lock_of,
        blocked=blocked,
        is_exposed=is_exposed,
        exposed_words=EXPOSED,
    )


def services() -> Services:
    """The tools of this process."""
    found = current_app.extensions["kommo"]
    assert isinstance(found, Services)
    return found


def is_exposed() -> bool:
    """Whether others are served without HTTPS."""
    return not services().settings.is_local and not services().settings.proxy_count


def owner() -> str:
    """The key of the owner whose pages these are: whose data the person works with."""
    return identity.require().owner


def session() -> Session:
    """The database session of this request, for reading."""
    return db.session()


def forget() -> None:
    """Read everything anew from here on: something was written beside this request's own snapshot."""
    session().rollback()
    for name in ("connection", "copy", "schedule", "shell", "slots", "blocked"):
        g.pop(name, None)


def moment() -> float:
    """The time of this request, Unix seconds: the same for everything on a page."""
    if "moment" not in g:
        g.moment = time.time()
    return float(g.moment)


def chosen_account() -> int | None:
    """The account id that the address asks for, if any."""
    found: int | None = g.get("account_id")
    return found


def connection() -> Connection | None:
    """The connection in view: the chosen account's, else the last connected one; None where there is none.

    An account this owner does not have is answered with 404.
    """
    if "connection" not in g:
        g.connection = connections.current(session(), owner(), chosen_account())
        if g.connection is None and chosen_account() is not None:
            g.account_id = None
            g.pop("connection")
            abort(404)
        if g.connection is not None:
            logs.bind(account=g.connection.account_id)
    found: Connection | None = g.connection
    return found


def zone() -> tzinfo:
    """The time zone of the account in view."""
    found = connection()
    return zone_of(found) if found else ZoneInfo(DEFAULT)


def currency() -> str:
    """The currency of the account in view."""
    found = connection()
    return found.currency if found else "BRL"


def shell() -> Shell:
    """The frame of the page; read once a request, and only when a whole page is made."""
    if "shell" not in g:
        g.shell = _shell()
    found = g.shell
    assert isinstance(found, Shell)
    return found


def copy() -> CopyState | None:
    """The state of the copy of the account in view; None where there is no account."""
    if "copy" not in g:
        found = connection()
        g.copy = copy_state(session(), found) if found else None
    known: CopyState | None = g.copy
    return known


def schedule() -> ScheduleView | None:
    """The schedule of the account in view; None where there is none."""
    if "schedule" not in g:
        found = connection()
        g.schedule = schedules.view(session(), found, services().vault) if found else None
    known: ScheduleView | None = g.schedule
    return known


def token_is_of_use(account: Connection) -> bool:
    """Whether a synchronisation could succeed: the account has a token, not refused and not over."""
    return connections.token_trouble(account, moment(), services().vault) is None


def lock_of(account: Connection) -> VaultError | None:
    """Why the account's stored token does not open on this server, in a sentence; None where it does."""
    return connections.lock_of(services().vault, account)


def slots() -> Slots:
    """How the request budget of the account in view stands; read once a request."""
    if "slots" not in g:
        found = connection()
        g.slots = slots_for(services(), found.account_id if found else None, found)
    known: Slots = g.slots
    return known


def blocked() -> Block | None:
    """That Kommo lets nobody in from this server, for the account in view; None while it does."""
    if "blocked" not in g:
        found = connection()
        account_id = found.account_id if found else None
        g.blocked = support.blocked(slots(), account_id, found) if found is None or found.token else None
    known: Block | None = g.blocked
    return known


def note_block(account_id: int | None) -> None:
    """The page speaks of the block that a test of this account met, whichever account is in view."""
    found = connections.current(session(), owner(), account_id) if account_id is not None else None
    g.blocked = support.blocked(slots_for(services(), account_id, found), account_id, found)


def said_here() -> None:
    """The page itself says that the token of the account in view is refused: the frame need not say it again."""
    g.said_here = True


def proof_url(state: CopyState) -> str:
    """Where the badge of proof leads: to the run that it speaks of."""
    return url_for("sync.run", run_id=state.run_id) if state.run_id else url_for("sync.page")


def _shell() -> Shell:
    found = connection()
    everyone = connections.all_of(session(), owner())
    who = identity.require()
    told = _to_tell_of(found, everyone)
    return Shell(
        who=who,
        role=ROLE_WORDS[who.role],
        connection=found,
        connections=everyone,
        place=support.place(found) if found else None,
        copy=copy(),
        next_run=_next_run(),
        menu=menu(copy()),
        notices=_of_use(notices(found, told, moment(), blocked(), len(everyone) > 1, lock_of, exposed=is_exposed())),
    )


def _of_use(told: list[Notice]) -> list[Notice]:
    """The notices, without the way to what the caller may not do."""
    return told if identity.may(Permission.CONNECT) else [replace(each, href="", action="") for each in told]


def _to_tell_of(found: Connection | None, everyone: list[Connection]) -> list[Connection]:
    """The connections of whose tokens the frame has to speak."""
    return [each for each in everyone if not (g.get("said_here") and found is not None and each.id == found.id)]


def _next_run() -> str | None:
    """ "às 14:35", "amanhã às 06:00"; None without a schedule, and where it waits: its card says for what."""
    shown = schedule()
    if shown is None or shown.waiting or shown.soonest is None or shown.soonest <= shown.now:
        return None
    return ahead(shown.soonest, shown.now, shown.zone)


def _read_choice(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    given = request.args.get("conta")
    if not given or request.path.startswith("/api/"):
        return
    if not _ID.fullmatch(given) or int(given) > MAX_ID:
        abort(404)
    g.account_id = int(given)


def _keep_choice(endpoint: str, values: dict[str, Any]) -> None:
    if (chosen := chosen_account()) is not None and not endpoint.startswith(_WITHOUT_ACCOUNT):
        values.setdefault("conta", chosen)
