"""The browsers that are logged in: begun, looked up at every request, listed, ended on the server."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, now
from kommo.store.tables import LoginSession, User

IDLE = 12 * 3600.0  # seconds without a request after which a session is over
LONGEST = 7 * 86400.0  # seconds after which it is over in any case
_SEEN = 60.0  # seconds between two notes of its last request
_AGENT = 200  # characters kept of what the browser says it is


@dataclass(frozen=True, slots=True)
class Found:
    """A session that is going on, with the person it is of."""

    id: int
    user_id: int
    name: str
    owner: str
    role: str
    note_due: bool  # its last request is to be noted


def begin(session: Session, user_id: int, address: str, agent: str) -> str:
    """Begin a session; gives the text that its cookie holds, of which only the hash is kept. Old ones are cleared."""
    token = secrets.token_urlsafe(32)
    moment = now(session)
    session.execute(delete(LoginSession).where(_is_over(moment)))
    session.add(
        LoginSession(
            user_id=user_id, token_hash=_hash(token), address=address[:64], agent=_printable(agent), created_at=moment,
            seen_at=moment,
        )
    )  # fmt: skip
    session.flush()
    return token


def find(session: Session, token: str) -> Found | None:
    """The session of a cookie's text; None for one that is over, was ended, or is of a person who may no longer."""
    moment = clock()
    statement = (
        select(LoginSession, User, moment)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.token_hash == _hash(token), User.disabled.is_(False))
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    held, user, at = row
    if held.seen_at < at - IDLE or held.created_at < at - LONGEST:
        return None
    return Found(held.id, user.id, user.name, user.owner, user.role, held.seen_at < at - _SEEN)


def note(session: Session, session_id: int, address: str) -> None:
    """Note that a session had a request just now."""
    session.execute(
        update(LoginSession).where(LoginSession.id == session_id).values(seen_at=clock(), address=address[:64])
    )


def of_user(session: Session, user_id: int) -> Sequence[LoginSession]:
    """A person's sessions that are going on, the last used first."""
    moment = now(session)
    statement = (
        select(LoginSession)
        .where(LoginSession.user_id == user_id, ~_is_over(moment))
        .order_by(LoginSession.seen_at.desc(), LoginSession.id.desc())
    )
    return session.scalars(statement).all()


def end(session: Session, user_id: int, session_id: int) -> bool:
    """End one of a person's sessions; False where they have none of that number."""
    statement = (
        delete(LoginSession)
        .where(and_(LoginSession.id == session_id, LoginSession.user_id == user_id))
        .returning(LoginSession.id)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def end_others(session: Session, user_id: int, kept: int | None) -> None:
    """End all of a person's sessions but the one that is kept."""
    statement = delete(LoginSession).where(LoginSession.user_id == user_id)
    session.execute(statement if kept is None else statement.where(LoginSession.id != kept))


def _is_over(moment: float) -> ColumnElement[bool]:
    return (LoginSession.seen_at < moment - IDLE) | (LoginSession.created_at < moment - LONGEST)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:_AGENT]
