"""The audit log: who did what, when, from where. Rows are appended in the transaction of what they tell of.

Never a personal value, never a secret: a person is named by their number at Kommo ("contato 123").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, or_, select
from sqlalchemy.orm import Session

from kommo.db import now, reading
from kommo.store.tables import Audit

PAGE_SIZE = 50
LONGEST = 200  # characters of an actor's name, an address or a subject
_LOT = 1000  # rows of an export in memory at once
KINDS = ("local", "user", "key", "shell", "system")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. `kind` is one of KINDS; `name` the user's or key's, `address` where the call came from."""

    kind: str
    name: str = ""
    address: str = ""


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of the log: of whose owner, of what; times are Unix seconds, `before` is a row's number.

    `owner` also gets the rows that are nobody's: of the shell, of the system, of a login that was refused.
    """

    owner: str
    action: str = ""
    kind: str = ""
    actor: str = ""
    since: float | None = None
    until: float | None = None
    before: int | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of the log, newest first; `older` is the `Wanted.before` of the next one, None at the end."""

    rows: list[Audit]
    older: int | None


def note(
    session: Session,
    actor: Actor,
    action: str,
    *,
    owner: str | None = None,
    account_id: int | None = None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one row, in the caller's transaction. `action` is a code of kommo.store.audit_words."""
    session.add(
        Audit(
            at=now(session),
            actor_kind=actor.kind,
            actor=actor.name[:LONGEST],
            address=actor.address[:LONGEST],
            action=action,
            owner=owner,
            account_id=account_id,
            subject=subject[:LONGEST],
            details=dict(details or {}),
        )
    )
    session.flush()


def page(session: Session, wanted: Wanted, size: int = PAGE_SIZE) -> AuditPage:
    """The newest rows that fit, `size` at most."""
    statement = select(Audit).where(*_conditions(wanted)).order_by(Audit.id.desc()).limit(size + 1)
    rows = list(session.scalars(statement))
    return AuditPage(rows[:size], rows[size - 1].id if len(rows) > size else None)


def every(engine: Engine, wanted: Wanted) -> Iterator[Audit]:
    """All rows that fit, newest first, a lot at a time: no transaction stays open while somebody takes them slowly."""
    while True:
        with reading(engine) as session:
            found = page(session, wanted, _LOT)
            session.expunge_all()
        yield from found.rows
        if found.older is None:
            return
        wanted = replace(wanted, before=found.older)


def actions(session: Session, owner: str) -> list[str]:
    """The codes that occur in this owner's log."""
    statement = select(Audit.action).where(*_conditions(Wanted(owner))).distinct().order_by(Audit.action)
    return list(session.scalars(statement))


def about(session: Session, owner: str, account_id: int, subject: str) -> list[Audit]:
    """What was done about one thing, oldest first."""
    statement = select(Audit).where(Audit.owner == owner, Audit.account_id == account_id, Audit.subject == subject)
    return list(session.scalars(statement.order_by(Audit.id)))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [or_(Audit.owner == wanted.owner, Audit.owner.is_(None))]
    if wanted.action:
        found.append(Audit.action == wanted.action)
    if wanted.kind:
        found.append(Audit.actor_kind == wanted.kind)
    if wanted.actor:
        found.append(Audit.actor == wanted.actor)
    if wanted.account_id is not None:
        found.append(Audit.account_id == wanted.account_id)
    if wanted.since is not None:
        found.append(Audit.at >= wanted.since)
    if wanted.until is not None:
        found.append(Audit.at < wanted.until)
    if wanted.before is not None:
        found.append(Audit.id < wanted.before)
    return found
