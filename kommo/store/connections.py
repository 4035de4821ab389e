"""Owners and their connected Kommo accounts. Every function takes the owner, so that two never mix."""

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, false, or_, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, now
from kommo.store import marks, sealed
from kommo.store.tables import Connection, Owner
from kommo.vault import VERSION, Vault, VaultError

DEFAULT_OWNER = "1"


@dataclass(frozen=True, slots=True)
class Account:
    """What a test found out: what the token claims and what Kommo says of the account."""

    account_id: int
    base_address: str
    token_hint: str
    scopes: tuple[str, ...]
    issued_at: int | None
    expires_at: int | None
    base_domain: str = "kommo.com"
    name: str = ""
    subdomain: str = ""
    currency: str = "BRL"
    timezone: str = "America/Sao_Paulo"
    is_demo: bool = False
    details: dict[str, Any] = field(default_factory=dict)


def ensure_owner(session: Session, user_id: str) -> Owner:
    """The owner of this key, made when it is the first time something is stored for it."""
    owner = session.get(Owner, user_id)
    if owner is None:
        owner = Owner(id=user_id, created_at=now(session))
        session.add(owner)
        session.flush()
    return owner


def save(session: Session, vault: Vault, user_id: str, account: Account, token: str) -> Connection:
    """Connect an account, or give a known one its new token; the token is stored sealed. Raises VaultError."""
    ensure_owner(session, user_id)
    moment = now(session)  # asked before the row is added: a query would flush it half filled
    found = by_account(session, user_id, account.account_id)
    if found is None:
        found = Connection(user_id=user_id, account_id=account.account_id)
        session.add(found)
    elif found.token_hint != account.token_hint:  # another token may see more, or less
        marks.require_sweep(session, found.id)
    found.base_address = account.base_address
    found.is_demo = account.is_demo
    found.token = sealed.seal(session, vault, token, found.place)
    found.token_hint = account.token_hint
    found.token_refused = False
    found.scopes = list(account.scopes)
    found.issued_at = account.issued_at
    found.expires_at = account.expires_at
    found.base_domain = account.base_domain
    found.connected_at = moment
    found.disconnected_at = None
    found.erasing = False
    describe(found, account.name, account.subdomain, account.currency, account.timezone, account.details)
    session.flush()
    return found


def describe(
    connection: Connection, name: str, subdomain: str, currency: str, timezone: str, details: dict[str, Any]
) -> None:
    """Note what Kommo says of the account itself; an empty text keeps what was known."""
    connection.name = name or connection.name or f"Conta {connection.account_id}"
    connection.subdomain = subdomain or connection.subdomain or ""
    connection.currency = currency or connection.currency or "BRL"
    connection.timezone = timezone or connection.timezone or "America/Sao_Paulo"
    connection.account = details or connection.account or {}


def by_account(session: Session, user_id: str, account_id: int) -> Connection | None:
    """This owner's connection to one account, with or without a token."""
    return session.scalars(
        select(Connection).where(Connection.user_id == user_id, Connection.account_id == account_id)
    ).one_or_none()


def by_id(session: Session, user_id: str, connection_id: int) -> Connection | None:
    """This owner's connection of one number; another owner's looks like an unknown one."""
    return session.scalars(
        select(Connection).where(Connection.user_id == user_id, Connection.id == connection_id)
    ).one_or_none()


def all_of(session: Session, user_id: str) -> list[Connection]:
    """This owner's connections, the last connected first; those being erased are gone already."""
    statement = (
        select(Connection)
        .where(Connection.user_id == user_id, Connection.erasing.is_(False))
        .order_by(Connection.connected_at.desc(), Connection.id.desc())
    )
    return list(session.scalars(statement))


def current(session: Session, user_id: str, account_id: int | None = None) -> Connection | None:
    """The connection that counts: the one of `account_id`, else the last connected one, one with a token first."""
    found = all_of(session, user_id)
    if account_id is not None:
        return next((connection for connection in found if connection.account_id == account_id), None)
    return next((connection for connection in found if connection.token), found[0] if found else None)


def open_token(vault: Vault, connection: Connection) -> str | None:
    """The stored token in clear; None after a disconnect. Raises VaultError under another key."""
    return vault.open(connection.token, connection.place) if connection.token else None


def forget_token(session: Session, connection: Connection) -> None:
    """Disconnect: the token is removed, the copy stays."""
    if connection.token is not None or connection.disconnected_at is None:
        connection.disconnected_at = now(session)
    connection.token = None
    connection.token_hint = None


def lock_of(vault: Vault, connection: Connection) -> VaultError | None:
    """Why the stored token does not open here: its key is missing, or it is damaged. None where it does, or is gone."""
    return vault.trouble(connection.token, connection.place) if connection.token else None


def token_trouble(
    connection: Connection, moment: float, vault: Vault
) -> Literal["missing", "refused", "expired", "locked"] | None:
    """Why no run of this connection could succeed at `moment` (Unix seconds); None where its token is of use."""
    if not connection.token:
        return "missing"
    if connection.token_refused:
        return "refused"
    if connection.expires_at is not None and connection.expires_at <= moment:
        return "expired"
    return "locked" if lock_of(vault, connection) else None


def usable(vault: Vault) -> ColumnElement[bool]:
    """The condition for a connection without such a trouble now, whose copy nobody erases.

    A token that is damaged passes: only opening it tells.
    """
    lasting = or_(Connection.expires_at.is_(None), Connection.expires_at > clock())
    opens = [Connection.token.startswith(f"{VERSION}:{key_id}:", autoescape=True) for key_id in vault.key_ids]
    return and_(
        Connection.token.is_not(None),
        or_(false(), *opens),
        Connection.token_refused.is_(False),
        Connection.erasing.is_(False),
        lasting,
    )


def is_fresh(session: Session, connection_id: int, within: float) -> bool:
    """Whether the account was connected, and described itself, less than so many seconds ago, and its token holds."""
    statement = select(Connection.id).where(
        Connection.id == connection_id,
        Connection.connected_at > clock() - within,
        Connection.token_refused.is_(False),
    )
    return session.execute(statement).first() is not None


def any_demo(session: Session) -> list[Connection]:
    """Every connection of the demonstration account that still has its token."""
    return list(session.scalars(select(Connection).where(Connection.is_demo, Connection.token.is_not(None))))


def mark_refused(session: Session, connection: Connection, refused: bool = True) -> bool:
    """Note whether Kommo refused or took the token this row was read with; False where it has another one by now."""
    statement = (
        update(Connection)
        .where(Connection.id == connection.id, Connection.token == connection.token)
        .values(token_refused=refused)
        .returning(Connection.id)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def set_demo_address(session: Session, address: str) -> None:
    """The demonstration account was started anew, maybe on another port."""
    for connection in any_demo(session):
        connection.base_address = address
