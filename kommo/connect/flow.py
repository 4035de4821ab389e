"""From a pasted text to a connected account, and back: inspect, connect, test again, disconnect."""

import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kommo.connect import demo
from kommo.connect.access import Access, inline, stored
from kommo.connect.client import budget_for, open_client
from kommo.crm.check import CheckReport, check_connection
from kommo.crm.errors import BadToken, TokenExpired, TokenRefused
from kommo.crm.token import Claims, mask
from kommo.db import writing
from kommo.services import ERASE, Services
from kommo.settings import Settings
from kommo.store import audit, connections, runs
from kommo.store.audit import Actor
from kommo.store.connections import Account
from kommo.store.tables import Connection
from kommo.vault import VaultError


@dataclass(frozen=True, slots=True)
class TokenView:
    """What a pasted text says before anything is sent: the claims and the server, or what is wrong with it."""

    claims: Claims | None
    server: str | None
    sentence: str | None

    @property
    def ok(self) -> bool:
        """Whether the text is a token that may be sent."""
        return self.sentence is None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test found, and the connection that came of it (None where nothing was stored).

    `replaced` tells that the connection had a token already, which this one took the place of.
    """

    report: CheckReport
    connection_id: int | None = None
    replaced: bool = False


def inspect(text: str, settings: Settings) -> TokenView:
    """Read a pasted text without sending anything; never raises."""
    try:
        access = inline(text, settings)
    except BadToken as error:
        return TokenView(None, None, error.sentence)
    return TokenView(access.claims, access.base_address.partition("://")[2], None)


def test(services: Services, access: Access, *, full: bool = True, purpose: str = "page") -> CheckReport:
    """Test a token against Kommo; a failure is in the report, never raised. `purpose` is that of the client.

    A whole test is a person's: it goes out though Kommo blocked this address, since its support may have lifted that.
    """
    budget = budget_for(services, access.account_id, is_demo=access.is_demo)
    if full:
        budget.rows.unblock()
    with open_client(services, access.token, access.base_address, budget, purpose=purpose) as kommo:
        return check_connection(kommo, access.claims, now=time.time(), full=full)


def connect(services: Services, user_id: str, text: str, *, full: bool = True, by: Actor | None = None) -> Outcome:
    """Test a pasted token and, when Kommo takes it, keep it sealed; the same account again gets the new token.

    `by` is whom the audit log names; nothing is written into it without.
    """
    try:
        access = inline(text, services.settings)
    except BadToken as error:
        return Outcome(CheckReport.refused(error))
    return keep(services, user_id, access, test(services, access, full=full), by=by)


def keep(
    services: Services,
    user_id: str,
    access: Access,
    report: CheckReport,
    *,
    is_demo: bool = False,
    by: Actor | None = None,
) -> Outcome:
    """Store what a good report is about; a bad one stores nothing."""
    account = report.account
    if not report.ok or account is None:
        return Outcome(report)
    known = Account(
        account_id=account.id,
        base_address=access.base_address,
        token_hint=mask(access.token),
        scopes=access.claims.scopes,
        issued_at=access.claims.issued_at,
        expires_at=access.claims.expires_at,
        base_domain=access.claims.base_domain or services.settings.base_domain,
        name=account.name,
        subdomain=account.subdomain,
        currency=account.currency or "",
        timezone=account.timezone or "",
        is_demo=is_demo,
        details=account.raw,
    )
    with writing(services.engine) as session:
        before = connections.by_account(session, user_id, account.id)
        replaced = before is not None and before.token is not None
        is_new = before is None or not replaced or before.token_hint != known.token_hint
        connection = connections.save(session, services.vault, user_id, known, access.token)
        if by is not None and is_new:
            action = "account.token_replaced" if replaced else "account.connected"
            audit.note(session, by, action, owner=user_id, account_id=account.id, details={"demo": is_demo})
        return Outcome(report, connection.id, replaced)


def connect_demo(services: Services, user_id: str, *, by: Actor | None = None) -> Outcome:
    """Start the demonstration account and connect it. Raises demo.DemoError with a sentence where it cannot start."""
    address, token = demo.start(services.settings)
    with writing(services.engine) as session:
        connections.set_demo_address(session, address)
    access = Access(token, inline(token, services.settings).claims, address)
    return keep(services, user_id, access, test(services, access), is_demo=True, by=by)


def retest(services: Services, connection: Connection) -> Outcome:
    """Test a connected account's stored token again, and note whether Kommo still takes it."""
    try:
        access = stored(services, connection)
    except VaultError as error:
        return Outcome(CheckReport.refused(BadToken("token_not_jwt", str(error))))
    if access is None:
        return Outcome(CheckReport.refused(BadToken("token_missing")))
    report = test(services, access)
    note_verdict(services, connection, report)
    return Outcome(report, connection.id)


def note_verdict(services: Services, connection: Connection, report: CheckReport) -> None:
    """Keep what a test says of the stored token: refused, or taken; a trouble on the way says nothing of it."""
    refused = isinstance(report.error, TokenRefused | TokenExpired)
    if refused or (report.error is None and connection.token_refused):
        with writing(services.engine) as session:
            connections.mark_refused(session, connection, refused)


def disconnect(
    services: Services, user_id: str, connection_id: int, *, with_copy: bool, by: Actor | None = None
) -> bool:
    """Remove a connection's token, end its run, and, if wanted, its copy; gives whether there was such a connection.

    A copy goes in short transactions, in the worker: the page answers at once and the account is gone from it.
    """
    with writing(services.engine) as session:
        connection = connections.by_id(session, user_id, connection_id)
        if connection is None:
            return False
        _end_run(session, connection_id)  # first: a run locks its own row before the connection's
        connections.forget_token(session, connection)
        if with_copy:
            connection.erasing = True
        if by is not None:
            action = "account.copy_erased" if with_copy else "account.disconnected"
            audit.note(session, by, action, owner=user_id, account_id=connection.account_id)
    if with_copy:
        services.ring(ERASE, connection_id)
    return True


def _end_run(session: Session, connection_id: int) -> None:
    if (run := runs.active(session, connection_id)) is not None:
        runs.cancel(session, run.id)


def restart_demo(services: Services) -> None:
    """Start the demonstration account that is connected already, and note where it is now. Raises demo.DemoError."""
    address, _token = demo.start(services.settings)
    with writing(services.engine) as session:
        connections.set_demo_address(session, address)
