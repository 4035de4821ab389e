"""Whose token and whose copy a call uses. An owner, or an account of another owner, looks like an unknown one."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, g
from sqlalchemy.orm import Session

from kommo import logs
from kommo.access import identity
from kommo.access.rules import Permission
from kommo.api.asked import Call
from kommo.api.errors import foreign_account, unknown_account
from kommo.api.waiting import seat
from kommo.connect.access import Access, inline, resolve
from kommo.connect.client import budget_for, longest_call, open_client
from kommo.crm.check import expired_instead
from kommo.crm.client import Kommo
from kommo.crm.errors import BadToken, TokenRefused
from kommo.db import reading
from kommo.services import Services
from kommo.store import connections
from kommo.store.connections import DEFAULT_OWNER
from kommo.store.tables import Connection


def services() -> Services:
    """The tools of this process."""
    found = current_app.extensions["kommo"]
    assert isinstance(found, Services)
    return found


def access(call: Call) -> Access:
    """The token of a call, in the contract's order. Raises BadToken, VaultError, and ApiError for a foreign account."""
    caller = identity.require()
    operator = caller.owner == DEFAULT_OWNER or caller.may(Permission.OWNERS)
    with reading(services().engine) as session:
        try:
            found = resolve(
                services(), session, given=call.jwt_token, user_id=call.user_id, account_id=call.account_id,
                environment=operator,
            )  # fmt: skip
        except BadToken:
            if call.jwt_token is None:
                _require_known(session, call)
            raise
        require_account(call, found.account_id)
        if found.account_id is not None:
            logs.bind(account=found.account_id)
        g.kommo_access = found  # what an error handler may have to speak of
        return found


def held(session: Session, call: Call) -> Connection | None:
    """The connection whose copy and runs a call is about; None where nothing was ever stored for its owner.

    It is that of `accountId`, else of the account that a token in the call names, else the last connected one.
    """
    account_id = call.account_id
    if call.jwt_token is not None:
        claimed = inline(call.jwt_token, services().settings).account_id
        require_account(call, claimed)
        account_id = account_id or claimed
        if account_id is None:
            return None
    if call.account_id is not None:
        _require_known(session, call)
    found = connections.current(session, call.user_id, account_id)
    if found is not None:
        logs.bind(account=found.account_id)
    return found


def require_held(session: Session, call: Call) -> Connection:
    """The connection that `held` gives. Raises ApiError (404) where there is none."""
    found = held(session, call)
    if found is None:
        raise unknown_account("Nenhuma conta está conectada para este userId.")
    return found


@contextmanager
def live(call: Call) -> Iterator[Kommo]:
    """A client for what a call reads at Kommo, while the call has a place. Raises ApiError for a foreign account."""
    found = access(call)
    with seat(), client(found) as kommo:
        if call.account_id is not None and found.account_id is None:  # the token does not say whose it is
            require_account(call, kommo.account().id)
        yield kommo


@contextmanager
def client(found: Access, *, within: float = math.inf) -> Iterator[Kommo]:
    """A client for a call's token, for `within` seconds at most. TokenRefused becomes TokenExpired where it is that."""
    tools = services()
    budget = budget_for(tools, found.account_id, is_demo=found.is_demo)
    within = min(within, longest_call(tools.settings))
    with open_client(tools, found.token, found.base_address, budget, purpose="api", within=within) as kommo:
        try:
            yield kommo
        except TokenRefused as error:
            raise expired_instead(error, found.claims, kommo.server_time or time.time()) from None


def require_account(call: Call, account_id: int | None) -> None:
    """Raise ApiError where a call names one account and its token is known to be another's."""
    if account_id is None or call.account_id in (None, account_id):
        return
    if call.jwt_token is not None:
        raise foreign_account()
    raise unknown_account()


def _require_known(session: Session, call: Call) -> None:
    if call.account_id is not None and connections.current(session, call.user_id, call.account_id) is None:
        raise unknown_account()
