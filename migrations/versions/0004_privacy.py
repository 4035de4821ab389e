"""The audit log, people who were erased, how long things are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")
_LIVE, _GONE, _ERASED = "deleted_at IS NULL", "deleted_at IS NOT NULL", "erased_at IS NOT NULL"
_BEHIND = ["responsible_user_id", "pipeline_id", "stage_id"]
_LISTS = {
    "ix_Wallet_title": ["title_folded", "remote_id", *_BEHIND],
    "ix_Wallet_updated": ["updated_at", "remote_id", *_BEHIND],
    "ix_Wallet_balance": ["balance", "remote_id", *_BEHIND],
    "ix_Wallet_stage": ["pipeline_id", "stage_id", "closed_at", "balance", "responsible_user_id", "loss_reason_id"],
    "ix_Wallet_person": ["responsible_user_id"],
}


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_action", "audit", ["action", "id"])
    op.create_table(
        "suppression",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("erased_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "account_id", "kind", "remote_id", name=op.f("pk_suppression")),
    )
    op.create_table(
        "keeping",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keeping")),
    )
    op.create_table(
        "scrub",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scrub")),
    )
    op.add_column("Wallet", sa.Column("erased_at", sa.Float(), nullable=True))
    op.add_column("connection", sa.Column("disconnected_at", sa.Float(), nullable=True))
    op.add_column("sync_stream", sa.Column("erased", sa.Integer(), nullable=False, server_default="0"))
    if _on_postgresql():
        op.execute("UPDATE connection SET disconnected_at = extract(epoch from now()) WHERE token IS NULL")
    else:
        op.execute(
            "UPDATE connection SET disconnected_at = (julianday('now') - 2440587.5) * 86400.0 WHERE token IS NULL"
        )
    _index("deleted_at", "erased_at")
    _partial("ix_Wallet_erased", ["deleted_at"], _ERASED)
    _partial("ix_Wallet_gone", [], _GONE)


def _index(*last: str) -> None:
    """Make the lists' indexes anew, with these columns at their ends."""
    for name, columns in _LISTS.items():
        op.drop_index(name, "Wallet")
        _partial(name, [*columns, *last], _LIVE)


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        name, "Wallet", ["connection_id", "kind", *columns], sqlite_where=where, postgresql_where=where
    )


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def downgrade() -> None:
    op.drop_index("ix_Wallet_gone", "Wallet")
    op.drop_index("ix_Wallet_erased", "Wallet")
    _index("deleted_at")
    op.drop_column("sync_stream", "erased")
    op.drop_column("connection", "disconnected_at")
    op.drop_column("Wallet", "erased_at")
    for table in ("scrub", "keeping", "suppression", "audit"):
        op.drop_table(table)
