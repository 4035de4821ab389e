"""When an account is synchronised by itself."""

from sqlalchemy import Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base


class Schedule(Base):
    """An account's timetable; no row: only when somebody asks.

    `every` is in minutes. `quiet_from`, `quiet_to` (no run begins between them) and `sweep_at` (the daily sweep) are
    minutes after midnight in the account's time zone, None where there is none. `next_at` and `next_sweep_at` are
    when the next ones are due (Unix seconds, the database's clock), None while paused.
    """

    __tablename__ = "schedule"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    every: Mapped[int]
    quiet_from: Mapped[int | None]
    quiet_to: Mapped[int | None]
    sweep_at: Mapped[int | None]
    paused: Mapped[bool] = mapped_column(default=False)
    next_at: Mapped[float | None] = mapped_column(Float)
    next_sweep_at: Mapped[float | None] = mapped_column(Float)
