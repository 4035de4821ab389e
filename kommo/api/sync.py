"""/api/kommo/sync: start a synchronisation and wait for it, ask how the last one went, follow one by its number."""

import time

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from kommo.access import identity
from kommo.access.actor import actor
from kommo.access.rules import Permission
from kommo.api import runs as told
from kommo.api.accounts import access, client, held, require_account, services
from kommo.api.answers import write
from kommo.api.asked import Call, SyncCall, read
from kommo.api.errors import ApiError, busy, not_allowed, unknown_run
from kommo.api.waiting import place, preference, wait
from kommo.connect import flow
from kommo.connect.access import Access
from kommo.connect.client import longest_call
from kommo.crm.caller import LIMIT
from kommo.crm.check import CheckReport, check_connection
from kommo.crm.errors import TimedOut
from kommo.db import reading
from kommo.store import progress, runs
from kommo.store.connections import DEFAULT_OWNER
from kommo.store.progress import RunView
from kommo.store.runs import AlreadyRunning
from kommo.store.tables import Connection
from kommo.sync import control

RUNNING = "Já existe uma sincronização desta conta em andamento"
NEVER = "Nenhuma sincronização anterior encontrada"
STATUS = "Status de sincronização obtido"
FIRST_CHECK = 10.0  # seconds a caller waits at most for Kommo to say whose a new token is, whatever it prefers
_MAX_RUN = 2**31 - 1


def start() -> Response:
    """Start a run of the account and answer when it is over, or 202 where the caller or the server will not wait."""
    began = time.monotonic()
    call = read(SyncCall)
    wish = preference(request.headers.getlist("Prefer"))
    found = access(call)
    if found.connection is None and not identity.may(Permission.CONNECT):
        raise not_allowed("Esta chamada guardaria um token: peça a quem administra o painel.")
    with place() as seated:
        limit = wish.seconds(services().settings.sync_wait) if seated else 0.0
        try:
            connection_id = _connection(call, found, began + limit, seated=seated)
            run_id = control.start(services(), connection_id, "api", sweep=call.full, by=actor())
        except AlreadyRunning as running:
            raise _already(call, running.run_id) from None
        view = wait(services().engine, connection_id, run_id, began + limit - time.monotonic())
    return _answer(call, connection_id, view, wish.applied(limit, time.monotonic() - began))


def _answer(call: Call, connection_id: int, view: RunView | None, applied: dict[str, str]) -> Response:
    with reading(services().engine) as session:
        connection = session.get(Connection, connection_id)
        if view is None or connection is None:
            raise unknown_run()
        found = told.data(session, connection, view)
    if view.active:
        body = {"success": True, "message": "Sincronização em andamento", "data": found}
        return write(body, 202, {"Location": _address(call, view.id)} | applied)
    return write(told.ended(view, found), headers=applied)


def status() -> Response:
    """How the last synchronisation of the owner's account went, and how far one is that runs now."""
    call = read(Call)
    with reading(services().engine) as session:
        connection = held(session, call)
        found = told.latest(session, connection) if connection else None
    return write({"success": True, "message": STATUS if found else NEVER, "data": found})


def run_status(run_id: int) -> Response:
    """One run of this owner; another owner's looks like an unknown one."""
    call = read(Call)
    with reading(services().engine) as session:
        connection = _connection_of(session, call, run_id)
        view = progress.run_view(session, connection.id, run_id) if connection else None
        if connection is None or view is None:
            raise unknown_run()
        return write({"success": True, "message": STATUS, "data": told.data(session, connection, view)})


def _connection(call: Call, found: Access, until: float, *, seated: bool) -> int:
    """The number of the connection to read, stored first where the call brings the token. `until` is a moment.

    A run that cannot begin is answered with its cause: Kommo is asked first, but for a caller that will not wait and
    whose token is stored. Raises AlreadyRunning before anything is asked, where the token is a stored one.
    """
    left = until - time.monotonic()
    if found.connection is None:
        if not seated:
            raise busy()
        return _kept(call, found, max(left, FIRST_CHECK))
    with reading(services().engine) as session:
        if (running := runs.active(session, found.connection.id)) is not None:
            raise AlreadyRunning(running.id)
    if left > 0:
        _check_stored(found, left)
    return found.connection.id


def _kept(call: Call, found: Access, within: float) -> int:
    """The number of the connection of a token that came with the call: whose it is, Kommo has to say."""
    report = _check(found, within)
    if report.account is not None:
        require_account(call, report.account.id)
    stored = flow.keep(services(), call.user_id, found, report, by=actor()).connection_id
    assert stored is not None
    return stored


def _check_stored(found: Access, left: float) -> None:
    """Ask Kommo for as long as the caller waits. What it would have said after that, the run finds out."""
    try:
        _check(found, left)
    except TimedOut as error:
        if error.note != LIMIT or left > longest_call(services().settings):
            raise


def _check(found: Access, within: float) -> CheckReport:
    """A quick test: the account and three contacts. Raises what stands in the way."""
    with client(found, within=within) as kommo:
        report = check_connection(kommo, found.claims, now=time.time(), full=False)
    if found.connection is not None:
        flow.note_verdict(services(), found.connection, report)
    if report.error is not None:
        raise report.error
    return report


def _connection_of(session: Session, call: Call, run_id: int) -> Connection | None:
    found = runs.connection_of(session, run_id) if run_id <= _MAX_RUN else None
    if found is None or found.user_id != call.user_id or found.erasing:
        return None
    return found if call.account_id in (None, found.account_id) else None


def _address(call: Call, run_id: int) -> str:
    """Where a run can be followed by the same caller."""
    owner = None if call.user_id == DEFAULT_OWNER else call.user_id
    return url_for("api.sync_run", run_id=run_id, userId=owner)


def _already(call: Call, run_id: int) -> ApiError:
    address = _address(call, run_id)
    return ApiError(
        409, "sync_running", RUNNING, "Acompanhe a que está em andamento e comece outra quando ela terminar.",
        {"Location": address}, data={"runId": run_id},
    )  # fmt: skip
