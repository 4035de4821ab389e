"""What Kommo's records point to by number: pipelines, stages, users, loss reasons, fields, companies.

Names outlive what they name: a row that is gone from Kommo keeps its name, with `gone_at` set (Unix seconds).
"""

from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kommo.db import Base, Json, Key


class Catalogue:
    """The columns all catalogues share."""

    connection_id: Mapped[int] = mapped_column(
        ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True, sort_order=-4
    )
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-3)
    name: Mapped[str] = mapped_column(Text, default="", sort_order=-2)
    gone_at: Mapped[float | None] = mapped_column(Float, sort_order=-1)


class Pipeline(Catalogue, Base):
    """A sales pipeline (funil)."""

    __tablename__ = "pipeline"

    sort: Mapped[int] = mapped_column(BigInteger, default=0)
    is_main: Mapped[bool] = mapped_column(default=False)
    is_archive: Mapped[bool] = mapped_column(default=False)


class Stage(Catalogue, Base):
    """A stage (etapa) of a pipeline. 142 (won) and 143 (lost) repeat in every pipeline, so both ids are the key."""

    __tablename__ = "stage"

    pipeline_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sort: Mapped[int] = mapped_column(BigInteger, default=0)
    color: Mapped[str | None] = mapped_column(Text)
    type: Mapped[int] = mapped_column(BigInteger, default=0)


class KommoUser(Catalogue, Base):
    """A person of the account, to whom records are assigned."""

    __tablename__ = "kommo_user"

    email: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_admin: Mapped[bool] = mapped_column(default=False)


class LossReason(Catalogue, Base):
    """Why a deal was lost."""

    __tablename__ = "loss_reason"

    sort: Mapped[int] = mapped_column(BigInteger, default=0)


class CustomField(Catalogue, Base):
    """The definition of a custom field of contacts, deals (`leads`) or companies."""

    __tablename__ = "custom_field"

    entity: Mapped[str] = mapped_column(String(16), primary_key=True)
    type: Mapped[str] = mapped_column(Text, default="")
    code: Mapped[str | None] = mapped_column(Text)
    sort: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str | None] = mapped_column(Text)
    enums: Mapped[list[Any]] = mapped_column(Json, default=list)


class Company(Catalogue, Base):
    """A company's name, for the records that belong to it. `checked_run` is the run that asked last, 0 has to ask."""

    __tablename__ = "company"

    checked_run: Mapped[int] = mapped_column(Key, default=0)


class CatalogueRead(Base):
    """When each catalogue of an account was last read whole (our clock), by the name `sync` has for it."""

    __tablename__ = "catalogue_read"

    connection_id: Mapped[int] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    catalogue: Mapped[str] = mapped_column(String(24), primary_key=True)
    read_at: Mapped[float] = mapped_column(Float)
