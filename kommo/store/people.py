"""The people who may use the panel."""

import re
from collections.abc import Sequence

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, now
from kommo.store import connections, login_sessions
from kommo.store.tables import Owner, User

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
ADMINISTRATOR = "administrator"


class PeopleError(ValueError):
    """What was asked for would not do; the text is a Portuguese sentence for the person."""


def clean_name(text: str) -> str | None:
    """A login name as it is kept; None for a text that can be nobody's."""
    name = text.strip().lower()
    return name if NAME.fullmatch(name) else None


def any_user(session: Session) -> bool:
    """Whether anybody was ever given access; whoever is disabled counts."""
    return session.execute(select(exists().where(User.id.is_not(None)))).scalar_one()


def by_name(session: Session, name: str) -> User | None:
    """The person of a login name."""
    return session.scalars(select(User).where(User.name == name)).one_or_none()


def by_id(session: Session, user_id: int) -> User | None:
    """The person of a number."""
    return session.get(User, user_id)


def everybody(session: Session) -> Sequence[User]:
    """All people, by name."""
    return session.scalars(select(User).order_by(User.name)).all()


def add(session: Session, name: str, role: str, password_hash: str, owner: str = connections.DEFAULT_OWNER) -> User:
    """Make a person. Raises PeopleError for a name that does not serve, or is taken."""
    kept = clean_name(name)
    if kept is None:
        raise PeopleError("O nome precisa de 2 a 64 letras sem acento, números ou . _ @ + -, sem espaços.")
    if by_name(session, kept) is not None:
        raise PeopleError(f"Já existe uma pessoa com o nome {kept}: escolha outro.")
    connections.ensure_owner(session, owner)
    moment = now(session)
    found = User(
        name=kept, role=role, password=password_hash, owner=owner, created_at=moment, password_at=moment, totp_step=0,
        disabled=False,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def add_first(session: Session, name: str, password_hash: str) -> User | None:
    """Make the first person, an administrator; None where somebody has access already. Raises PeopleError."""
    connections.ensure_owner(session, connections.DEFAULT_OWNER)
    session.execute(select(Owner.id).where(Owner.id == connections.DEFAULT_OWNER).with_for_update())  # one at a time
    return None if any_user(session) else add(session, name, ADMINISTRATOR, password_hash)


def set_totp(session: Session, user: User, sealed: str | None, step: int = 0, keep_session: int | None = None) -> None:
    """Turn the second factor on (its sealed secret, the half minute whose code proved it) or off (None).

    Turned on, every session of theirs ends, but the one in which they did it: it was begun without.
    """
    user.totp, user.totp_step = sealed, step
    session.flush()
    if sealed is not None:
        login_sessions.end_others(session, user.id, keep_session)


def set_password(session: Session, user: User, password_hash: str, keep_session: int | None = None) -> None:
    """Give a person another password; every session of theirs ends, but the one in which they did it."""
    user.password = password_hash
    user.password_at = now(session)
    session.flush()
    login_sessions.end_others(session, user.id, keep_session)


def change(session: Session, user: User, *, role: str | None = None, disabled: bool | None = None) -> None:
    """Change what a person may do. Raises PeopleError where nobody would be left to administer."""
    loses = (role is not None and role != ADMINISTRATOR) or disabled
    if loses:
        _require_another_administrator(session, user)
    if role is not None:
        user.role = role
    if disabled is not None:
        user.disabled = disabled
    session.flush()
    if disabled:
        login_sessions.end_others(session, user.id, None)


def remove(session: Session, user: User) -> None:
    """Take a person's access away, their sessions and keys with it. Raises PeopleError for the last administrator."""
    _require_another_administrator(session, user)
    session.delete(user)
    session.flush()


def seen(session: Session, user_id: int) -> None:
    """Note that a person logged in."""
    session.execute(update(User).where(User.id == user_id).values(seen_at=clock()))


def use_code(session: Session, user_id: int, step: int) -> bool:
    """Note that the second factor's code of a half minute was used; False where it was used before."""
    statement = update(User).where(User.id == user_id, User.totp_step < step).values(totp_step=step).returning(User.id)
    return session.execute(statement).scalar_one_or_none() is not None


def _require_another_administrator(session: Session, user: User) -> None:
    if user.role != ADMINISTRATOR or user.disabled:
        return
    # Locked in one order: two who take the role from each other at the same time must not both succeed.
    administrators = select(User.id).where(User.role == ADMINISTRATOR, User.disabled.is_(False)).order_by(User.id)
    if not set(session.scalars(administrators.with_for_update())) - {user.id}:
        raise PeopleError("Esta é a única pessoa que administra o painel: dê esse papel a outra antes.")
