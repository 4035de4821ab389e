"""What a synchronisation is, was and still has to do: the truth that survives a killed worker."""

from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base, Json, Key

#: States in which a run still has work to do; one such run an account.
ACTIVE = ("queued", "running", "paused")
SWEEP, DELTA = "sweep", "delta"  # what a run reads: everything, or what changed
ACTIVE_SQL = text("state IN ('queued', 'running', 'paused')")


class SyncRun(Base):
    """One synchronisation of one connected account. Times are Unix seconds of the database's clock.

    A worker owns it while `fence` is the number it claimed with; `lease_until` is renewed while it lives. `mode` is
    SWEEP or DELTA; None lets the worker decide.
    """

    __tablename__ = "sync_run"
    __table_args__ = (
        Index("uq_sync_run_active", "connection_id", unique=True, sqlite_where=ACTIVE_SQL, postgresql_where=ACTIVE_SQL),
        Index("ix_sync_run_connection", "connection_id", "id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"))
    trigger: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12), default="queued")
    phase: Mapped[str] = mapped_column(String(16), default="queued")
    requested_at: Mapped[float] = mapped_column(Float)
    started_at: Mapped[float | None] = mapped_column(Float)
    finished_at: Mapped[float | None] = mapped_column(Float)
    resume_at: Mapped[float | None] = mapped_column(Float)
    pauses: Mapped[int] = mapped_column(default=0)
    cancel: Mapped[bool] = mapped_column(default=False)
    worker: Mapped[str | None] = mapped_column(Text)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    server_started_at: Mapped[int | None] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[str | None] = mapped_column(Text)
    errors: Mapped[list[str]] = mapped_column(Json, default=list)
    warnings: Mapped[list[str]] = mapped_column(Json, default=list)


class SyncStream(Base):
    """One stream (contacts or deals) of a run: how far it is, and what came of it.

    `rows` counts different records read; `total` and `pages_total` are what was found before reading.
    `cursor` is how far a delta has come (Kommo's Unix seconds). The proof at the end: `remote_count`, `local_count`,
    `erased` (of Kommo's, kept out here at a person's wish; the local count is without them), `sampled` records looked
    at a second time of which `differed` were not as held, at `proved_at` (our clock), with `proof_requests`.
    """

    __tablename__ = "sync_stream"

    run_id: Mapped[int] = mapped_column(Key, ForeignKey("sync_run.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    read_pass: Mapped[int] = mapped_column(default=1)
    ordered: Mapped[bool] = mapped_column(default=True)
    total: Mapped[int | None] = mapped_column(Integer)
    pages_total: Mapped[int | None] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[float | None] = mapped_column(Float)
    finished_at: Mapped[float | None] = mapped_column(Float)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    malformed: Mapped[int] = mapped_column(default=0)
    remote_count: Mapped[int | None] = mapped_column(Integer)
    local_count: Mapped[int | None] = mapped_column(Integer)
    erased: Mapped[int] = mapped_column(default=0)
    sampled: Mapped[int] = mapped_column(default=0)
    differed: Mapped[int] = mapped_column(default=0)
    proof_requests: Mapped[int] = mapped_column(default=0)
    proved_at: Mapped[float | None] = mapped_column(Float)
    cursor: Mapped[int | None] = mapped_column(BigInteger)
    notes: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class SyncBand(Base):
    """A contiguous range of pages of one reading pass, read from its highest page downward.

    `next_page` is the page to ask for next (0: none left); `top_id` the highest id of its first answer.
    """

    __tablename__ = "sync_band"

    run_id: Mapped[int] = mapped_column(Key, ForeignKey("sync_run.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(12), primary_key=True)
    read_pass: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    band: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_page: Mapped[int] = mapped_column(Integer)
    next_page: Mapped[int] = mapped_column(Integer)
    top_id: Mapped[int | None] = mapped_column(BigInteger)
    done: Mapped[bool] = mapped_column(default=False)


class SyncSeen(Base):
    """A record met in a run: in which reading pass last, and what that did to the copy (c, u, n, d)."""

    __tablename__ = "sync_seen"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[int] = mapped_column(Key, ForeignKey("sync_run.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(12), primary_key=True)
    remote_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    read_pass: Mapped[int] = mapped_column(Integer)
    change: Mapped[str] = mapped_column(String(1))


class SyncCandidate(Base):
    """A record that may be gone from Kommo: to be asked for by id before it is buried.

    `evidence` says why it is suspected, `verdict` what came of it (kommo.store.candidates). Beside contacts and deals,
    `stream` names what else has to be asked for: companies by name, and the links of contacts and of companies.
    """

    __tablename__ = "sync_candidate"

    run_id: Mapped[int] = mapped_column(Key, ForeignKey("sync_run.id", ondelete="CASCADE"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(12), primary_key=True)
    remote_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    evidence: Mapped[str] = mapped_column(String(12))
    verdict: Mapped[str | None] = mapped_column(String(8))
