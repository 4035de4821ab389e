"""`Wallet`: every contact and deal of every connected account, one row each.

The columns that lists sort and filter by are real ones; the whole record is `metadata`. Kommo's ids are unique for
one connected account only. Times with `_at` are Kommo's own Unix seconds, but `deleted_at` (gone from Kommo) and
`erased_at` (emptied at the person's wish, in no list and no number): our database's clock.
"""

from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base, Json, Key

CONTACT = "contact"
DEAL = "deal"
_LIVE = text("deleted_at IS NULL")
_GONE = text("deleted_at IS NOT NULL")
_ERASED = text("erased_at IS NOT NULL")
#: Behind what a list sorts by. `deleted_at` is empty in all of them; with it SQLite knows that it needs no row.
_SHOWN = ("deleted_at", "erased_at")
_FILTERS = ("responsible_user_id", "pipeline_id", "stage_id", *_SHOWN)
_CLOSED = ("closed_at", "balance", "responsible_user_id", "loss_reason_id", *_SHOWN)


def _live(name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=_LIVE, postgresql_where=_LIVE)


class Wallet(Base):
    """A record of Kommo as it was last read; `Contact` and `Deal` are its two faces.

    `version` orders readings by when they were asked for (`kommo.sync.run.Run.version`); `content_hash` is that of
    `record`, so that an unchanged record is not written again.
    """

    __tablename__ = "Wallet"
    __table_args__ = (
        UniqueConstraint("connection_id", "kind", "remote_id"),
        # The first column after the two of equality is what a list sorts by; the filters' columns stand behind it,
        # so that a filtered and sorted page is found, and counted, in the index alone. `ix_Wallet_stage` is the
        # overview's, `ix_Wallet_person` tells who is responsible for anything at all.
        _live("ix_Wallet_title", "connection_id", "kind", "title_folded", "remote_id", *_FILTERS),
        _live("ix_Wallet_updated", "connection_id", "kind", "updated_at", "remote_id", *_FILTERS),
        _live("ix_Wallet_balance", "connection_id", "kind", "balance", "remote_id", *_FILTERS),
        _live("ix_Wallet_stage", "connection_id", "kind", "pipeline_id", "stage_id", *_CLOSED),
        _live("ix_Wallet_person", "connection_id", "kind", "responsible_user_id", *_SHOWN),
        Index("ix_Wallet_company", "connection_id", "company_id"),
        # The few that no list shows: the proof counts the erased ones, a search for a person looks at the others.
        Index(
            "ix_Wallet_erased", "connection_id", "kind", "deleted_at", sqlite_where=_ERASED, postgresql_where=_ERASED
        ),
        Index("ix_Wallet_gone", "connection_id", "kind", sqlite_where=_GONE, postgresql_where=_GONE),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"))
    kind: Mapped[str] = mapped_column(String(8))
    remote_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(32), default="EXTERNAL_INTEGRATION")
    balance: Mapped[float] = mapped_column(Float, default=0.0)
    title: Mapped[str] = mapped_column(Text, default="")
    title_folded: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    responsible_user_id: Mapped[int | None] = mapped_column(BigInteger)
    pipeline_id: Mapped[int | None] = mapped_column(BigInteger)
    stage_id: Mapped[int | None] = mapped_column(BigInteger)
    loss_reason_id: Mapped[int | None] = mapped_column(BigInteger)
    company_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[float | None] = mapped_column(Float)
    erased_at: Mapped[float | None] = mapped_column(Float)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    search_text: Mapped[str] = mapped_column(Text, default="")
    record: Mapped[dict[str, Any]] = mapped_column("metadata", Json)

    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_abstract": True}  # noqa: RUF012 - SQLAlchemy's form


class Contact(Wallet):
    """A person of the account."""

    __mapper_args__ = {"polymorphic_identity": CONTACT}  # noqa: RUF012


class Deal(Wallet):
    """A deal (negociação; Kommo's wire format says lead)."""

    __mapper_args__ = {"polymorphic_identity": DEAL}  # noqa: RUF012


class DealContact(Base):
    """Which contacts a deal has, in Kommo's order. Ids are Kommo's; a contact may not be here (yet)."""

    __tablename__ = "deal_contact"
    __table_args__ = (
        Index("ix_deal_contact_contact", "connection_id", "contact_id"),
        {"sqlite_with_rowid": False},
    )

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id"), primary_key=True)
    deal_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    is_main: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)


class SearchPending(Base):
    """Rows of `Wallet` whose search index is not up to date yet; filled with each page, emptied in small lots."""

    __tablename__ = "search_pending"

    wallet_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
