"""The keys of people's programs: shown once, kept as a hash, limited in what they may do, revocable."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from kommo.db import clock, now
from kommo.store.people import PeopleError
from kommo.store.tables import ApiKey, User

PREFIX = "pk_"  # so that a key is known as one where it should not be
MOST = 20  # keys of one person
_SEEN = 60.0  # seconds between two notes of its last use


@dataclass(frozen=True, slots=True)
class Found:
    """A key that holds, with the person who made it; `scopes` are the permissions it was given."""

    id: int
    name: str
    user_id: int
    owner: str
    role: str
    scopes: tuple[str, ...]
    note_due: bool


def make(
    session: Session, user_id: int, name: str, scopes: Iterable[str], expires_at: float | None = None
) -> tuple[ApiKey, str]:
    """Make a key; gives its row and the key itself, which is not kept. Raises PeopleError for what does not serve."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise PeopleError("Dê à chave um nome de 1 a 64 caracteres, que diga qual programa a usa.")
    given = sorted(set(scopes))
    if not given:
        raise PeopleError("Escolha ao menos uma permissão para a chave.")
    if len(of_user(session, user_id)) >= MOST:
        raise PeopleError(f"Cada pessoa pode ter até {MOST} chaves: revogue uma que não se usa mais.")
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        user_id=user_id, name=name, key_hash=hash_of(key), hint=key[:8], scopes=given, created_at=now(session),
        expires_at=expires_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row, key


def find(session: Session, key: str) -> Found | None:
    """The key that a program sent; None for one that is unknown, revoked, over, or of a person who may no longer."""
    moment = clock()
    statement = (
        select(ApiKey, User, moment)
        .join(User, User.id == ApiKey.user_id)
        .where(
            ApiKey.key_hash == hash_of(key),
            User.disabled.is_(False),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > moment),
        )
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    held, user, at = row
    due = held.used_at is None or held.used_at < at - _SEEN
    return Found(held.id, held.name, user.id, user.owner, user.role, tuple(held.scopes), due)


def note(session: Session, key_id: int) -> None:
    """Note that a key was used just now."""
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(used_at=clock()))


def of_user(session: Session, user_id: int) -> Sequence[ApiKey]:
    """A person's keys, the newest first."""
    return session.scalars(select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.id.desc())).all()


def everyones(session: Session) -> Sequence[tuple[ApiKey, User]]:
    """All keys with whose they are."""
    statement = select(ApiKey, User).join(User, User.id == ApiKey.user_id).order_by(User.name, ApiKey.id.desc())
    return [(key, user) for key, user in session.execute(statement)]


def revoke(session: Session, key_id: int, user_id: int | None = None) -> ApiKey | None:
    """Revoke a key, of this person where one is named; gives what it was, None where there is none."""
    found = session.get(ApiKey, key_id)
    if found is None or user_id not in (None, found.user_id):
        return None
    session.execute(delete(ApiKey).where(ApiKey.id == key_id))
    return found


def hash_of(key: str) -> str:
    """What is kept of a key: it has 256 random bits, so a fast hash serves."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
