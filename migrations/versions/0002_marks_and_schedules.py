"""What later runs, schedules and the open budget stand on; our own numbers get 64 bits on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RUN_TABLES = ("sync_stream", "sync_band", "sync_seen", "sync_candidate")
# (table, column): 32 bits until now.
_NUMBERS = (
    ("Wallet", "id"), ("search_pending", "wallet_id"), ("sync_run", "id"), ("company", "checked_run"),
    *((table, "run_id") for table in _RUN_TABLES),
)  # fmt: skip
_CLAIMS = 12  # bits: until now a reading's number began with the run's and 36 bits, from now on with 24 of a claim's


def _connection_key() -> sa.Column:
    return sa.Column("connection_id", sa.Integer(), nullable=False)


def _of_connection(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_connection_id_connection")
    return sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    _widen(sa.BigInteger())
    op.add_column("connection", sa.Column("claims", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE connection SET claims = (SELECT (coalesce(max(id), 0) + 1) FROM sync_run) * " + str(1 << _CLAIMS)
    )
    op.drop_column("connection", "catalogues_at")
    op.add_column("rate_slot", sa.Column("pace", sa.Float(), nullable=False, server_default="1"))
    op.add_column("rate_slot", sa.Column("slowed_at", sa.Float(), nullable=False, server_default="0"))
    op.add_column("rate_slot", sa.Column("sync_at", sa.Float(), nullable=False, server_default="0"))
    op.add_column("sync_run", sa.Column("mode", sa.String(length=8), nullable=True))
    for name in ("sampled", "differed", "proof_requests"):
        op.add_column("sync_stream", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sync_stream", sa.Column("proved_at", sa.Float(), nullable=True))
    op.add_column("sync_stream", sa.Column("cursor", sa.BigInteger(), nullable=True))
    _create()
    # A person's word was asked for by the run; from now on it is asked for by the copy.
    op.execute(
        "INSERT INTO sync_missing (connection_id, stream, remote_id, run_id) "
        "SELECT sync_run.connection_id, stream, remote_id, sync_run.id FROM sync_candidate "
        "JOIN sync_run ON sync_run.id = sync_candidate.run_id WHERE verdict = 'guarded' AND sync_run.id IN "
        "(SELECT max(id) FROM sync_run GROUP BY connection_id)"
    )
    op.execute("DELETE FROM sync_candidate WHERE verdict = 'guarded'")


def _create() -> None:
    op.create_table(
        "rate_use",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "minute", "purpose", name=op.f("pk_rate_use")),
    )
    op.create_table(
        "catalogue_read",
        _connection_key(),
        sa.Column("catalogue", sa.String(length=24), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        _of_connection("catalogue_read"),
        sa.PrimaryKeyConstraint("connection_id", "catalogue", name=op.f("pk_catalogue_read")),
    )
    op.create_table(
        "sync_mark",
        _connection_key(),
        sa.Column("feed", sa.String(length=12), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("kommo_time", "marked_at", "swept_at", "refused_at")),
        _of_connection("sync_mark"),
        sa.PrimaryKeyConstraint("connection_id", "feed", name=op.f("pk_sync_mark")),
    )
    op.create_table(
        "sync_event",
        _connection_key(),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _of_connection("sync_event"),
        sa.PrimaryKeyConstraint("connection_id", "event_id", name=op.f("pk_sync_event")),
    )
    op.create_table(
        "sync_missing",
        _connection_key(),
        sa.Column("stream", sa.String(length=12), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        _of_connection("sync_missing"),
        sa.PrimaryKeyConstraint("connection_id", "stream", "remote_id", name=op.f("pk_sync_missing")),
    )
    op.create_table(
        "schedule",
        _connection_key(),
        sa.Column("every", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("quiet_from", "quiet_to", "sweep_at")),
        sa.Column("paused", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("next_at", "next_sweep_at")),
        _of_connection("schedule"),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_schedule")),
    )


def _widen(kind: sa.Integer) -> None:
    """Give our own numbers another width; SQLite's integers have 64 bits anyway."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in _NUMBERS:
        op.alter_column(table, column, type_=kind)
    op.alter_column("rate_slot", "requests", type_=kind)
    for sequence in ("Wallet_id_seq", "sync_run_id_seq"):
        op.execute(f'ALTER SEQUENCE "{sequence}" AS {"bigint" if isinstance(kind, sa.BigInteger) else "integer"}')


def downgrade() -> None:
    for table in ("schedule", "sync_missing", "sync_event", "sync_mark", "catalogue_read", "rate_use"):
        op.drop_table(table)
    for name in ("cursor", "proved_at", "proof_requests", "differed", "sampled"):
        op.drop_column("sync_stream", name)
    op.drop_column("sync_run", "mode")
    op.drop_column("rate_slot", "sync_at")
    op.drop_column("rate_slot", "slowed_at")
    op.drop_column("rate_slot", "pace")
    op.add_column("connection", sa.Column("catalogues_at", sa.Float(), nullable=True))
    op.drop_column("connection", "claims")
    _widen(sa.Integer())
