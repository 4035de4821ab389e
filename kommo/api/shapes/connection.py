"""The answer of test-connection."""

from typing import Literal

from pydantic import Field

from kommo.api.shapes.base import Good, Id, Shape, Time


class Reached(Shape):
    """Where Kommo was asked."""

    status: Literal["connected"]
    apiUrl: str = Field(description="Servidor do Kommo que respondeu.")


class TestedAccount(Shape):
    """The account that the token belongs to."""

    accountId: Id = Field(description="Número da conta no Kommo.")
    baseDomain: str
    apiDomain: str
    scopes: list[str] = Field(description="Permissões que o token diz ter.")
    expiresAt: Time | None = Field(description="Quando o token vence; null quando ele não o diz.")
    name: str
    subdomain: str
    currency: str | None
    timezone: str | None


class Named(Shape):
    """A contact by number and name."""

    id: Id
    name: str


class SomeContacts(Shape):
    """Up to three contacts, as a proof that the token may read them."""

    count: int = Field(ge=0, le=3)
    items: list[Named] = Field(max_length=3)


class Diagnostics(Shape):
    """What the test saw beside the account."""

    contacts: SomeContacts
    clockDifference: float | None = Field(
        description="Segundos em que o relógio deste servidor está adiante do relógio do Kommo, ou null."
    )


class Tested(Good):
    """Kommo takes the token."""

    connection: Reached
    account: TestedAccount
    diagnostics: Diagnostics
