"""The request budget: when the next request may leave, and who used how many."""

from sqlalchemy import BigInteger, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base, Key


class RateSlot(Base):
    """The request budget of one scope: when the next request may leave, after a 429 too, and whether Kommo blocked us.

    Times are Unix seconds of the database's clock. `pace` is the share of the full speed that the last 429 left, at
    `slowed_at`; it comes back step by step from there. `sync_at` is when the newest slot of a sync begins.
    """

    __tablename__ = "rate_slot"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_at: Mapped[float] = mapped_column(Float, default=0.0)
    slow_until: Mapped[float] = mapped_column(Float, default=0.0)
    blocked_until: Mapped[float] = mapped_column(Float, default=0.0)
    pace: Mapped[float] = mapped_column(Float, default=1.0)
    slowed_at: Mapped[float] = mapped_column(Float, default=0.0)
    sync_at: Mapped[float] = mapped_column(Float, default=0.0)
    requests: Mapped[int] = mapped_column(Key, default=0)


class RateUse(Base):
    """Requests of one scope in one minute (Unix seconds // 60), by purpose (sync, page, api); `refused` met a 429."""

    __tablename__ = "rate_use"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    purpose: Mapped[str] = mapped_column(String(8), primary_key=True)
    requests: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
