"""Every sealed text of the database: where they are, sealing one, and sealing all anew under the ring's first key.

A key may leave the ring when no row needs it. So whoever seals does it in the transaction that stores the row, and
those who change the ring keep all of them out meanwhile (`alone`): nobody stores a text under a key that is gone.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Engine, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from kommo.db import reading, writing
from kommo.store.tables import Connection, User
from kommo.vault import Damaged, KeyMissing, Vault, VaultError, key_id_of

_LOCK = 7_362_402  # our advisory lock on PostgreSQL: held in common to seal, alone to change the ring


@dataclass(frozen=True, slots=True)
class Holder:
    """A column that holds sealed texts, and what the text of a row of its table is bound to."""

    column: InstrumentedAttribute[Any]
    place: Callable[[Any], str]


#: Who seals something new adds its column here: a rotation reaches what stands in this list, and nothing else.
HOLDERS: tuple[Holder, ...] = (
    Holder(Connection.token, lambda row: row.place),
    Holder(User.totp, lambda row: row.place),
)


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of the rows: `done` sealed anew; `missing` are under keys that are not here, by key id; `damaged`."""

    done: int
    missing: dict[str, int]
    damaged: int


def seal(session: Session, vault: Vault, secret: str, place: str) -> str:
    """`secret` sealed for `place`, to be stored in this very transaction. Raises VaultError where there is no key."""
    _lock(session, "pg_advisory_xact_lock_shared")
    return vault.seal(secret, place)


@contextmanager
def alone(engine: Engine) -> Iterator[Session]:
    """A write transaction during which nobody else seals anything, for changing the ring."""
    with writing(engine) as session:
        _lock(session, "pg_advisory_xact_lock")
        yield session


def in_use(session: Session) -> dict[str, int]:
    """How many sealed texts name each key; what is no sealed text stands under the empty id."""
    found: Counter[str] = Counter()
    for holder in HOLDERS:
        found.update(
            key_id_of(sealed) for sealed in session.scalars(select(holder.column).where(holder.column.is_not(None)))
        )
    return dict(found)


def missing(session: Session, vault: Vault) -> list[str]:
    """The ids of the keys that rows need and the ring does not have."""
    here = vault.key_ids
    return sorted(name for name in in_use(session) if name and name not in here)


def waiting(session: Session, vault: Vault) -> bool:
    """Whether a text under another key than the first one can be sealed anew."""
    return any(
        isinstance(_anew(vault, holder, row), str)
        for holder in HOLDERS
        for row in session.scalars(select(holder.column.class_).where(holder.column.is_not(None)))
    )


def reseal(engine: Engine, vault: Vault) -> Resealed:
    """Seal every row under the ring's first key, each in a transaction of its own that others hardly notice."""
    done, damaged, missing_ = 0, 0, Counter[str]()
    for holder in HOLDERS:
        with reading(engine) as session:
            keys = list(session.scalars(select(_key(holder)).where(holder.column.is_not(None)).order_by(_key(holder))))
        for key in keys:
            found = _reseal_one(engine, vault, holder, key)
            done += found is True
            damaged += isinstance(found, Damaged)
            if isinstance(found, KeyMissing):
                missing_[found.key_id] += 1
    return Resealed(done, dict(missing_), damaged)


def _reseal_one(engine: Engine, vault: Vault, holder: Holder, key: Any) -> bool | VaultError:
    """Whether the row needed it and has it; why it could not be."""
    with writing(engine) as session:
        _lock(session, "pg_advisory_xact_lock_shared")
        table = holder.column.class_
        row = session.scalars(select(table).where(_key(holder) == key).with_for_update()).one_or_none()
        found = False if row is None else _anew(vault, holder, row)
        if isinstance(found, str):
            session.execute(update(table).where(_key(holder) == key).values({holder.column.key: found}))
            return True
        return found


def _anew(vault: Vault, holder: Holder, row: Any) -> str | Literal[False] | VaultError:
    """The row's text under the first key; False where it is so already, or there is none; why it does not open."""
    sealed, place = getattr(row, holder.column.key), holder.place(row)
    if sealed is None or key_id_of(sealed) == vault.key_id:
        return False
    try:
        return vault.seal(vault.open(sealed, place), place)
    except VaultError as error:
        return error


def _key(holder: Holder) -> Column[Any]:
    """The primary key of a holder's table; it has one column."""
    return next(iter(holder.column.class_.__table__.primary_key))


def _lock(session: Session, function: str) -> None:
    """SQLite needs none: its one writer has the whole database to itself. Flushes nothing: a row may be half filled."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text(f"SELECT {function}(:key)"), {"key": _LOCK})
