"""How far a copy has come: what lets a later run read only what changed, and what it must not forget meanwhile."""

from sqlalchemy import BigInteger, Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base, Key


class SyncMark(Base):
    """The watermark of one feed of an account (contacts, deals, companies, events): all before `mark` is in the copy.

    `mark` and `kommo_time` are Kommo's Unix seconds: the newest change taken in, by the clock that stamps records, and
    the `Date` of the answers at that moment; `marked_at` is that moment by our database's clock. `swept_at` is the
    start of the last complete sweep, `refused_at` when Kommo last refused the feed (both our clock).
    """

    __tablename__ = "sync_mark"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    feed: Mapped[str] = mapped_column(String(12), primary_key=True)
    mark: Mapped[int | None] = mapped_column(BigInteger)
    kommo_time: Mapped[float | None] = mapped_column(Float)
    marked_at: Mapped[float | None] = mapped_column(Float)
    swept_at: Mapped[float | None] = mapped_column(Float)
    refused_at: Mapped[float | None] = mapped_column(Float)


class SyncEvent(Base):
    """An event of Kommo that was acted upon, for as long as the feed's overlap brings it again."""

    __tablename__ = "sync_event"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[int] = mapped_column(BigInteger)


class SyncMissing(Base):
    """A live record of the copy that Kommo does not give any more, kept until a person says that it is gone.

    `run_id` is the run that found it missing: a person's word is good for what that run found, no more.
    """

    __tablename__ = "sync_missing"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(12), primary_key=True)
    remote_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    run_id: Mapped[int] = mapped_column(Key)
