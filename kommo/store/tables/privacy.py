"""What the law on people's data asks for: who did what, whose data must not come back, how long things are kept."""

from typing import Any

from sqlalchemy import BigInteger, Float, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base, Json, Key


class Audit(Base):
    """One thing somebody did. Never a personal value, never a secret; nothing points here, nothing here points away.

    `actor_kind` is local, user, key, shell or system; `address` where they came from. `action` is a code of
    `kommo.store.audit_words`; `subject` names what it was about by kind and number ("contato 123").
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"), Index("ix_audit_action", "action", "id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[float] = mapped_column(Float)
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    action: Mapped[str] = mapped_column(String(32))
    owner: Mapped[str | None] = mapped_column(String(64))
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class Suppression(Base):
    """A record of an account whose values were erased at a person's wish, and must not come back with a reading.

    It outlives the copy and the connection. A contact (`kind`) keeps nothing but its number; a deal keeps numbers,
    stages and dates, and no text; of a company the name is left out. No value of the person is kept, not even hashed.
    """

    __tablename__ = "suppression"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    remote_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    erased_at: Mapped[float] = mapped_column(Float)


class Keeping(Base):
    """How long one kind of thing is kept: `days`, None without limit."""

    __tablename__ = "keeping"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    days: Mapped[int | None]


class Scrub(Base):
    """A cleaning that SQLite's files still need, so that erased bytes are gone from them; the newest one counts.

    `asked_at` is when something was erased, `done_at` when the file had been written anew after that (None before).
    """

    __tablename__ = "scrub"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    asked_at: Mapped[float] = mapped_column(Float)
    done_at: Mapped[float | None] = mapped_column(Float)
