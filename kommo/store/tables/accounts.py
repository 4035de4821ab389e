"""Who owns what: owners and their connected Kommo accounts."""

from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kommo.addresses import is_host
from kommo.db import Base, Json


class Owner(Base):
    """Somebody to whom connections and copies belong; the key is opaque (the JSON API's `userId`)."""

    __tablename__ = "owner"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[float] = mapped_column(Float)


class Connection(Base):
    """One Kommo account of one owner: where it is, the sealed token, what the token and the account say.

    The row outlives its token: after a disconnect, at `disconnected_at` (our clock), it still names the copy. The
    token's claims are Unix seconds, unverified. `claims` counts how often a worker took up one of the account's runs:
    it orders their readings.
    """

    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("user_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    account_id: Mapped[int] = mapped_column(BigInteger)
    base_address: Mapped[str] = mapped_column(Text)
    is_demo: Mapped[bool] = mapped_column(default=False)
    token: Mapped[str | None] = mapped_column(Text)
    token_hint: Mapped[str | None] = mapped_column(Text)
    token_refused: Mapped[bool] = mapped_column(default=False)
    scopes: Mapped[list[str]] = mapped_column(Json, default=list)
    issued_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    base_domain: Mapped[str] = mapped_column(Text, default="kommo.com")
    name: Mapped[str] = mapped_column(Text, default="")
    subdomain: Mapped[str] = mapped_column(Text, default="")
    currency: Mapped[str] = mapped_column(Text, default="BRL")
    timezone: Mapped[str] = mapped_column(Text, default="America/Sao_Paulo")
    account: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    connected_at: Mapped[float] = mapped_column(Float)
    disconnected_at: Mapped[float | None] = mapped_column(Float)
    claims: Mapped[int] = mapped_column(BigInteger, default=0)
    erasing: Mapped[bool] = mapped_column(default=False)

    @property
    def place(self) -> str:
        """What the sealed token is bound to."""
        return f"{self.user_id}/{self.account_id}"

    @property
    def web_address(self) -> str | None:
        """The account's own address in the browser, without a slash at the end; None while unknown.

        Kommo tells the one half and the token the other: together they are a host's name, or nothing that is linked to.
        """
        if self.is_demo:
            return self.base_address
        host = f"{self.subdomain}.{self.base_domain}"
        return f"https://{host}" if self.subdomain and is_host(host) else None
