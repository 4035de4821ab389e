"""Failed logins, counted in the database: of a name and from an address; for a while nothing more is tried.

Where somebody has logged in lately, theirs are counted apart: whoever knows a name locks nobody out of their own place.
"""

import hashlib

from sqlalchemy import case, delete, select
from sqlalchemy.orm import Session

from kommo.addresses import network_of
from kommo.db import now
from kommo.store.tables import Attempt
from kommo.store.upsert import insert_for

OF_NAME, FROM_ADDRESS = 5, 30  # failures in a row until nothing more is tried
FORGOTTEN = 15 * 60.0  # seconds without a failure after which they are forgotten
OWN_PLACE = 30 * 86_400.0  # seconds for which a place is somebody's own after a login there
LOCK, LONGEST_LOCK = 60.0, 15 * 60.0  # seconds; doubles with each failure after a lock


def name_key(name: str) -> str:
    """The subject of a login name. Hashed: what was typed may be a password, or a person's address."""
    return "name:" + hashlib.sha256(name.encode(errors="replace")).hexdigest()


def place_key(name: str, address: str) -> str:
    """The subject of a login name at its own place: the network of an address from which it logged in."""
    return "own:" + hashlib.sha256(f"{name} {network_of(address)}".encode(errors="replace")).hexdigest()


def name_subject(session: Session, name: str, address: str) -> str:
    """What the failures of a name from an address are counted under."""
    own = place_key(name, address)
    return own if session.get(Attempt, own) is not None else name_key(name)


def address_key(address: str) -> str:
    """The subject of a network address, or of the network that an IPv6 one is from: its owner has 2**64 of them."""
    return "from:" + network_of(address)[:64]


def locked_for(session: Session, subjects: list[str]) -> float:
    """The seconds that are left of the longest lock of these; 0 where they are free."""
    latest = session.execute(
        select(Attempt.locked_until).where(Attempt.subject.in_(subjects)).order_by(Attempt.locked_until.desc()).limit(1)
    ).scalar_one_or_none()
    return max((latest or 0.0) - now(session), 0.0)


def fail(session: Session, subject: str, most: int) -> bool:
    """Count one failure; gives whether it locks the subject. What is long past is forgotten."""
    moment = now(session)
    kept = case((Attempt.subject.like("own:%"), OWN_PLACE), else_=FORGOTTEN)
    session.execute(delete(Attempt).where(Attempt.last_at < moment - kept, Attempt.locked_until < moment))
    table = Attempt.__table__
    statement = insert_for(session.get_bind().dialect.name, table)  # type: ignore[arg-type]
    statement = statement.values(subject=subject, failures=1, last_at=moment, locked_until=0.0)
    counted = case((table.c.last_at < moment - FORGOTTEN, 1), else_=table.c.failures + 1)
    statement = statement.on_conflict_do_update(
        index_elements=["subject"], set_={"failures": counted, "last_at": moment}
    )
    failures = session.execute(statement.returning(table.c.failures)).scalar_one()
    if failures < most:
        return False
    held = session.get(Attempt, subject)
    assert held is not None
    held.locked_until = moment + min(LOCK * 2 ** min(failures - most, 10), LONGEST_LOCK)
    session.flush()
    return True


def succeed(session: Session, name: str, address: str) -> None:
    """Forget the failures of a name that has shown that it is who it says; the place is its own from now on."""
    own = place_key(name, address)
    session.execute(delete(Attempt).where(Attempt.subject.in_([own, name_key(name)])))
    session.add(Attempt(subject=own, failures=0, last_at=now(session), locked_until=0.0))
    session.flush()
