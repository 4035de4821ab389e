"""Which workers there are: each says so itself, while it can write."""

from sqlalchemy import BigInteger, Float, Text
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base


class WorkerSeen(Base):
    """A worker process: since when it runs, when it last wrote, and what it holds. Times are the database's clock.

    `memory` is in bytes and `files` its open files and sockets, None where the system does not tell.
    """

    __tablename__ = "worker_seen"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    started_at: Mapped[float] = mapped_column(Float)
    seen_at: Mapped[float] = mapped_column(Float)
    memory: Mapped[int | None] = mapped_column(BigInteger)
    files: Mapped[int | None]
