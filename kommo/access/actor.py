"""Who makes the request in hand, for the audit log."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from kommo.access import identity
from kommo.store import audit
from kommo.store.audit import Actor


def actor() -> Actor:
    """Who calls and from where; somebody unknown (a refused login) has no name: what was typed may be a password."""
    caller = identity.current()
    address = request.remote_addr or ""
    if caller is None:
        return Actor("system", "", address)
    return Actor(caller.kind, "" if caller.kind == "local" else caller.name, address)


def note(session: Session, action: str, subject: str = "", **details: Any) -> None:
    """Append to the audit log, in the caller's transaction, that the caller did something."""
    caller = identity.current()
    audit.note(session, actor(), action, owner=caller.owner if caller else None, subject=subject, details=details)
