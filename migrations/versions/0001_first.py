"""The first schema: owners, connections, the copy, its catalogues, the runs and the search index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "owner",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
    )
    op.create_table(
        "rate_slot",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("slow_until", sa.Float(), nullable=False),
        sa.Column("blocked_until", sa.Float(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_rate_slot")),
    )
    op.create_table(
        "search_pending",
        sa.Column("wallet_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("wallet_id", name=op.f("pk_search_pending")),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("base_address", sa.Text(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("token_hint", sa.Text(), nullable=True),
        sa.Column("token_refused", sa.Boolean(), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("base_domain", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subdomain", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("account", JSON, nullable=False),
        sa.Column("connected_at", sa.Float(), nullable=False),
        sa.Column("catalogues_at", sa.Float(), nullable=True),
        sa.Column("erasing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["owner.id"], name=op.f("fk_connection_user_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("user_id", "account_id", name=op.f("uq_connection_user_id_account_id")),
    )
    op.create_table(
        "Wallet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("balance", sa.Float(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_folded", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("responsible_user_id", sa.BigInteger(), nullable=True),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=True),
        sa.Column("stage_id", sa.BigInteger(), nullable=True),
        sa.Column("loss_reason_id", sa.BigInteger(), nullable=True),
        sa.Column("company_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.Float(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("metadata", JSON, nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_Wallet_connection_id_connection")),
        sa.ForeignKeyConstraint(["user_id"], ["owner.id"], name=op.f("fk_Wallet_user_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_Wallet")),
        sa.UniqueConstraint("connection_id", "kind", "remote_id", name=op.f("uq_Wallet_connection_id_kind_remote_id")),
    )
    with op.batch_alter_table("Wallet", schema=None) as batch_op:
        batch_op.create_index(
            "ix_Wallet_balance",
            ["connection_id", "kind", "balance", "remote_id", "responsible_user_id", "pipeline_id", "stage_id",
             "deleted_at"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index("ix_Wallet_company", ["connection_id", "company_id"], unique=False)
        batch_op.create_index(
            "ix_Wallet_person",
            ["connection_id", "kind", "responsible_user_id", "deleted_at"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_Wallet_stage",
            ["connection_id", "kind", "pipeline_id", "stage_id", "closed_at", "balance", "responsible_user_id",
             "loss_reason_id", "deleted_at"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_Wallet_title",
            ["connection_id", "kind", "title_folded", "remote_id", "responsible_user_id", "pipeline_id", "stage_id",
             "deleted_at"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "ix_Wallet_updated",
            ["connection_id", "kind", "updated_at", "remote_id", "responsible_user_id", "pipeline_id", "stage_id",
             "deleted_at"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "company",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("checked_run", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_company_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_company")),
    )
    op.create_table(
        "custom_field",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("entity", sa.String(length=16), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("sort", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("enums", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_custom_field_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "id", "entity", name=op.f("pk_custom_field")),
    )
    op.create_table(
        "deal_contact",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_deal_contact_connection_id_connection")
        ),
        sa.PrimaryKeyConstraint("connection_id", "deal_id", "contact_id", name=op.f("pk_deal_contact")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("deal_contact", schema=None) as batch_op:
        batch_op.create_index("ix_deal_contact_contact", ["connection_id", "contact_id"], unique=False)

    op.create_table(
        "kommo_user",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_kommo_user_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_kommo_user")),
    )
    op.create_table(
        "loss_reason",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("sort", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_loss_reason_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_loss_reason")),
    )
    op.create_table(
        "pipeline",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("sort", sa.BigInteger(), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("is_archive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_pipeline_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_pipeline")),
    )
    op.create_table(
        "stage",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=True),
        sa.Column("pipeline_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sort", sa.BigInteger(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("type", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_stage_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "id", "pipeline_id", name=op.f("pk_stage")),
    )
    op.create_table(
        "sync_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("requested_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("resume_at", sa.Float(), nullable=True),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("server_started_at", sa.BigInteger(), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Text(), nullable=True),
        sa.Column("errors", JSON, nullable=False),
        sa.Column("warnings", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_sync_run_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_run")),
    )
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.create_index("ix_sync_run_connection", ["connection_id", "id"], unique=False)
        batch_op.create_index(
            "uq_sync_run_active",
            ["connection_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('queued', 'running', 'paused')"),
            postgresql_where=sa.text("state IN ('queued', 'running', 'paused')"),
        )

    op.create_table(
        "sync_band",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=12), nullable=False),
        sa.Column("read_pass", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("band", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_page", sa.Integer(), nullable=False),
        sa.Column("next_page", sa.Integer(), nullable=False),
        sa.Column("top_id", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["sync_run.id"], name=op.f("fk_sync_band_run_id_sync_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "stream", "read_pass", "band", name=op.f("pk_sync_band")),
    )
    op.create_table(
        "sync_candidate",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=12), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("evidence", sa.String(length=12), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["sync_run.id"], name=op.f("fk_sync_candidate_run_id_sync_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "stream", "remote_id", name=op.f("pk_sync_candidate")),
    )
    op.create_table(
        "sync_seen",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=12), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("read_pass", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(length=1), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["sync_run.id"], name=op.f("fk_sync_seen_run_id_sync_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "stream", "remote_id", name=op.f("pk_sync_seen")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sync_stream",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("read_pass", sa.Integer(), nullable=False),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("pages_total", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("malformed", sa.Integer(), nullable=False),
        sa.Column("remote_count", sa.Integer(), nullable=True),
        sa.Column("local_count", sa.Integer(), nullable=True),
        sa.Column("notes", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["sync_run.id"], name=op.f("fk_sync_stream_run_id_sync_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "stream", name=op.f("pk_sync_stream")),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE wallet_search USING fts5(content, tokenize='trigram', columnsize=0)")
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute('CREATE INDEX "ix_Wallet_search" ON "Wallet" USING gin (search_text gin_trgm_ops)')


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("wallet_search")
    op.drop_table("sync_stream")
    op.drop_table("sync_seen")
    op.drop_table("sync_candidate")
    op.drop_table("sync_band")
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_sync_run_active",
            sqlite_where=sa.text("state IN ('queued', 'running', 'paused')"),
            postgresql_where=sa.text("state IN ('queued', 'running', 'paused')"),
        )
        batch_op.drop_index("ix_sync_run_connection")

    op.drop_table("sync_run")
    op.drop_table("stage")
    op.drop_table("pipeline")
    op.drop_table("loss_reason")
    op.drop_table("kommo_user")
    with op.batch_alter_table("deal_contact", schema=None) as batch_op:
        batch_op.drop_index("ix_deal_contact_contact")

    op.drop_table("deal_contact")
    op.drop_table("custom_field")
    op.drop_table("company")
    with op.batch_alter_table("Wallet", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_Wallet_updated",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_Wallet_title",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_Wallet_person",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_Wallet_stage",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index("ix_Wallet_company")
        batch_op.drop_index(
            "ix_Wallet_balance",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.drop_table("Wallet")
    op.drop_table("connection")
    op.drop_table("search_pending")
    op.drop_table("rate_slot")
    op.drop_table("owner")
